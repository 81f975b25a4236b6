"""The proof that several servers lose nothing: real programs, simulated raters, kills, and what stands in the database afterwards."""
