"""From the checkout to a place where others can open the app: Hugging Face Spaces."""
