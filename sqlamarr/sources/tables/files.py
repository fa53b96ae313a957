"""Read tables of particles in files and in memory block by block."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sqlamarr.checking.arguments import unexpected
from sqlamarr.errors import InputError, missing_package
from sqlamarr.sources.record_tables import Array
from sqlamarr.sources.tables.columns import Jagged

Raw = Mapping[str, Array | Jagged]
ROWS = 100_000  # number of rows in a block
_ROOT_BYTES = "50 MB"


@dataclass(frozen=True)
class TableFile:
    """An open table.

    :ivar name: name for messages
    :ivar format: format for the table DataSources
    :ivar names: names of its columns
    :ivar blocks: reads the columns with the given names from beginning to end
    """

    name: str
    format: str
    names: Sequence[str]
    blocks: Callable[[Sequence[str]], Iterator[Raw]]


def format_of(path: Path) -> str | None:
    """The apparent format of a file: a key of FORMATS, or None."""
    with path.open("rb") as file:
        head = file.read(4)
    known = {b"PAR1": "parquet", b"root": "root"}
    return known.get(head) or ("csv" if ".csv" in [suffix.lower() for suffix in path.suffixes[-2:]] else None)


def is_table(argument: str) -> bool:
    """Whether an input is a file that is read as a table."""
    path = Path(argument)
    return path.is_file() and format_of(path) is not None


def is_frame(given: Any) -> bool:
    """Whether this is a table in memory: a frame, or a dict of arrays."""
    if isinstance(given, Mapping):
        return "pid" in given
    return hasattr(given, "__getitem__") and (hasattr(given, "columns") or hasattr(given, "column_names"))


def _parquet(path: Path, tree: str | None) -> TableFile:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise missing_package(f"The Parquet file {path}", "pyarrow", "parquet") from error
    try:
        file = parquet.ParquetFile(path)
    except (OSError, ValueError) as error:  # pyarrow's own errors are ValueErrors
        raise InputError(f"{path} cannot be read as Parquet ({error}); check the file.") from error

    def blocks(names: Sequence[str]) -> Iterator[Raw]:
        for batch in file.iter_batches(ROWS, columns=list(names)):
            yield {name: _arrow(batch.column(name)) for name in names}

    return TableFile(str(path), "Parquet", list(file.schema_arrow.names), blocks)


def _arrow(column: Any) -> Array | Jagged:
    """An Arrow column as an array; missing values become NaN."""
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
    if hasattr(column, "value_lengths"):
        counts = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        return Jagged(_arrow_values(column.flatten()), np.asarray(counts, np.int64))
    return _arrow_values(column)


def _arrow_values(column: Any) -> Array:
    values: Array = column.to_numpy(zero_copy_only=False)
    return values


def _root(path: Path, tree: str | None) -> TableFile:
    import uproot

    try:
        file = uproot.open(path)
        trees = [key for key, kind in file.classnames(cycle=False).items() if kind in ("TTree", "ROOT::RNTuple")]
    except Exception as error:  # uproot can raise anything on bad bytes
        raise InputError(f"{path} cannot be read as a ROOT file ({error}); check the file.") from error
    if tree is None and len(trees) != 1:
        raise InputError(f"{path} has {len(trees)} trees ({', '.join(trees)}); expected one. Choose one with 'tree:'.")
    name = trees[0] if tree is None else tree
    if name not in trees:
        raise InputError(f"{path} has no tree {name!r}; its trees: {', '.join(trees) or 'none'}.")
    branches = file[name]

    def blocks(names: Sequence[str]) -> Iterator[Raw]:
        for part in branches.iterate(list(names), step_size=_ROOT_BYTES, library="ak"):
            yield {column: _awkward(part[column]) for column in names}

    return TableFile(f"{path}:{name}", "ROOT", list(branches.keys()), blocks)


def _awkward(column: Any) -> Array | Jagged:
    import awkward

    if column.ndim == 1:
        return np.asarray(awkward.to_numpy(column))
    return Jagged(np.asarray(awkward.to_numpy(awkward.flatten(column))), np.asarray(awkward.num(column), np.int64))


def _csv(path: Path, tree: str | None) -> TableFile:
    import pandas

    try:
        names = list(map(str, pandas.read_csv(path, nrows=0, skipinitialspace=True, comment="#").columns))
    except (ValueError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path} cannot be read as CSV ({error}); check the file.") from error

    def blocks(wanted: Sequence[str]) -> Iterator[Raw]:
        options: dict[str, Any] = {"skipinitialspace": True, "comment": "#"}
        if int(pandas.__version__.split(".")[0]) < 3:  # from then on it is the default
            options["float_precision"] = "round_trip"
        with pandas.read_csv(path, usecols=list(wanted), chunksize=ROWS, **options) as frames:
            for frame in frames:
                yield {name: frame[name].to_numpy() for name in wanted}

    return TableFile(str(path), "CSV", names, blocks)


#: Readers by format, called with a path and, for ROOT, the name of a tree.
FORMATS: dict[str, Callable[[Path, str | None], TableFile]] = {"parquet": _parquet, "root": _root, "csv": _csv}


def of_memory(data: Any, name: str) -> TableFile:
    """A table in memory: a frame of pandas, polars or pyarrow, or a mapping of names to arrays.

    :raises InputError: it is none of these, a column is not an array, or the columns differ in length
    """
    names = next((getattr(data, a) for a in ("column_names", "columns") if hasattr(data, a)), None)
    if names is None:
        if not isinstance(data, Mapping):
            raise InputError(f"{name}: expected a table or a dict of arrays, found {type(data).__name__}.")
        names = list(data)
    columns = {str(column): data[column] for column in names}
    for column, values in columns.items():
        if not _is_column(values):
            raise unexpected(f"{name}: column {column!r}", "an array with one value per particle", values, InputError)
    lengths = {column: len(values) for column, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"{name}: columns must have equal lengths, found {lengths}.")

    def blocks(wanted: Sequence[str]) -> Iterator[Raw]:
        yield {column: _in_memory(columns[column]) for column in wanted}

    return TableFile(name, "table in memory", list(columns), blocks)


def _is_column(values: Any) -> bool:
    """Whether a value can be a column, which includes Awkward arrays of lists and numpy arrays of arrays."""
    if isinstance(values, (str, bytes, Mapping)) or (isinstance(values, np.ndarray) and values.ndim != 1):
        return False
    return hasattr(values, "__len__") and hasattr(values, "__getitem__")


def _in_memory(column: Any) -> Array | Jagged:
    if type(column).__module__.startswith("pyarrow"):
        return _arrow(column)
    if type(column).__module__.startswith("awkward"):
        return _awkward(column)
    values = np.asarray(column) if hasattr(column, "dtype") else _listed(column)
    if values.dtype == object and len(values) and isinstance(values[0], (list, tuple, np.ndarray)):
        counts = np.array([len(row) for row in values], np.int64)
        return Jagged(np.concatenate([np.asarray(row) for row in values]), counts)
    return values


def _listed(column: Sequence[Any]) -> Array:
    if len(column) and isinstance(column[0], (list, tuple, np.ndarray)):
        values = np.empty(len(column), object)
        values[:] = [np.asarray(row) for row in column]
        return values
    return np.asarray(column)


__all__ = ["FORMATS", "ROWS", "TableFile", "format_of", "is_frame", "is_table", "of_memory"]
