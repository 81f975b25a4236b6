"""Listeners of known opinions: for planning a study, for the coverage of its intervals, and for tests."""
