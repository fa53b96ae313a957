"""Output files in the formats of other programs: ROOT, Parquet, EDM4hep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlamarr.checking.yaml_schema import suggest
from sqlamarr.database.connection import Database
from sqlamarr.errors import OutputError, SqlamarrError
from sqlamarr.exporters.format import FORMATS, checked_options, format_by_suffix, own_suffixes
from sqlamarr.exporters.options import ExportOptions, ExportSummary
from sqlamarr.files.whole_files import replacing, replacing_folder
from sqlamarr.output.file import BOOKKEEPING, check_output, open_output

_COMMON = ("tables", "rows", "progress")  # options of every format


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
    :param output: the file to write; its name determines the format (``.root``, ``.edm4hep.root``, ``.parquet``, and
    those of installed packages; a folder for one Parquet file per table)
    :param format: name of a format, overriding the name of the file
    :param options: the fields of :class:`ExportOptions`, and the format's own (``layout``, ``compression``, ...;
    listed by its class in :mod:`sqlamarr.exporters.formats`)
    :raises SqlamarrError: one of the classes in :mod:`sqlamarr.errors`
    """
    path = Path(output)
    chosen = format_of(path, format)
    settings = _options(chosen, options)
    if isinstance(source, Database):
        return _export(source, path, chosen, settings, overwrite)
    with open_output(source) as db:
        return _export(db, path, chosen, settings, overwrite)


def _export(db: Database, path: Path, format: str, options: ExportOptions, overwrite: bool) -> ExportSummary:
    exporter = FORMATS.get(format)
    names = [name for name in db if name not in BOOKKEEPING]
    for name in options.tables:
        if name not in names:
            raise SqlamarrError(
                f"There is no table or view {name!r} to export; available: {', '.join(names)}{suggest(name, names)}"
            )
    check_target(path, overwrite, exporter.MARK)
    summary = ExportSummary(str(path), format)
    chosen = tuple(options.tables) or tuple(names)
    into_folder = not exporter.ONE_FILE and not path.name.endswith(exporter.SUFFIXES)
    with (replacing_folder if into_folder else replacing)(path) as part:
        exporter.write(db, part, chosen, options, summary)
    return summary


def check_target(path: Path, overwrite: bool, mark: bytes) -> None:
    """Check that a file can be written. An existing one must be an export, and ``overwrite`` must be set.

    :param mark: how files of the format begin, in addition to the built-in formats; empty accepts any file
    :raises OutputError: it cannot be written
    """
    if path.is_dir():
        if any(path.iterdir()) and not (overwrite and all(file.suffix == ".parquet" for file in path.iterdir())):
            raise OutputError(
                f"{path} is a folder with files in it; expected the name of a file to write, or an empty folder."
            )
        return
    if not path.exists() or not overwrite:
        check_output(path)
        return
    # A built-in format without a mark must not open every file to being overwritten by the others.
    marks = {mark, *(format.MARK for _, format in FORMATS.own() if format.MARK)}
    with path.open("rb") as file:
        head = file.read(max(map(len, marks)))
    if head.startswith(b"SQLite") or not any(head.startswith(mark) for mark in marks):
        raise OutputError(f"{path} is not an exported file ({', '.join(FORMATS.names())}) and is not overwritten.")


def format_of(path: Path, asked: str | None = None) -> str:
    """The name of the requested format, or else of the format that the file's name implies.

    :raises SqlamarrError: there is no such format, or the name implies none
    """
    if asked is not None:
        FORMATS.get(asked)
        return asked
    found, problems = format_by_suffix(path)
    if found is not None:
        return found
    raise SqlamarrError(
        " ".join(
            [
                f"{path}: the format cannot be recognised from the name; expected a name ending in "
                f"{', '.join(own_suffixes())}, or --format.",
                *problems,
            ]
        )
    )


def _options(format: str, options: dict[str, Any]) -> ExportOptions:
    tables: Sequence[str] = options.get("tables", ())
    own = {name: value for name, value in options.items() if name not in _COMMON}
    settings = ExportOptions(
        tables=(tables,) if isinstance(tables, str) else tuple(tables),
        rows=options.get("rows", ExportOptions.rows),
        progress=options.get("progress"),
        own=checked_options(format, FORMATS.get(format), own),
    )
    if settings.rows < 1:
        raise SqlamarrError(f"rows must be at least 1, found {settings.rows}.")
    return settings
