"""How fast training is, against a plain trainer."""
