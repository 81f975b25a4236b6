"""Mel recipes: every number that makes one mel differ from another, as data."""
