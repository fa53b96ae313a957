"""The interface of an export format, and the registry of formats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sqlamarr.database.connection import Database
from sqlamarr.errors import SqlamarrError
from sqlamarr.exporters.options import ExportOptions, ExportSummary
from sqlamarr.registries.registry import Registry, instance_of
from sqlamarr.registries.suffixes import by_suffix

#: Names of files that are SQLite databases, whatever formats there are.
SQLITE = (".db", ".sqlite", ".sqlite3")


class Format(ABC):
    """An export format. Derive from this class and name an object of your class ``exporter``.

    :cvar HELP: what it is, in a few words
    :cvar SUFFIXES: suffixes of file names that imply this format
    :cvar OPTIONS: JSON schemas of this format's own options by name, with description and default
    :cvar MARK: how its files begin; only such files are ever overwritten. Empty accepts any file
    :cvar TAKES_TABLES: whether it writes the chosen tables rather than a fixed selection
    :cvar ONE_FILE: whether one file holds a whole run, so that ``sqlamarr run -o`` can write it
    """

    HELP: ClassVar[str]
    SUFFIXES: ClassVar[tuple[str, ...]] = ()
    OPTIONS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    MARK: ClassVar[bytes] = b""
    TAKES_TABLES: ClassVar[bool] = True
    ONE_FILE: ClassVar[bool] = True

    @abstractmethod
    def write(
        self, db: Database, path: Path, tables: tuple[str, ...], options: ExportOptions, summary: ExportSummary
    ) -> None:
        """Write the file.

        :param db: the output of a run
        :param path: where to write, a temporary name; ``summary.output`` is the name that users gave
        :param tables: tables and views to write
        :param options: the common options; ``options["name"]`` gives those in ``OPTIONS``
        :param summary: to be completed with ``entries`` and ``notes``
        :raises SqlamarrError: it cannot be written in this format
        """


FORMATS: Registry[Format] = Registry(
    "exporters",
    "format of export",
    package="sqlamarr.exporters.formats",
    attribute="exporter",
    check=instance_of(Format),
)


def format_by_suffix(path: Path) -> tuple[str | None, list[str]]:
    """The format that a file's name implies; see :func:`sqlamarr.registries.suffixes.by_suffix`."""
    return (None, []) if path.suffix in SQLITE else by_suffix(FORMATS, path.name)


def own_suffixes(*, takes_tables: bool = False) -> list[str]:
    """The suffixes of the built-in formats, for messages and help.

    :param takes_tables: only those of formats that write any table
    """
    formats = [format for _, format in FORMATS.own() if format.TAKES_TABLES or not takes_tables]
    return [suffix for format in formats for suffix in format.SUFFIXES]


def own_options() -> dict[str, list[tuple[str, Mapping[str, Any]]]]:
    """The options of the built-in formats by name: the formats that have each, and its schema in them."""
    found: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for name, format in FORMATS.own():
        for option, schema in format.OPTIONS.items():
            found.setdefault(option, []).append((name, schema))
    return found


def checked_options(name: str, format: Format, given: Mapping[str, Any]) -> dict[str, Any]:
    """The format's own options with their defaults.

    :param name: name of the format for messages
    :raises SqlamarrError: the format has no such option, or a value does not fit
    """
    from sqlamarr.checking.yaml_schema import suggest, validate

    for option, value in given.items():
        if option not in format.OPTIONS:
            known = ", ".join(format.OPTIONS) or "none of its own"
            raise SqlamarrError(
                f"The format {name!r} has no option {option!r}; its options: {known}{suggest(option, format.OPTIONS)}"
            )
        schema = format.OPTIONS[option]
        if "enum" in schema and value not in schema["enum"]:
            raise SqlamarrError(f"{option} must be one of {', '.join(map(str, schema['enum']))}, found {value!r}.")
        validate(value, schema, f"the option {option!r} of the format {name!r}", "", SqlamarrError)
    return {option: given.get(option, schema.get("default")) for option, schema in format.OPTIONS.items()}


__all__ = ["FORMATS", "SQLITE", "Format", "checked_options", "format_by_suffix", "own_options", "own_suffixes"]
