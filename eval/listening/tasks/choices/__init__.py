"""Kinds of tests whose answers are choices among a trial's outputs."""
