"""What a step is, what it works with, and the kinds of steps."""

from sqlamarr.steps.registry import register

__all__ = ["register"]
