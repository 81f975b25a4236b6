"""A listener's way through a study."""
