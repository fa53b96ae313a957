"""Entry points of installed packages, found without importing any of them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

PREFIX = "sqlamarr."  # the start of the names of sqlamarr's groups
_METADATA = (".dist-info", ".egg-info")
_OUR_GROUP = rb"(?m)^\s*\[\s*sqlamarr\."


class EntryPoint(NamedTuple):
    """A line of a package's ``entry_points.txt``.

    :ivar group: the group's name without :data:`PREFIX`
    :ivar value: ``module`` or ``module:object``
    """

    group: str
    name: str
    value: str
    distribution: str
    version: str

    @property
    def module(self) -> str:
        """The module to import."""
        return self.value.partition(":")[0].strip()

    @property
    def attribute(self) -> str:
        """The object in that module, with dots; empty if the module itself is the entry."""
        return self.value.partition(":")[2].partition("[")[0].strip()


class _Folder(NamedTuple):
    """What the packages in a folder of ``sys.path`` offer.

    :ivar packages: all packages that are installed there, by their normalised names
    :ivar found: pairs of a package and an entry point that it offers
    :ivar unreadable: sentences about packages whose metadata are damaged
    """

    packages: frozenset[str]
    found: tuple[tuple[str, EntryPoint], ...]
    unreadable: tuple[str, ...]


def entry_points(group: str) -> list[EntryPoint]:
    """The entry points of a group, in the order of ``sys.path``.

    If a package is found twice, the first one counts, as in an import. Every folder is read once per process.

    :param group: its name without :data:`PREFIX`
    """
    return [point for point in _all() if point.group == group]


def unreadable() -> list[str]:
    """Messages about installed packages whose entry points for sqlamarr cannot be read."""
    return [sentence for folder in dict.fromkeys(sys.path) for sentence in _look(folder or os.curdir).unreadable]


def _all() -> Iterator[EntryPoint]:
    seen: set[str] = set()
    for path in dict.fromkeys(sys.path):
        folder = _look(path or os.curdir)
        yield from (point for package, point in folder.found if package not in seen)
        seen |= folder.packages


@cache
def _look(path: str) -> _Folder:
    """Find the folder's packages. ``importlib.metadata`` is slow, so it reads only those with entry points for us."""
    packages, found, damaged = set(), [], []
    for name in _metadata_folders(path):
        package = _normal(name.rpartition(".")[0].partition("-")[0])
        packages.add(package)
        folder = os.path.join(path, name)
        if not _mentions_us(folder):
            continue
        try:
            found += [(package, point) for point in _read(folder)]
        except Exception as error:
            damaged.append(f"The entry points in {folder} cannot be read ({type(error).__name__}: {error}).")
    return _Folder(frozenset(packages), tuple(found), tuple(damaged))


def _metadata_folders(path: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(path) if name.endswith(_METADATA))
    except OSError:  # it does not exist, is not a folder, or may not be read
        return []


def _mentions_us(folder: str) -> bool:
    try:
        with open(os.path.join(folder, "entry_points.txt"), "rb") as file:
            text = file.read()
    except OSError:
        return False
    return b"sqlamarr." in text and re.search(_OUR_GROUP, text) is not None


def _read(folder: str) -> list[EntryPoint]:
    from importlib.metadata import Distribution

    package = Distribution.at(folder)
    metadata: Any = package.metadata
    name = metadata["Name"] or os.path.basename(folder).rpartition(".")[0].partition("-")[0]
    version = str(metadata["Version"] or "unknown")
    return [
        EntryPoint(point.group.removeprefix(PREFIX), point.name, point.value, name, version)
        for point in package.entry_points
        if point.group.startswith(PREFIX)
    ]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
