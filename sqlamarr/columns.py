"""Columns: a table in memory, as numpy arrays over native buffers, copied as little as possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sqlamarr._library import check, ffi, lib
from sqlamarr.errors import DataError

INT64, FLOAT64, TEXT = 1, 2, 3

Array = np.ndarray[Any, np.dtype[Any]]


class Columns(Mapping[str, Array]):
    """Named columns of equal length: int64, float64 or text.

    Integer columns with NULLs are :class:`numpy.ma.MaskedArray`; a NULL among floats is NaN; text
    columns are object arrays of ``str`` with None for NULL.
    """

    def __init__(self, arrays: Mapping[str, Any] | None = None) -> None:
        self._arrays: dict[str, Array] = {}
        self._views: dict[str, tuple[Any, tuple[Any, ...]]] = {}
        self._owner: Any = None
        for name, values in ({} if arrays is None else arrays).items():
            self._arrays[str(name)] = _as_column(str(name), values)
        lengths = {name: len(array) for name, array in self._arrays.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"Columns must have equal lengths, found {lengths}.")

    @classmethod
    def from_native(cls, pointer: Any, owned: bool = True) -> Columns:
        """Wrap a ``sqlamarr_columns *`` without copying numbers.

        :param pointer: the native columns
        :param owned: free them with this object; else the caller keeps them alive
        """
        columns = cls()
        columns._owner = ffi.gc(pointer, lib.sqlamarr_columns_free) if owned else pointer
        rows = lib.sqlamarr_columns_rows(pointer)
        view = ffi.new("sqlamarr_column *")
        for index in range(lib.sqlamarr_columns_count(pointer)):
            check(lib.sqlamarr_columns_get(pointer, index, view))
            name = ffi.string(view.name).decode()
            columns._arrays[name] = _wrap(view, rows, columns._owner)
        return columns

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self._arrays.values()))) if self._arrays else 0

    def __repr__(self) -> str:
        return f"<Columns {self.rows} rows: {', '.join(self._arrays)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Data and masks apart: plain arrays leave a process without being copied (pickle's protocol 5).
        masked = {name: np.ma.getmaskarray(a) for name, a in self.items() if np.ma.isMA(a)}
        return _restored, ({name: np.ma.getdata(a) for name, a in self.items()}, masked)

    def native(self) -> tuple[Any, list[Any]]:
        """The columns as a C array of ``sqlamarr_column``, and what must be kept alive beside it."""
        views = ffi.new("sqlamarr_column[]", max(len(self), 1))
        keep: list[Any] = [self]
        for view, (name, array) in zip(views, self.items()):
            _fill(view, name, array, keep)
        return views, keep


def without_values(array: Array, declared: int) -> Array:
    """``array`` itself, or one of the declared type if it holds nothing that shows its type."""
    if array.dtype.kind != "f" or declared not in (INT64, TEXT) or not np.isnan(array).all():
        return array
    if declared == TEXT:
        return np.full(len(array), None, dtype=object)
    integers = np.zeros(len(array), dtype=np.int64)
    return np.ma.MaskedArray(integers, mask=True) if len(array) else integers


def _restored(data: Mapping[str, Array], masked: Mapping[str, Array]) -> Columns:
    columns = Columns()
    columns._arrays = {n: np.ma.MaskedArray(a, mask=masked[n]) if n in masked else a for n, a in data.items()}
    return columns


def _as_column(name: str, values: Any) -> Array:
    """Any sequence as an int64, float64 or object column."""
    array = values if isinstance(values, np.ndarray) else _from_sequence(values)
    if array.dtype == object and not all(
        value is None or isinstance(value, (str, bytes)) for value in np.ma.filled(array, None)
    ):
        array = _from_sequence(np.ma.filled(array, None))  # e.g. Python integers
    if array.ndim != 1:
        raise DataError(f"Column {name!r} must have one dimension, found {array.ndim}.")
    kind = array.dtype.kind
    if kind in "bi" or (kind == "u" and array.dtype.itemsize < 8):
        return array.astype(np.int64, copy=False)
    if kind == "u":
        if array.size and int(np.ma.filled(array, 0).max()) > np.iinfo(np.int64).max:
            raise DataError(f"Column {name!r} holds integers beyond SQLite's 64 bits (largest {array.max()}).")
        return array.astype(np.int64)
    if kind == "f" and array.dtype.itemsize <= 8:
        return array.astype(np.float64, copy=False)
    if kind in "OUS":
        return _text_column(name, array)
    raise DataError(f"Column {name!r} has type {array.dtype}; expected integers, floats or text.")


def _from_sequence(values: Any) -> Array:
    """A list or pandas column; None among integers becomes a mask instead of a float."""
    if hasattr(values, "isna"):  # a column of pandas: its missing values become None
        values = [None if missing else value for value, missing in zip(values, values.isna())]
    values = list(values)
    present = [value for value in values if value is not None]
    if present and len(present) < len(values) and all(isinstance(value, (int, np.integer)) for value in present):
        mask = np.array([value is None for value in values])
        return np.ma.MaskedArray(np.array([value or 0 for value in values], dtype=np.int64), mask=mask)
    if present and all(isinstance(value, (int, float, np.number)) for value in present):
        return np.array([np.nan if value is None else value for value in values])
    return np.array(values, dtype=object) if values else np.empty(0)


def _text_column(name: str, array: Array) -> Array:
    out = np.empty(len(array), dtype=object)
    for row, value in enumerate(np.ma.filled(array.astype(object), None)):
        if value is None or (isinstance(value, float) and value != value):
            out[row] = None
        elif isinstance(value, bytes):
            out[row] = value.decode()
        elif isinstance(value, str):
            out[row] = value
        else:
            raise DataError(f"Column {name!r}, row {row}: expected text or None, found {value!r}.")
    return out


def _wrap(view: Any, rows: int, owner: Any) -> Array:
    if view.type == TEXT:
        return _wrap_text(view, rows)
    dtype = np.dtype(np.int64 if view.type == INT64 else np.float64)
    array: Array = _buffer(view.data, rows, dtype, owner)
    if view.type == INT64 and view.nulls != ffi.NULL:
        mask = _buffer(view.nulls, rows, np.dtype(np.bool_), owner)
        return np.ma.MaskedArray(array, mask=mask)
    return array


def _buffer(pointer: Any, rows: int, dtype: np.dtype[Any], owner: Any) -> Array:
    if rows == 0:
        return np.empty(0, dtype)
    # The array keeps the buffer alive, the buffer the handle, and the handle the native owner.
    handle = ffi.gc(ffi.cast("char *", pointer), _Keep(owner))
    return np.frombuffer(ffi.buffer(handle, rows * dtype.itemsize), dtype)


class _Keep:
    """A destructor that destroys nothing: it holds on to an object for as long as it lives."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    def __call__(self, _: Any) -> None:
        pass


def _wrap_text(view: Any, rows: int) -> Array:
    offsets = ffi.unpack(view.offsets, rows + 1)
    data = bytes(ffi.buffer(ffi.cast("char *", view.data), offsets[-1])) if offsets[-1] else b""
    out = np.empty(rows, dtype=object)
    for row in range(rows):
        null = view.nulls != ffi.NULL and view.nulls[row]
        out[row] = None if null else data[offsets[row] : offsets[row + 1]].decode("utf-8", "surrogateescape")
    return out


def _fill(view: Any, name: str, array: Array, keep: list[Any]) -> None:
    c_name = ffi.new("char[]", name.encode())
    keep.append(c_name)
    view.name = c_name
    if array.dtype == object:
        _fill_text(view, array, keep)
        return
    view.type = INT64 if array.dtype == np.int64 else FLOAT64
    data = np.ascontiguousarray(np.ma.getdata(array))
    keep.append(data)
    view.data = ffi.cast("void *", data.ctypes.data)
    if np.ma.isMaskedArray(array) and np.ma.getmaskarray(array).any():
        nulls = np.ascontiguousarray(np.ma.getmaskarray(array)).view(np.uint8)
        keep.append(nulls)
        view.nulls = ffi.cast("uint8_t *", nulls.ctypes.data)


def _fill_text(view: Any, array: Array, keep: list[Any]) -> None:
    encoded = [b"" if value is None else value.encode("utf-8", "surrogateescape") for value in array]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(item) for item in encoded], out=offsets[1:])
    data = ffi.new("char[]", b"".join(encoded))
    nulls = np.array([value is None for value in array], dtype=np.uint8)
    keep += [data, offsets, nulls]
    view.type = TEXT
    view.data = ffi.cast("void *", data)
    view.offsets = ffi.cast("int64_t *", offsets.ctypes.data)
    view.nulls = ffi.cast("uint8_t *", nulls.ctypes.data)
