"""Studies, answers and stimuli on disk."""
