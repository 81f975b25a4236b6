"""Mels from files: read, diagnosed, converted."""
