"""The course report that this project started from, step by step."""
