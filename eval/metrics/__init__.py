"""Each metric beside its formula, and the table of all."""
