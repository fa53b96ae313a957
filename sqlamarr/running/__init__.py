"""How a run spreads over workers, and what it does when something goes wrong."""
