"""The owner's desk: a study is found again, watched, closed, extended, copied, deleted, and its results are read and sent."""
