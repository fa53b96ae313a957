"""Pythia 8, run in the same process."""
