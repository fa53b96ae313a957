"""Columns: a table in memory, as numpy arrays over native buffers, copied as little as possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from sqlamarr.errors import DataError
from sqlamarr.native.library import check, ffi, lib

INT64, FLOAT64, TEXT = 1, 2, 3

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Text:
    """A text column in the form that SQLite accepts.

    :ivar data: UTF-8 of all rows, one after another (uint8)
    :ivar offsets: where each row begins, and the end of the last (int64, rows + 1)
    :ivar nulls: True where a row is NULL (bool, rows); None: no row is
    """

    data: Array
    offsets: Array
    nulls: Array | None = None

    @classmethod
    def encode(cls, values: Array) -> Text:
        """Encode an object array of ``str`` and None."""
        encoded = [b"" if value is None else value.encode("utf-8", "surrogateescape") for value in values]
        offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum([len(item) for item in encoded], out=offsets[1:])
        nulls = np.array([value is None for value in values], dtype=np.bool_)
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets, nulls if nulls.any() else None)

    def decode(self) -> Array:
        """Decode to an object array of ``str``, with None for NULL."""
        data, offsets, nulls = self.data.tobytes(), self.offsets.tolist(), self.nulls
        out = np.empty(len(self), dtype=object)
        for row in range(len(self)):
            if nulls is None or not nulls[row]:
                out[row] = data[offsets[row] : offsets[row + 1]].decode("utf-8", "surrogateescape")
        return out

    def take(self, rows: Array) -> Text:
        """Some of the rows, in a new order."""
        begins = np.ascontiguousarray(self.offsets[:-1][rows])
        offsets = np.zeros(len(begins) + 1, np.int64)
        np.cumsum(np.diff(self.offsets)[rows], out=offsets[1:])
        data = np.empty(offsets[-1], np.uint8)
        given, places = ffi.from_buffer("char[]", np.ascontiguousarray(self.data)), ffi.from_buffer("int64_t[]", begins)
        out = ffi.from_buffer("char[]", data), ffi.from_buffer("int64_t[]", offsets)
        lib.sqlamarr_text_take(given, places, len(begins), *out)
        return Text(data, offsets, None if self.nulls is None else self.nulls[rows])

    def hashes(self) -> Array:
        """A hash per row (uint64), equal where the texts are equal."""
        lengths = np.diff(self.offsets)
        place = np.arange(len(self.data)) - np.repeat(self.offsets[:-1], lengths)
        factors = _mixed(place.astype(np.uint64))  # sums wrap around
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum((self.data + np.uint64(1)) * factors)])
        hashes: Array = sums[self.offsets[1:]] - sums[self.offsets[:-1]]
        return hashes

    def __len__(self) -> int:
        return len(self.offsets) - 1


def _mixed(numbers: Array) -> Array:
    """Odd pseudo-random numbers, one for each input, as SplitMix64 makes them (Steele, Lea, Flood, OOPSLA 2014)."""
    mixed = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    odd: Array = mixed ^ (mixed >> np.uint64(31)) | np.uint64(1)
    return odd


class Columns(Mapping[str, Array]):
    """Named columns of equal length: int64, float64 or text.

    Integer columns with NULLs are :class:`numpy.ma.MaskedArray`; a NULL among floats is NaN; text
    columns are object arrays of ``str`` with None for NULL.
    """

    def __init__(self, arrays: Mapping[str, Any] | None = None) -> None:
        self._raw: dict[str, Array | Text] = {}
        self._decoded: dict[str, Array] = {}
        for name, values in ({} if arrays is None else arrays).items():
            self._raw[str(name)] = values if isinstance(values, Text) else _as_column(str(name), values)
        lengths = {name: len(array) for name, array in self._raw.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"Columns must have equal lengths, found {lengths}.")

    @classmethod
    def of(cls, raw: dict[str, Array | Text]) -> Columns:
        """Wrap columns of the right types and of equal length, without checking them."""
        columns = cls()
        columns._raw = raw
        return columns

    @classmethod
    def from_native(cls, pointer: Any, owned: bool = True) -> Columns:
        """Wrap a ``sqlamarr_columns *`` without copying.

        :param pointer: the native columns
        :param owned: free them with this object; otherwise the caller keeps them alive
        """
        columns = cls()
        owner = ffi.gc(pointer, lib.sqlamarr_columns_free) if owned else pointer
        rows = lib.sqlamarr_columns_rows(pointer)
        view = ffi.new("sqlamarr_column *")
        for index in range(lib.sqlamarr_columns_count(pointer)):
            check(lib.sqlamarr_columns_get(pointer, index, view))
            columns._raw[ffi.string(view.name).decode()] = _wrap(view, rows, owner)
        return columns

    def __getitem__(self, name: str) -> Array:
        values = self._raw[name]
        if not isinstance(values, Text):
            return values
        if name not in self._decoded:
            self._decoded[name] = values.decode()
        return self._decoded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, name: object) -> bool:
        return name in self._raw

    def raw(self, name: str) -> Array | Text:
        """A column as it is stored: text from native memory is not decoded."""
        return self._raw[name]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self._raw.values()))) if self._raw else 0

    def take(self, rows: Array) -> Columns:
        """Some of the rows, in a new order."""
        return Columns({n: a.take(rows) if isinstance(a, Text) else a[rows] for n, a in self._raw.items()})

    def __repr__(self) -> str:
        return f"<Columns {self.rows} rows: {', '.join(self._raw)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Data and masks separately: plain arrays leave a process without a copy (pickle protocol 5).
        masked = {name: np.ma.getmaskarray(a) for name, a in self._raw.items() if np.ma.isMA(a)}
        data = {name: a if isinstance(a, Text) else np.ma.getdata(a) for name, a in self._raw.items()}
        return _restored, (data, masked)

    def native(self) -> tuple[Any, list[Any]]:
        """The columns as a C array of ``sqlamarr_column``, and what must be kept alive with it."""
        views = ffi.new("sqlamarr_column[]", max(len(self), 1))
        keep: list[Any] = [self, views]
        for view, (name, array) in zip(views, self._raw.items()):
            _fill(view, name, array, keep)
        return views, keep


class ReadOnlyColumns(Columns):
    """Columns that are shared: numpy refuses to change the arrays in place.

    :param columns: the columns whose arrays are shared
    """

    def __init__(self, columns: Columns) -> None:
        self._raw, self._decoded = columns._raw, columns._decoded

    def __getitem__(self, name: str) -> Array:
        values = super().__getitem__(name)
        if np.ma.isMaskedArray(values):
            mask = _read_only(np.ma.getmaskarray(values))
            masked: Array = np.ma.MaskedArray(_read_only(np.ma.getdata(values)), mask=mask)
            return masked
        return _read_only(values)


def _read_only(array: Array) -> Array:
    view: Array = array.view()
    view.flags.writeable = False
    return view


def without_values(array: Array, declared: int) -> Array:
    """``array`` itself, or an array of the declared type if it has no values that show its type."""
    if array.dtype.kind != "f" or declared not in (INT64, TEXT) or not np.isnan(array).all():
        return array
    if declared == TEXT:
        return np.full(len(array), None, dtype=object)
    integers = np.zeros(len(array), dtype=np.int64)
    return np.ma.MaskedArray(integers, mask=True) if len(array) else integers


def _restored(data: Mapping[str, Array | Text], masked: Mapping[str, Array]) -> Columns:
    return Columns.of(
        {
            n: np.ma.MaskedArray(a, mask=masked[n]) if n in masked and not isinstance(a, Text) else a
            for n, a in data.items()
        }
    )


def concatenate(parts: Sequence[Columns]) -> Columns:
    """Concatenate the rows of columns with the same names and types."""
    if len(parts) == 1:
        return parts[0]
    return Columns({name: _join([part.raw(name) for part in parts]) for name in parts[0]})


def _join(pieces: Sequence[Array | Text]) -> Array | Text:
    texts = [piece for piece in pieces if isinstance(piece, Text)]
    if len(texts) < len(pieces):
        arrays = [piece.decode() if isinstance(piece, Text) else piece for piece in pieces]
        joined: Array = (np.ma if any(map(np.ma.isMaskedArray, arrays)) else np).concatenate(arrays)
        return joined
    ends = np.cumsum([0, *(len(text.data) for text in texts)])
    offsets = [text.offsets[:-1] + begin for text, begin in zip(texts, ends)]
    nulls = None
    if any(text.nulls is not None for text in texts):
        nulls = np.concatenate([np.zeros(len(t), np.bool_) if t.nulls is None else t.nulls for t in texts])
    return Text(np.concatenate([text.data for text in texts]), np.concatenate([*offsets, ends[-1:]]), nulls)


def null_count(values: Array | Text) -> int:
    """How many values of a column are NULL."""
    if isinstance(values, Text):
        return 0 if values.nulls is None else int(values.nulls.sum())
    if values.dtype == object:
        return sum(value is None for value in values)
    if values.dtype.kind == "f":
        return int(np.isnan(values).sum())
    return int(np.ma.getmaskarray(values).sum()) if np.ma.isMaskedArray(values) else 0


def type_of(values: Array | Text) -> int:
    """The transfer type of a column: INT64, FLOAT64 or TEXT."""
    if isinstance(values, Text) or values.dtype == object:
        return TEXT
    return INT64 if values.dtype == np.int64 else FLOAT64


def _as_column(name: str, values: Any) -> Array:
    """Convert any sequence to an int64, float64 or object column."""
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
            raise DataError(f"Column {name!r} holds integers that exceed SQLite's 64 bits (largest {array.max()}).")
        return array.astype(np.int64)
    if kind == "f" and array.dtype.itemsize <= 8:
        return array.astype(np.float64, copy=False)
    if kind in "OUS":
        return _text_column(name, array)
    raise DataError(f"Column {name!r} has type {array.dtype}; expected integers, floats or text.")


def _from_sequence(values: Any) -> Array:
    """Convert a list or pandas column; None among integers becomes a mask instead of a float."""
    if hasattr(values, "isna"):  # a pandas column: its missing values become None
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


def _wrap(view: Any, rows: int, owner: Any) -> Array | Text:
    nulls = None if view.nulls == ffi.NULL else _buffer(view.nulls, rows, np.dtype(np.bool_), owner)
    if view.type == TEXT:
        offsets = _buffer(view.offsets, rows + 1, np.dtype(np.int64), owner)
        return Text(_buffer(view.data, int(offsets[-1]), np.dtype(np.uint8), owner), offsets, nulls)
    array: Array = _buffer(view.data, rows, np.dtype(np.int64 if view.type == INT64 else np.float64), owner)
    if view.type == INT64 and nulls is not None:
        return np.ma.MaskedArray(array, mask=nulls)
    return array


def _buffer(pointer: Any, rows: int, dtype: np.dtype[Any], owner: Any) -> Array:
    if rows == 0:
        return np.empty(0, dtype)
    # The array keeps the buffer alive, the buffer the handle, and the handle the native owner.
    handle = ffi.gc(ffi.cast("char *", pointer), _Keep(owner))
    return np.frombuffer(ffi.buffer(handle, rows * dtype.itemsize), dtype)


class _Keep:
    """A destructor that destroys nothing: it keeps an object alive as long as it exists itself."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    def __call__(self, _: Any) -> None:
        pass


def _fill(view: Any, name: str, array: Array | Text, keep: list[Any]) -> None:
    view.name = c_name = _c_name(name)
    keep.append(c_name)
    if isinstance(array, Text) or array.dtype == object:
        _fill_text(view, array if isinstance(array, Text) else Text.encode(array), keep)
        return
    view.type = INT64 if array.dtype == np.int64 else FLOAT64
    if isinstance(array, np.ma.MaskedArray):
        if (mask := np.ma.getmaskarray(array)).any():
            view.nulls = _buffer_of("uint8_t[]", mask, keep)
        array = np.ma.getdata(array)
    view.data = _buffer_of("char[]", array, keep)


def _fill_text(view: Any, text: Text, keep: list[Any]) -> None:
    view.type = TEXT
    view.data = _buffer_of("char[]", text.data, keep)
    view.offsets = _buffer_of("int64_t[]", text.offsets, keep)
    if text.nulls is not None:
        view.nulls = _buffer_of("uint8_t[]", text.nulls, keep)


def _buffer_of(kind: str, array: Array, keep: list[Any]) -> Any:
    """The array's values as C sees them."""
    buffer = ffi.from_buffer(kind, array if array.flags.c_contiguous else np.ascontiguousarray(array))
    keep.append(buffer)
    return buffer


@lru_cache(maxsize=4096)
def _c_name(name: str) -> Any:
    """A name as a C string, cached because every batch has the same few names."""
    return ffi.new("char[]", name.encode())
