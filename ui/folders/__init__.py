"""Folders of outputs, a system each: the tab that compares them with their recordings, and the field that takes them."""
