"""Entries that are files in a package's folder, named by an entry point."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from sqlamarr.registries.registry import described


def existing_file(what: str, within: str = "") -> Callable[[object], Path]:
    """Make a check for :class:`~sqlamarr.registries.registry.Registry` that accepts the path of an existing file.

    :param what: what the file must be, for messages, e.g. ``YAML file``
    :param within: the file to use if the path is a folder
    """

    def check(found: object) -> Path:
        if not isinstance(found, (str, os.PathLike)):  # resources of an installed package are paths
            raise TypeError(f"expected the path of a {what} as a str or a pathlib.Path, found {described(found)}")
        path = Path(found)
        path = path / within if within and path.is_dir() else path
        if not path.is_file():
            raise ValueError(f"expected the path of a {what}, but there is no file {path}")
        return path.absolute()

    return check
