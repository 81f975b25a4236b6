"""Audio files -> recordings."""
