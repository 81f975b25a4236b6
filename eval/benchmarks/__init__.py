"""Speed and ablations; no part of the product."""
