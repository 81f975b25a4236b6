"""Blind listening studies: how they are designed, what is stored, and what the answers say."""
