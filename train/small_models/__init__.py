"""Small models in assets that are not generators."""
