"""The tab that lists the systems and takes checkpoints."""
