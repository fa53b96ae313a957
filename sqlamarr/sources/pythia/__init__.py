"""Pythia 8 in this process."""
