"""Making checkpoints: a folder of recordings -> a pack -> a run -> a generator that the app and the commands load."""
