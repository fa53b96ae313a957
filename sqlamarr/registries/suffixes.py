"""Which entry of a registry a file's name tells, with as few imports as possible."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from sqlamarr.errors import PackageError
from sqlamarr.registries.entry import Entry
from sqlamarr.registries.registry import Registry


class HasSuffixes(Protocol):
    """An entry that says what names of files end in."""

    @property
    def SUFFIXES(self) -> tuple[str, ...]:  # noqa: N802
        """With the dot."""


S = TypeVar("S", bound=HasSuffixes)


def by_suffix(registry: Registry[S], file: str) -> tuple[str | None, list[str]]:
    """The entry that the name of a file tells.

    Ours are asked first. Then an entry point counts whose name is the suffix, without an import. Only then are all
    other packages imported and asked. Of several suffixes that fit the longest counts.

    :return: the entry's name, None if there is none, and sentences about packages that could not be asked
    :raises PackageError: several packages have this suffix
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
    """The entry of ours that the name of a file tells."""
    return longest(file, ((suffix, name) for name, entry in registry.own() for suffix in entry.SUFFIXES))


def longest(file: str, suffixes: Iterable[tuple[str, str]]) -> str | None:
    """What belongs to the longest of the suffixes that a name ends in."""
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
            f"{file}: the suffix {fitting[0][0]} belongs to more than one {registry.noun}: those of "
            f"{' and '.join(origins)}. Uninstall one of them, or give the file another name."
        )
    return fitting[0][1].name, []


__all__ = ["HasSuffixes", "by_suffix", "longest", "of_ours"]
