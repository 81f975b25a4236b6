"""Generator, discriminators and losses of training."""
