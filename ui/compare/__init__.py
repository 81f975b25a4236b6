"""The tab that compares systems on one recording."""
