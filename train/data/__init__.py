"""Recordings -> training segments."""
