"""Decay candidates out of reconstructed tracks: combined, fitted, and written as an n-tuple."""
