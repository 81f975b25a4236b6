"""From recordings of a voice to a generator for it, in one command that goes on wherever it was stopped."""
