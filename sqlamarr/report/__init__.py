"""A page about a run: what happened, what came out, and how well it is measured."""
