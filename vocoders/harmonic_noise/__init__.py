"""The harmonic-plus-noise vocoder: carriers computed from the mel, weighted per bin and frame by a small network."""
