"""The kinds of listening tests, one class each: see `task.py` for what a kind decides, `registry.py` for the list."""
