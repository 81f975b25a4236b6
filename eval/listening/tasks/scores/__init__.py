"""Kinds of tests whose answers are scores."""
