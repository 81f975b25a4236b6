"""Generators from files, read safely and tried before use."""
