"""A page about a run: what was run, what was reconstructed, and how well it is measured."""
