"""Registries of named entries: sqlamarr's own, those of installed packages, and those of the running program."""
