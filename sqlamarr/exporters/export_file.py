"""Output files in the formats of other programs: ROOT, Parquet, EDM4hep."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlamarr.checking.yaml_schema import suggest
from sqlamarr.database.connection import Database
from sqlamarr.errors import OutputError, SqlamarrError
from sqlamarr.exporters.options import ExportSummary, Options
from sqlamarr.files.whole_files import replacing, replacing_folder
from sqlamarr.output.file import BOOKKEEPING, check_output, open_output

FORMATS = {"root": "root", "parquet": "parquet", "edm4hep": "edm4hep"}  # name: module of this package
_SUFFIXES = {".edm4hep.root": "edm4hep", ".root": "root", ".parquet": "parquet"}


def export(
    source: str | Path | Database,
    output: str | Path,
    *,
    format: str | None = None,
    overwrite: bool = False,
    **options: Any,
) -> ExportSummary:
    """Write an output file in another format.

    :param source: the file that a run wrote, or an open database
    :param output: the file to write; the format follows from its name (``.root``, ``.edm4hep.root``, ``.parquet``;
        a folder for one Parquet file a table)
    :param format: ``root``, ``edm4hep`` or ``parquet``, whatever the name
    :param options: the fields of :class:`Options`
    :raises SqlamarrError: one of the classes in :mod:`sqlamarr.errors`
    """
    path = Path(output)
    chosen = _format(path, format)
    settings = _options(options)
    if isinstance(source, Database):
        return _export(source, path, chosen, settings, overwrite)
    with open_output(source) as db:
        return _export(db, path, chosen, settings, overwrite)


def _export(db: Database, path: Path, format: str, options: Options, overwrite: bool) -> ExportSummary:
    module = import_module(f"sqlamarr.exporters.{FORMATS[format]}")
    names = [name for name in db if name not in BOOKKEEPING]
    for name in options.tables:
        if name not in names:
            raise SqlamarrError(
                f"There is no table or view {name!r} to export; there are: {', '.join(names)}{suggest(name, names)}"
            )
    check_target(path, overwrite)
    summary = ExportSummary(str(path), format)
    chosen = tuple(options.tables) or tuple(names)
    into_folder = format == "parquet" and not path.name.endswith(".parquet")
    with (replacing_folder if into_folder else replacing)(path) as part:
        module.write(db, part, chosen, options, summary)
    return summary


def is_export(path: Path) -> bool:
    """Whether the name is that of a file in another format than SQLite."""
    return any(path.name.endswith(suffix) for suffix in _SUFFIXES)


def check_target(path: Path, overwrite: bool) -> None:
    """Make sure that a file can be written there: one that exists must be an export, and may be overwritten.

    :raises OutputError: it cannot
    """
    if path.is_dir():
        if any(path.iterdir()) and not (overwrite and all(file.suffix == ".parquet" for file in path.iterdir())):
            raise OutputError(f"{path} is a folder with files in it; expected a file to write, or an empty folder.")
        return
    if not path.exists() or not overwrite:
        check_output(path)
        return
    with path.open("rb") as file:
        if file.read(4) not in (b"root", b"PAR1"):
            raise OutputError(f"{path} is neither a ROOT nor a Parquet file: it is not overwritten.")


def _format(path: Path, asked: str | None) -> str:
    if asked is not None:
        if asked not in FORMATS:
            raise SqlamarrError(f"Unknown format {asked!r}; known are: {', '.join(FORMATS)}{suggest(asked, FORMATS)}")
        return asked
    for suffix, name in _SUFFIXES.items():
        if path.name.endswith(suffix):
            return name
    raise SqlamarrError(
        f"{path}: the name does not tell the format; expected one that ends in {', '.join(_SUFFIXES)}, or --format."
    )


def _options(options: dict[str, Any]) -> Options:
    tables: Sequence[str] = options.pop("tables", ())
    settings = Options(tables=(tables,) if isinstance(tables, str) else tuple(tables), **options)
    if settings.layout not in ("flat", "event", "both"):
        raise SqlamarrError(f"layout must be one of flat, event, both, found {settings.layout!r}.")
    if settings.rows < 1:
        raise SqlamarrError(f"rows must be at least 1, found {settings.rows}.")
    return settings
