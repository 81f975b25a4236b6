"""The tab that makes and reads listening studies, and the page listeners see."""
