"""Recordings and systems -> a study with its stimuli."""
