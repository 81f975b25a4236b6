"""What the statistics of a study allow to say: intervals on their scale, conclusions, effects of order, metrics, a methods paragraph."""
