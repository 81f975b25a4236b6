"""A comparison to send: one file, or a link to it."""
