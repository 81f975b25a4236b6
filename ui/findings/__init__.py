"""The tab that explains the project's findings."""
