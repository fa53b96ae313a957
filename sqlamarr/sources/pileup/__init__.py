"""Pile-up: collisions put together into events."""
