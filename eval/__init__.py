"""Judging what vocoders make: metrics, loudness, plots. Import names from its modules; `import eval` shadows a builtin."""
