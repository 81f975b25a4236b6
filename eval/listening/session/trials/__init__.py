"""The trials of a session: which one is asked next, and what the page is told of it."""
