"""Outputs at their own rates."""
