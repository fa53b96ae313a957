"""Entries by name: sqlamarr's own, entry points of installed packages, and what the running program registers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, Generic, TypeVar

from sqlamarr.errors import PackageError, SqlamarrError
from sqlamarr.registries import used
from sqlamarr.registries.entry import PROGRAM, Entry, Origin, Row, of_installed, of_ours
from sqlamarr.registries.installed import PREFIX, entry_points

T = TypeVar("T")


class Registry(Generic[T]):
    """The entries of one group, by name.

    Nothing is imported before it is requested. An installed package replaces nothing: a name that is offered more than
    once (by sqlamarr, packages or the program) is an error, but only when it is used.

    :param group: the group of entry points, without ``sqlamarr.``
    :param noun: what messages call an entry, e.g. ``kind of step``
    :param package: a package of sqlamarr in which every module is an entry, named after the module
    :param attribute: name of the object in a module that is an entry
    :param check: returns a loaded object if it can be an entry; otherwise raises TypeError or ValueError
    :param error: raised for unknown names
    :param find_ours: finds sqlamarr's own entries where these are not the modules of a package
    """

    def __init__(
        self,
        group: str,
        noun: str,
        *,
        check: Callable[[object], T],
        package: str = "",
        attribute: str = "",
        error: type[SqlamarrError] = SqlamarrError,
        find_ours: Callable[[], Iterable[Entry]] = tuple,
    ) -> None:
        self.group, self.noun = group, noun
        self._package, self._attribute, self._check = package, attribute, check
        self._error, self._find_ours = error, find_ours
        self._program: dict[str, Entry] = {}
        self._loaded: dict[Entry, T] = {}

    # What there is, without importing anything

    def ours(self) -> list[str]:
        """The names of sqlamarr's own entries."""
        return sorted(self._ours())

    def foreign(self) -> list[Entry]:
        """The entries of installed packages; one package may offer the same name twice."""
        return [of_installed(point, self._attribute) for point in entry_points(self.group)]

    def names(self) -> list[str]:
        """All names, whatever their origin."""
        return sorted({*self._ours(), *self._program, *(entry.name for entry in self.foreign())})

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def _ours(self) -> dict[str, Entry]:
        if self._package:
            names = _modules_of(self._package)
            return {name: of_ours(self.group, name, self._package, self._attribute) for name in names}
        return {entry.name: entry for entry in self._find_ours()}

    # What the running program adds

    def register(self, name: str, entry: object) -> None:
        """Register an entry under a name, replacing what the program registered under it before.

        :raises PackageError: the name is one of sqlamarr's own, or the object cannot be an entry
        """
        if name in self._ours():
            raise PackageError(
                f"The {self.noun} {name!r} belongs to sqlamarr itself: register yours under another name."
            )
        try:
            self._check(entry)
        except (TypeError, ValueError) as error:
            raise PackageError(f"This cannot be registered as {self.noun} {name!r}: {error}.") from error
        place = f"{getattr(entry, '__module__', '?')}:{getattr(entry, '__qualname__', type(entry).__qualname__)}"
        self._program[name] = new = Entry(self.group, name, PROGRAM, place, lambda: entry)
        self._loaded.pop(new, None)

    def forget(self, name: str) -> None:
        """Remove what the program registered under a name."""
        self._program.pop(name, None)

    # What is loaded

    def get(self, name: str, *, place: str = "") -> T:
        """The object with this name; it is imported now if it was not before.

        :param place: where the name was found, for the message
        :raises SqlamarrError: there is no such entry
        :raises PackageError: the name is offered more than once, or its package cannot be imported or used
        """
        found = self.candidates(name)
        if not found:
            raise self._error(self.unknown(name, place))
        refuse_clash(self.noun, found)
        used.note(found[0])
        return self.load(found[0])

    def unknown(self, name: str, place: str = "") -> str:
        """The message about an unknown name that was found in ``place``."""
        from sqlamarr.checking.yaml_schema import suggest  # slow to import, and needed only for mistakes

        known = self.names()
        there = f"{place}there" if place else "There"
        return f"{there} is no {self.noun} {name!r}; there are: {', '.join(known) or 'none'}{suggest(name, known)}"

    def candidates(self, name: str) -> list[Entry]:
        """All entries with this name: sqlamarr's own, the program's, those of installed packages."""
        own = [entries[name] for entries in (self._ours(), self._program) if name in entries]
        return [*own, *(entry for entry in self.foreign() if entry.name == name)]

    def load(self, entry: Entry) -> T:
        """Import an entry.

        :raises PackageError: an entry of an installed package cannot be imported, or is not of the right type
        """
        if entry not in self._loaded:
            self._loaded[entry] = self._imported(entry)
        return self._loaded[entry]

    def _imported(self, entry: Entry) -> T:
        if not entry.origin.is_foreign:
            return self._check(entry.load())
        try:
            return self._check(entry.load())
        except (Exception, SystemExit) as error:
            raise PackageError(unusable(self.noun, entry, error)) from error

    def own(self) -> Iterator[tuple[str, T]]:
        """Yield sqlamarr's own entries, imported, by name."""
        for name, entry in sorted(self._ours().items()):
            yield name, self.load(entry)

    def others(self) -> Iterator[tuple[Entry, T | PackageError]]:
        """Yield the entries of the program and of installed packages, imported; for a broken one, its error."""
        for entry in [*self._program.values(), *self.foreign()]:
            try:
                refuse_clash(self.noun, self.candidates(entry.name))
                yield entry, self.load(entry)
            except PackageError as error:
                yield entry, error

    def listing(self, *, ours: bool = False) -> Iterator[Row]:
        """Yield a row for every entry, with its problem if any. This imports the packages that offer entries.

        :param ours: include sqlamarr's own entries
        """
        if ours:
            yield from (Row.of(entry) for _, entry in sorted(self._ours().items()))
        for entry, found in self.others():
            yield Row.of(entry, str(found) if isinstance(found, PackageError) else "")


def refuse_clash(noun: str, found: list[Entry]) -> None:
    """Refuse a name that more than one package offers.

    :raises PackageError: several packages offer it; the message names them
    """
    origins: dict[Origin, Entry] = {}
    for entry in found:
        origins.setdefault(entry.origin, entry)
    if len(origins) > 1:
        which = " and ".join(f"that of {origin} ({entry.place})" for origin, entry in origins.items())
        packages = [origin.distribution for origin in origins if origin.is_foreign]
        raise PackageError(
            f"The name of the {noun} {found[0].name!r} is taken more than once: {which}. An installed package replaces "
            f"nothing: uninstall {' or '.join(packages)}, or have it use another name."
        )


def unusable(noun: str, entry: Entry, error: BaseException) -> str:
    """The message about an entry of an installed package that cannot be used."""
    reason = str(error) if isinstance(error, (TypeError, ValueError)) and str(error).startswith("expected ") else ""
    reason = reason or f"{type(error).__name__}: {error}".rstrip(": ")
    return (
        f"The {noun} {entry.name!r} of {entry.origin} cannot be used: {reason}. Its entry point is "
        f"'{entry.name} = {entry.place}' in the group {PREFIX}{entry.group}. Install what it "
        f"needs, or uninstall it: pip uninstall {entry.origin.distribution}"
    )


def instance_of(kinds: type[Any] | tuple[type[Any], ...]) -> Callable[[object], Any]:
    """Make a check for :class:`Registry` that accepts objects of this class, or of one of these."""
    known = kinds if isinstance(kinds, tuple) else (kinds,)

    def check(found: object) -> Any:
        if isinstance(found, known):
            return found
        names = " or ".join(f"{kind.__module__}.{kind.__qualname__}" for kind in known)
        raise TypeError(f"expected an object of {names}, found {described(found)}")

    return check


def described(found: object) -> str:
    """Describe an object in a few words, for messages."""
    if isinstance(found, type):
        return f"the class {found.__qualname__} itself, not an instance of it"
    return f"{type(found).__name__} {found!r}"[:80]


@cache
def _modules_of(package: str) -> tuple[str, ...]:
    """The names of the modules of a package, from its files."""
    names = set()
    for folder in import_module(package).__path__:
        for entry in os.scandir(folder):
            name, dot, suffix = entry.name.partition(".")
            if suffix == "py" or (not dot and os.path.isfile(os.path.join(entry.path, "__init__.py"))):
                names.add(name)
    return tuple(sorted(names - {"__init__"}))
