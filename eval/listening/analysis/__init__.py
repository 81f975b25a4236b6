"""Answers -> estimates with intervals."""
