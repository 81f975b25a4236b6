"""The Vocos generator."""
