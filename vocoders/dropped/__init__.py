"""Files that somebody drops without saying what they are: recognized by their content, and put together to systems."""
