"""A model library's description of itself, and a check that its functions still give the recorded results."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.errors import ModelError
from sqlamarr.models.base import Sizes
from sqlamarr.models.compiled import CompiledModel
from sqlamarr.models.events import CompiledEventModel, EventSizes

COMPANIONS = ("_batch", "_info", "_random_read", "_verification")
NO_LIBRARY = "{} is not a shared library for this machine; expected one made by 'sqlamarr compile' or a C compiler."
EVENT = "_event"  # ends the name of a function of whole events


@dataclass(frozen=True)
class Range:
    """The valid range of an input; None where the library does not give it."""

    name: str
    low: float | None
    high: float | None


@dataclass(frozen=True)
class SelfTest:
    """The self-test of a compiled model.

    :param recorded: largest deviation from the original when it was compiled
    :param rows: on how many rows
    :param tolerance: the largest deviation allowed
    :param deviation: largest deviation of its test rows on this system
    :param test_rows: number of test rows
    :param same_bits: whether f and f_batch agree on them bit for bit
    """

    recorded: float
    rows: int
    tolerance: float
    deviation: float
    test_rows: int
    same_bits: bool

    @property
    def passed(self) -> bool:
        """Whether the model works on this system as it did where it was compiled."""
        return self.same_bits and not self.deviation > self.tolerance


@dataclass(frozen=True)
class Function:
    """A function of a library.

    :param takes: what a call takes: several ``rows``, ``one row``, or a whole ``event``
    :param sizes: the sizes that it declares; None if it declares none
    :param has_batch: whether the library has a function for many rows; without sizes it is not called
    """

    name: str
    takes: str
    sizes: Sizes | EventSizes | None
    inputs: tuple[Range, ...]
    outputs: tuple[str, ...]
    origin: str | None
    self_test: SelfTest | None
    has_batch: bool = False


def function_names(library: Path) -> list[str]:
    """The functions that a library exports.

    :raises ModelError: the functions cannot be listed on this system, so their names must be given
    """
    nm = shutil.which("nm")
    if nm is None:
        raise ModelError(
            f"Listing the functions of {library} needs the program nm: install binutils, or name the functions."
        )
    options = ["-gU"] if sys.platform == "darwin" else ["-D", "--defined-only"]
    listed = subprocess.run([nm, *options, str(library)], capture_output=True, text=True, check=False)
    if listed.returncode:
        raise ModelError(NO_LIBRARY.format(library))
    symbols = re.findall(
        r"^\S+ [TtWi] _?(\w+)$" if sys.platform == "darwin" else r"^\S+ [TWi] (\w+)$", listed.stdout, re.M
    )
    own = [s for s in symbols if not s.startswith("_") and not _is_companion(s, set(symbols))]
    if not own:
        raise ModelError(f"{library} exports no function, so it is not a library of models.")
    return sorted({s.removesuffix(EVENT) for s in own})


def _is_companion(symbol: str, symbols: set[str]) -> bool:
    return any(symbol.endswith(end) and symbol.removesuffix(end) in symbols for end in COMPANIONS)


def inspect(library: Path, name: str) -> Function:
    """Read a function's description of itself, and run its self-test.

    :raises ModelError: no such library or function, or one for another interface
    """
    raw = _Raw(library.absolute())
    if not raw.has(name) and raw.has(name + EVENT):
        return _of_events(library.absolute(), name)
    model = CompiledModel(library.absolute(), name)
    sizes = model.declared
    ranges = raw.ranges(name) if sizes else None
    names = model.input_names or [f"x{i}" for i in range(sizes.inputs if sizes else 0)]
    inputs = tuple(
        Range(n, None, None) if ranges is None else Range(n, *ranges[:, i].tolist()) for i, n in enumerate(names)
    )
    test = _self_test(model, sizes, raw, name) if sizes else None
    has_batch = raw.has(f"{name}_batch")
    takes = "rows" if has_batch and sizes else "one row"
    return Function(name, takes, sizes, inputs, tuple(model.output_names or ()), model.origin, test, has_batch)


def _of_events(library: Path, name: str) -> Function:
    model = CompiledEventModel(library, name)
    names = [*(model.input_names or []), *(f"{n} (of the event)" for n in model.event_input_names or [])]
    inputs = tuple(Range(n, None, None) for n in names)
    return Function(name, "event", model.declared, inputs, tuple(model.output_names or ()), model.origin, None)


def _self_test(model: CompiledModel, sizes: Sizes, raw: _Raw, name: str) -> SelfTest | None:
    record = raw.verification(name)
    if record is None:
        return None
    rows = record.n_test
    inputs = matrix(record.test_in, rows, sizes.inputs)
    noise = matrix(record.test_random, rows, sizes.noise) if sizes.noise else None
    expected = matrix(record.test_out, rows, sizes.outputs)
    single = model(inputs, noise, sizes.outputs, batched=False)
    found = model(inputs, noise, sizes.outputs)
    deviation = _deviation(expected, found)
    same = found.tobytes() == single.tobytes()
    return SelfTest(record.deviation, record.rows, record.tolerance, deviation, rows, same)


def _deviation(expected: NDArray[Any], found: NDArray[Any]) -> float:
    """Largest difference, relative to the spread of the output or its size over these few rows."""
    finite = np.where(np.isfinite(expected), expected, 0.0).astype(np.float64)
    scale = np.maximum(np.ptp(finite, axis=0), np.abs(finite).max(axis=0))
    with np.errstate(invalid="ignore"):
        difference = np.abs(found.astype(np.float64) - expected)
    difference = np.where((found == expected) | (np.isnan(found) & np.isnan(expected)), 0.0, difference)
    return float(np.nan_to_num(difference / np.where(scale > 0, scale, 1.0), nan=np.inf).max(initial=0.0))


class _Info(ctypes.Structure):
    """sqlamarr_model_info of plugins/sqlamarr_plugin.h."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in ("abi", "n_in", "n_out", "n_random")),
        *((name, ctypes.c_void_p) for name in ("in_names", "out_names", "origin", "in_min", "in_max")),
    )


class _Verification(ctypes.Structure):
    """sqlamarr_model_verification of plugins/sqlamarr_plugin.h."""

    _fields_ = (
        ("deviation", ctypes.c_double), ("tolerance", ctypes.c_double), ("rows", ctypes.c_int64),
        ("n_test", ctypes.c_int32), *((name, ctypes.c_void_p) for name in ("test_in", "test_random", "test_out")),
    )  # fmt: skip


class _Raw:
    """The structures of the plugin header, read from a library."""

    def __init__(self, library: Path) -> None:
        try:
            self.library = ctypes.CDLL(str(library))
        except OSError as error:
            raise ModelError(NO_LIBRARY.format(library)) from error

    def has(self, symbol: str) -> bool:
        """Whether the library exports it."""
        return hasattr(self.library, symbol)

    def verification(self, name: str) -> Any:
        """The record of a function, or None."""
        return self._structure(f"{name}_verification", _Verification)

    def ranges(self, name: str) -> NDArray[np.float32] | None:
        """(2, inputs): where the inputs begin and end."""
        info = self._structure(f"{name}_info", _Info)
        if info is None or not info.in_min or not info.in_max:
            return None
        return np.concatenate([matrix(address, 1, info.n_in) for address in (info.in_min, info.in_max)])

    def _structure(self, symbol: str, kind: type[ctypes.Structure]) -> Any:
        if not self.has(symbol):
            return None
        function = getattr(self.library, symbol)
        function.restype = ctypes.POINTER(kind)
        return function().contents


def matrix(address: int | None, rows: int, columns: int) -> NDArray[np.float32]:
    """A copy of rows x columns float32 numbers in memory."""
    data = ctypes.string_at(address, rows * columns * 4) if address else b""
    return np.frombuffer(data, np.float32).reshape(rows, columns)
