"""An entry of a registry: its name, where it comes from, and how it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from importlib import import_module
from typing import NamedTuple

from sqlamarr.registries.installed import EntryPoint


class Origin(NamedTuple):
    """Where an entry comes from.

    :ivar distribution: name of the installed package; empty for the running program
    """

    distribution: str
    version: str = ""

    def __str__(self) -> str:
        if self == OURS:
            return "sqlamarr itself"
        return f"{self.distribution} {self.version}" if self.distribution else "the running program"

    @property
    def is_foreign(self) -> bool:
        """Whether it is an installed package other than sqlamarr."""
        return self not in (OURS, PROGRAM)


OURS = Origin("sqlamarr")
PROGRAM = Origin("")


class Entry:
    """Something that a registry knows by a name; equal to another that has all but ``load`` in common.

    :ivar place: where it is: ``module`` or ``module:object``
    :ivar load: imports it; errors of the import are raised unchanged
    """

    __slots__ = ("group", "load", "name", "origin", "place")

    def __init__(self, group: str, name: str, origin: Origin, place: str, load: Callable[[], object]) -> None:
        self.group, self.name, self.origin, self.place, self.load = group, name, origin, place, load

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[str, str, Origin, str]:
        return self.group, self.name, self.origin, self.place


class Row(NamedTuple):
    """An entry in the listing of a registry.

    :ivar problem: what is wrong with it; empty if nothing is
    """

    group: str
    name: str
    distribution: str
    version: str
    module: str
    problem: str = ""

    @classmethod
    def of(cls, entry: Entry, problem: str = "") -> Row:
        """Make the row of an entry."""
        return cls(entry.group, entry.name, entry.origin.distribution, entry.origin.version, entry.place, problem)


def of_installed(point: EntryPoint, attribute: str) -> Entry:
    """The entry behind an entry point.

    :param attribute: the object to take from a module, where the entry point names a module; empty: the module itself
    """

    def load() -> object:
        module = import_module(point.module)
        path = point.attribute or attribute
        return reduce(getattr, path.split("."), module) if path else module

    return Entry(point.group, point.name, Origin(point.distribution, point.version), point.value, load)


def of_ours(group: str, name: str, package: str, attribute: str) -> Entry:
    """The entry in a module of one of sqlamarr's packages."""
    place = f"{package}.{name}"
    return Entry(group, name, OURS, place, lambda: getattr(import_module(place), attribute))
