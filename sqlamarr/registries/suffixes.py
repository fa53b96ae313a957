"""Find the entry of a registry that belongs to a file's suffix, with as few imports as possible."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from sqlamarr.errors import PackageError
from sqlamarr.registries.entry import Entry
from sqlamarr.registries.registry import Registry


class HasSuffixes(Protocol):
    """An entry that declares suffixes of file names."""

    @property
    def SUFFIXES(self) -> tuple[str, ...]:  # noqa: N802
        """The suffixes, with the dot."""


S = TypeVar("S", bound=HasSuffixes)


def by_suffix(registry: Registry[S], file: str) -> tuple[str | None, list[str]]:
    """The entry that belongs to the suffix of a file name.

    sqlamarr's own entries come first. Next comes an entry point whose name is the suffix; it is not imported. Only then
    are all other packages imported and searched. If several suffixes match, the longest one counts.

    :return: the entry's name, or None, and messages about packages that could not be searched
    :raises PackageError: several packages offer this suffix
    """
    own = of_ours(registry, file)
    suffix = _last(file)
    if own is not None or not suffix:
        return own, []
    if any(entry.name == suffix for entry in registry.foreign()):
        return suffix, []
    fitting: list[tuple[str, Entry]] = []
    problems = []
    for entry, found in registry.others():
        if isinstance(found, PackageError):
            problems.append(str(found))
        else:
            fitting += [(end, entry) for end in found.SUFFIXES if file.endswith(end)]
    longest = max((len(end) for end, _ in fitting), default=0)
    return _only(registry, file, [(end, entry) for end, entry in fitting if len(end) == longest], problems)


def of_ours(registry: Registry[S], file: str) -> str | None:
    """sqlamarr's own entry that belongs to the suffix of a file name."""
    return longest(file, ((suffix, name) for name, entry in registry.own() for suffix in entry.SUFFIXES))


def longest(file: str, suffixes: Iterable[tuple[str, str]]) -> str | None:
    """The value that belongs to the longest suffix of a file name."""
    fitting = {suffix: name for suffix, name in suffixes if file.endswith(suffix)}
    return fitting[max(fitting, key=len)] if fitting else None


def _last(file: str) -> str:
    name = file.replace("\\", "/").rpartition("/")[2]
    return name.rpartition(".")[2] if "." in name.lstrip(".") else ""


def _only(
    registry: Registry[S], file: str, fitting: list[tuple[str, Entry]], problems: list[str]
) -> tuple[str | None, list[str]]:
    if not fitting:
        return None, problems
    origins = dict.fromkeys(str(entry.origin) for _, entry in fitting)
    if len(origins) > 1:
        raise PackageError(
            f"{file}: the suffix {fitting[0][0]} belongs to more than one {registry.noun}, from "
            f"{' and '.join(origins)}. Uninstall one of them, or give the file another name."
        )
    return fitting[0][1].name, []


__all__ = ["HasSuffixes", "by_suffix", "longest", "of_ours"]
