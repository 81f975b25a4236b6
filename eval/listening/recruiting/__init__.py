"""Listeners from outside: where they come from, who may take part, and how they are sent back."""
