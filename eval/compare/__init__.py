"""Systems against recordings: one recording, a folder, or outputs made elsewhere."""
