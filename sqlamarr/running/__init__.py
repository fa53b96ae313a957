"""How a run is spread over workers, and what it does when something goes wrong."""
