"""Random numbers that belong to an id: the same id gives the same numbers in any batch or worker.

Philox4x32-10 with counter (id low, id high, block, stream) and a 64-bit key: there is no state, so
neither the order nor the grouping of calls matters.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlamarr.errors import DataError
from sqlamarr.native.library import check, ffi, lib

_RESERVED_STREAMS = 0xFFFFFF00  # reserved for the SQL functions, as in src/random/philox.h


def check_seed(seed: int) -> int:
    """Return the seed if it is an unsigned 64-bit integer.

    :raises DataError: it is not
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**64:
        raise DataError(f"The seed must be an integer with 0 <= seed < 2**64, found {seed!r}.")
    return int(seed)


@lru_cache(maxsize=1024, typed=True)
def stream_key(seed: int, name: str) -> int:
    """The 64-bit key of a step or source.

    The first 8 bytes, read as a little-endian integer, of the 64-byte BLAKE2b digest (no key, salt or
    personalisation) of the seed as 8 bytes, little endian, followed by the name in UTF-8.

    :param seed: the run's seed, 0 <= seed < 2**64
    :param name: the step's unique name
    :raises DataError: if the seed is out of range
    """
    data = check_seed(seed).to_bytes(8, "little") + name.encode()
    return int.from_bytes(blake2b(data).digest()[:8], "little")


class active:  # noqa: N801 - used like a function
    """A block within which uniform_at, normal_at and category_at work on a connection.

    :param pointer: address of its ``sqlite3`` object, ``Connection.sqlite3_pointer()``
    :param key: the step's key, see :func:`stream_key`
    """

    def __init__(self, pointer: int, key: int) -> None:
        self._db, self._key = ffi.cast("sqlite3 *", pointer), key

    def __enter__(self) -> None:
        check(lib.sqlamarr_random_begin(self._db, self._key))

    def __exit__(self, *_: object) -> None:
        check(lib.sqlamarr_random_end(self._db))


class Random:
    """The random numbers of one step.

    :param key: 64 bits, see :func:`stream_key`
    """

    def __init__(self, key: int) -> None:
        if not 0 <= key < 2**64:
            raise DataError(f"A key must be an integer with 0 <= key < 2**64, found {key!r}.")
        self.key = int(key)

    def __repr__(self) -> str:
        return f"Random({self.key:#018x})"

    def normal(
        self, ids: npt.ArrayLike, draws: int, stream: int = 0, *, repeated: bool = False
    ) -> npt.NDArray[np.float32]:
        """Standard normal deviates, float32, shape (len(ids), draws).

        :param ids: what the numbers belong to (int64), such as mcparticle_id
        :param draws: how many per id; the first ones do not depend on this number
        :param stream: separates several uses for one id, 0 <= stream < 2**32 - 256
        :param repeated: allow an id more than once; it then gets the same numbers each time
        :raises DataError: for an id given twice, or a stream or number of draws out of range
        """
        return self._fill(lib.sqlamarr_normals, ids, draws, stream, repeated)

    def uniform(
        self, ids: npt.ArrayLike, draws: int, stream: int = 0, *, repeated: bool = False
    ) -> npt.NDArray[np.float32]:
        """Uniform deviates in the open interval (0, 1), float32, shape (len(ids), draws).

        Parameters and errors are those of :meth:`normal`. The same (id, draw, stream) of the two
        methods comes from the same bits: use one of them, or two streams.
        """
        return self._fill(lib.sqlamarr_uniforms, ids, draws, stream, repeated)

    def _fill(
        self, function: Any, ids: npt.ArrayLike, draws: int, stream: int, repeated: bool
    ) -> npt.NDArray[np.float32]:
        array = _as_ids(ids) if repeated else distinct_ids(ids)
        if draws < 0:
            raise DataError(f"The number of draws must not be negative, found {draws}.")
        if not 0 <= stream < _RESERVED_STREAMS:
            raise DataError(f"The stream must be an integer with 0 <= stream < 2**32 - 256, found {stream}.")
        out = np.empty((len(array), draws), np.float32)
        ids_pointer = ffi.cast("int64_t *", array.ctypes.data)
        check(function(self.key, stream, ids_pointer, len(array), draws, ffi.cast("float *", out.ctypes.data)))
        return out


def distinct_ids(ids: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The ids, contiguous in memory.

    :raises DataError: an id is repeated, is NULL, or is not an integer
    """
    array = _as_ids(ids)
    _refuse_repeated(array)
    return array


def _as_ids(ids: npt.ArrayLike) -> npt.NDArray[np.int64]:
    array = np.asarray(ids)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise DataError(f"Ids must be integers in one dimension, found {array.dtype} in {array.ndim}.")
    if np.ma.isMaskedArray(ids) and np.ma.getmaskarray(ids).any():
        raise DataError("Ids must not be NULL, but some are masked. Leave those rows out.")
    return np.ascontiguousarray(array, np.int64)


def _refuse_repeated(ids: npt.NDArray[np.int64]) -> None:
    if len(ids) < 2 or bool((ids[1:] > ids[:-1]).all()):
        return
    ordered = np.sort(ids)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(twice):
        raise DataError(
            f"Id {twice[0]} is given more than once and would get the same random numbers each time. "
            "Give every row its own id, or distinguish the rows of an id by a stream (for a step with a model: its "
            "option 'stream', a column of its key). In Python, pass repeated=True if the same numbers are intended."
        )
