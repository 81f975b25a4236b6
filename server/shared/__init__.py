"""Comparisons behind a link, for as long as the operator keeps them."""
