"""Combine reconstructed tracks into decay candidates, fit them, and write them as an n-tuple."""
