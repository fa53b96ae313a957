"""Checks of what users write, before anything is done with it; imports nothing but the exceptions."""
