"""What a comparison or a study looks like on paper."""
