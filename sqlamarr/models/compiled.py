"""``library``: functions of shared libraries, checked before they are trusted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sqlamarr.checking.wording import counted
from sqlamarr.errors import ModelError
from sqlamarr.models.base import Floats, Noise, Sizes, as_matrix
from sqlamarr.models.noise import RowNoise
from sqlamarr.native.library import check, ffi, lib, native_folder, text
from sqlamarr.native.random import distinct_ids

TRIED = 8  # rows of the first call that are evaluated again
_UNTOUCHED = np.full(16, 8.5070587e37, np.float32)  # behind the answers: no model has a reason to write this
ANSWER = "sqlamarr-probe:"  # begins the line with which a trial call in a child process answers


class CompiledModel:
    """One function of a shared library.

    :param path: the library
    :param function: name of the function
    :raises ModelError: the library cannot be loaded, or has no such function
    """

    def __init__(self, path: Path, function: str) -> None:
        self.path, self.function = path, function
        out = ffi.new("sqlamarr_model **")
        check(lib.sqlamarr_model_open(os.fsencode(path), function.encode(), out))
        self._handle = ffi.gc(out[0], lib.sqlamarr_model_free)
        self._tried = False

    def __str__(self) -> str:
        return f"function '{self.function}' of {self.path.name}"

    @property
    def declared(self) -> Sizes | None:
        """The sizes that the library itself declares, if it does."""
        sizes = [ffi.new("int *") for _ in range(3)]
        if lib.sqlamarr_model_sizes(self._handle, *sizes):
            return None
        return Sizes(*(size[0] for size in sizes))

    @property
    def input_names(self) -> list[str] | None:
        """Names of the inputs in their order, if the library has them."""
        sizes = self.declared
        return self._names(0, sizes.inputs) if sizes else None

    @property
    def output_names(self) -> list[str] | None:
        """Names of the outputs in their order, if the library has them."""
        sizes = self.declared
        return self._names(1, sizes.outputs) if sizes else None

    @property
    def origin(self) -> str | None:
        """Where the model came from, in its own words."""
        return text(lib.sqlamarr_model_origin(self._handle))

    def _names(self, output: int, count: int) -> list[str] | None:
        names = [text(lib.sqlamarr_model_name(self._handle, output, i)) for i in range(count)]
        return None if any(name is None for name in names) else [str(name) for name in names]

    def verify(self, sizes: Sizes) -> None:
        """Make sure that the function has these sizes: as it declares, or else by probing it.

        :raises ModelError: it has not; nothing was harmed, a wrong function is called only in a child process
        """
        declared = self.declared
        if declared is None:
            _probe(self, sizes)
        elif declared != sizes:
            raise ModelError(f"{self}: the pipeline expects {sizes}, the library declares {declared}.")

    def __call__(self, inputs: Floats, noise: Noise, outputs: int, *, batched: bool = True) -> Floats:
        """Evaluate rows; see :class:`~sqlamarr.models.base.Model`."""
        inputs = np.ascontiguousarray(inputs, dtype=np.float32)
        n, n_in = inputs.shape
        if not isinstance(noise, RowNoise) or noise.streams is not None or not noise.draws:
            noise = np.ascontiguousarray(as_matrix(noise, n), dtype=np.float32)
        if len(noise) != n:
            raise ModelError(f"{self}: {counted(n, 'row')} of inputs, but {len(noise)} of random numbers.")
        sizes = Sizes(n_in, outputs, noise.shape[1])
        declared = self.declared
        if declared and declared != sizes:
            raise ModelError(f"{self}: called with {sizes}, expected {declared}.")
        out = self._call(inputs, noise, outputs, batched)
        if n and not self._tried:
            rows = np.unique(np.linspace(0, n - 1, TRIED).astype(np.int64))
            self._try_again(inputs[rows], as_matrix(noise[rows], len(rows)), out[rows])
        return out

    def _call(self, inputs: Floats, noise: Floats | RowNoise, outputs: int, batched: bool) -> Floats:
        inputs = np.ascontiguousarray(inputs)
        n = len(inputs) * outputs
        out = np.empty(n + len(_UNTOUCHED), dtype=np.float32)
        out[n:] = _UNTOUCHED
        sizes = (len(inputs), inputs.shape[1], outputs, noise.shape[1])
        given, answers = as_pointer(inputs), as_pointer(out)
        if isinstance(noise, RowNoise):  # drawn on the way, and only what the model reads
            ids = ffi.from_buffer("int64_t[]", distinct_ids(noise.ids))
            check(lib.sqlamarr_model_draw(self._handle, batched, *sizes, given, noise.rng.key, 0, ids, answers))
        else:
            normals = as_pointer(np.ascontiguousarray(noise))
            check(lib.sqlamarr_model_call(self._handle, batched, *sizes, given, normals, answers))
        if not np.array_equal(out[n:], _UNTOUCHED):
            raise ModelError(f"{self}: writes more than the {counted(outputs, 'output')} of a row that it declares.")
        return out[:n].reshape(len(inputs), outputs)

    def _try_again(self, inputs: Floats, noise: Floats, answers: Floats) -> None:
        """Some rows once more, row by row, forwards and backwards: only real rows are sure to be meant for it.

        :raises ModelError: an answer is another one
        """
        self._tried = True
        for step in (1, -1):
            again = self._call(inputs[::step], noise[::step], answers.shape[1], batched=False)
            if not np.array_equal(again, answers[::step], equal_nan=True):
                raise ModelError(
                    f"{self}: gives a row other answers when it is called again by itself. They must depend on this "
                    f"row alone, bit for bit: '{self.function}' keeps nothing between two calls, and agrees with "
                    f"'{self.function}_batch', if there is one; nor does it read other random numbers than "
                    f"'{self.function}_random_read' names, if there is that."
                )

    def outside(self, inputs: Floats) -> NDArray[np.int64]:
        """Per input, how many rows lie outside the range that the model declares."""
        counts = np.zeros(inputs.shape[1], dtype=np.int64)
        c_counts = ffi.from_buffer("int64_t[]", counts)
        inputs = np.ascontiguousarray(inputs, dtype=np.float32)
        check(lib.sqlamarr_model_outside(self._handle, *inputs.shape, as_pointer(inputs), c_counts))
        return counts

    def probe_here(self, sizes: Sizes) -> tuple[int, bool, bool]:
        """Call the function once on guarded memory, in this process: it may die of it.

        :returns: values written, whether it reads beyond its inputs, and beyond its random numbers
        """
        results = [ffi.new("int *") for _ in range(3)]
        check(lib.sqlamarr_model_probe(self._handle, sizes.inputs, sizes.outputs, sizes.noise, *results))
        return results[0][0], bool(results[1][0]), bool(results[2][0])


def as_pointer(array: NDArray[Any]) -> Any:
    """An array of float32 as C sees it."""
    return ffi.from_buffer("float[]", array)


def _probe(model: CompiledModel, sizes: Sizes) -> None:
    numbers = [sizes.inputs, sizes.outputs, sizes.noise]
    written, beyond_in, beyond_noise = trial_call(model, [model.function, *numbers], str(sizes))
    if written != sizes.outputs:
        raise ModelError(
            f"{model}: writes {counted(written, 'value')} per row, the pipeline declares "
            f"{counted(sizes.outputs, 'output')}."
        )
    if beyond_in:
        raise ModelError(f"{model}: reads more than the {counted(sizes.inputs, 'input')} that the pipeline declares.")
    if beyond_noise:
        raise ModelError(
            f"{model}: reads more than the {counted(sizes.noise, 'random number')} that the pipeline declares."
        )


class Loaded(Protocol):
    """A function of a library."""

    path: Path


def trial_call(model: Loaded, arguments: Sequence[str | int], sizes: str) -> list[int]:
    """Call a function that does not declare its sizes once, in a child process that may die of it.

    :param arguments: of ``python -m sqlamarr.models.probe LIBRARY``
    :param sizes: what the pipeline says of it, in words
    :returns: the numbers that the probe answers
    :raises ModelError: the call crashed, failed or did not end
    """
    command = [sys.executable, "-m", "sqlamarr.models.probe", str(model.path.absolute()), *map(str, arguments)]
    # From the folder that holds this package, whatever may be called sqlamarr in the current one.
    folder = native_folder().parent.parent
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=folder)
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{model}: the trial call did not end within a minute.") from error
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        raise ModelError(
            f"{model}: a trial call in a child process ended with {name}. "
            f"It does not work with {sizes}; correct inputs, outputs and noise in the pipeline."
        )
    if child.returncode:
        raise ModelError(f"{model}: the trial call failed: {child.stderr.strip()[-500:]}")
    (answer,) = (line for line in child.stdout.splitlines() if line.startswith(ANSWER))
    return [int(word) for word in answer.removeprefix(ANSWER).split()]
