"""The families of generators whose files can be read, one module each: how its state is known, and what its configuration says."""
