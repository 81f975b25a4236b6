"""The ground floor: what any command or process needs and that knows no audio."""
