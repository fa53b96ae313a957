"""``library``: functions of shared libraries, verified before use."""

from __future__ import annotations

from typing import Any

import numpy as np

from sqlamarr.checking.wording import counted
from sqlamarr.errors import ModelError
from sqlamarr.models.base import Floats, Noise, Sizes, as_matrix
from sqlamarr.models.library_function import LibraryFunction, as_pointer
from sqlamarr.models.noise import RowNoise
from sqlamarr.native.library import check, ffi, lib
from sqlamarr.native.random import distinct_ids

TRIED = 8  # rows of the first call that are evaluated a second time
_UNTOUCHED = np.full(
    16, 8.5070587e37, np.float32
)  # placed after the results: no model has a reason to write this value


class CompiledModel(LibraryFunction[Sizes]):
    """One function of a shared library that takes rows; see :class:`~sqlamarr.models.base.Model`."""

    KIND, OUTPUTS = "sqlamarr_model", 1

    @property
    def declared(self) -> Sizes | None:
        """The sizes that the library itself declares, if any."""
        sizes = [ffi.new("int *") for _ in range(3)]
        if lib.sqlamarr_model_sizes(self._handle, *sizes):
            return None
        return Sizes(*(size[0] for size in sizes))

    def verify(self, sizes: Sizes) -> None:
        """Verify that the function has these sizes: from its declaration, or else by a trial call.

        :raises ModelError: the sizes differ. This is safe: trial calls are made in a child process
        """
        self._verify(sizes)

    def _probe(self, sizes: Sizes, *_: Any) -> None:
        numbers = [sizes.inputs, sizes.outputs, sizes.noise]
        written, beyond_in, beyond_noise = self._trial_call([self.function, *numbers], sizes)
        if written != sizes.outputs:
            raise ModelError(
                f"{self}: writes {counted(written, 'value')} per row, but the pipeline declares "
                f"{counted(sizes.outputs, 'output')}."
            )
        beyond = {"input": (beyond_in, sizes.inputs), "random number": (beyond_noise, sizes.noise)}
        for what, (reads, count) in beyond.items():
            if reads:
                raise ModelError(f"{self}: reads more than the {counted(count, what)} that the pipeline declares.")

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
        if isinstance(noise, RowNoise):  # drawn during the call, and only the numbers that the model reads
            ids = ffi.from_buffer("int64_t[]", distinct_ids(noise.ids))
            check(lib.sqlamarr_model_draw(self._handle, batched, *sizes, given, noise.rng.key, 0, ids, answers))
        else:
            normals = as_pointer(np.ascontiguousarray(noise))
            check(lib.sqlamarr_model_call(self._handle, batched, *sizes, given, normals, answers))
        if not np.array_equal(out[n:], _UNTOUCHED):
            raise ModelError(f"{self}: writes more than the {counted(outputs, 'output')} per row that it declares.")
        return out[:n].reshape(len(inputs), outputs)

    def _try_again(self, inputs: Floats, noise: Floats, answers: Floats) -> None:
        """Evaluate some rows again, one by one, forwards and backwards; real rows are certain to be valid inputs.

        :raises ModelError: a result differs
        """
        self._tried = True
        for step in (1, -1):
            again = self._call(inputs[::step], noise[::step], answers.shape[1], batched=False)
            if not np.array_equal(again, answers[::step], equal_nan=True):
                raise ModelError(
                    f"{self}: returns a different result for a row when it is called again on that row alone. A result "
                    f"must depend only on its row, bit for bit: '{self.function}' must keep nothing between two calls, "
                    f"must agree with '{self.function}_batch' if there is one, and must read no random numbers other "
                    f"than those that '{self.function}_random_read' names, if it exists."
                )

    def probe_here(self, sizes: Sizes) -> tuple[int, bool, bool]:
        """Call the function once on guarded memory, in this process, which may crash.

        :returns: number of values written, whether it reads beyond its inputs, and beyond its random numbers
        """
        results = [ffi.new("int *") for _ in range(3)]
        check(lib.sqlamarr_model_probe(self._handle, sizes.inputs, sizes.outputs, sizes.noise, *results))
        return results[0][0], bool(results[1][0]), bool(results[2][0])
