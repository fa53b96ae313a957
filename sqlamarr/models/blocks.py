"""Models that take whole matrices, called so that neither the batch nor other rows can affect a row.

A matrix product may add in a different order for a different number of rows. Such models therefore get blocks
of a fixed number of rows, the last one padded. Before they are used, trial calls show whether the result of a
row depends on its place in the block or on the other rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from sqlamarr.checking.wording import counted
from sqlamarr.errors import ModelError
from sqlamarr.models.base import Described, Floats, ModelDescription, Noise, Sizes, as_matrix

#: Rows that are evaluated together. A power of two: vectorised loops over a block have no remainder.
ROWS = 256

Evaluate = Callable[[Floats, Floats], Floats]
"""A function from inputs (rows, inputs) and noise (rows, noise), float32, C-contiguous, to outputs (rows, outputs)."""


def evaluate(function: Evaluate, rows: int, inputs: Floats, noise: Noise, outputs: int) -> Floats:
    """Call ``function`` on blocks of exactly ``rows`` rows.

    :param inputs: (n, inputs)
    :param noise: random numbers of n rows
    :returns: float32 (n, outputs)
    """
    n = len(inputs)
    matrix = as_matrix(noise, n)
    result = np.empty((n, outputs), dtype=np.float32)
    for start in range(0, n, rows):
        stop = min(start + rows, n)
        answers = function(_block(inputs, start, stop, rows), _block(matrix, start, stop, rows))
        result[start:stop] = answers[: stop - start]
    return result


def _block(matrix: Floats, start: int, stop: int, rows: int) -> Floats:
    """Return rows start to stop, padded with copies of the first, which is a valid input of the model."""
    block = np.empty((rows, matrix.shape[1]), dtype=np.float32)
    block[: stop - start] = matrix[start:stop]
    block[stop - start :] = matrix[start]
    return block


def trial(function: Evaluate, sizes: Sizes, rows: int, ranges: Floats | None = None) -> int:
    """Return the number of rows to evaluate together: ``rows``, or 1 if the place in a block affects the last bits.

    :param ranges: the smallest and the largest value of each input (2, inputs), from which trial rows are taken
    :raises ModelError: the number of outputs is wrong, the same input gives different results, or a
    row's result depends on other rows. The message begins with a verb; the caller adds the subject.
    """
    rng = np.random.default_rng(20160)
    inputs, others = (_trial_inputs(rng, rows, sizes.inputs, ranges) for _ in range(2))
    noise, other_noise = (rng.normal(size=(rows, sizes.noise)).astype(np.float32) for _ in range(2))
    answers = function(inputs, noise)
    if answers.shape != (rows, sizes.outputs):
        raise ModelError(
            f"returns an array of shape {answers.shape} for {counted(rows, 'row')}, expected {(rows, sizes.outputs)}."
        )
    if not _same_bits(answers, function(inputs, noise)):
        raise ModelError("returns different results for the same rows. Take random numbers from the noise only.")
    if rows == 1:
        return 1
    order = rng.permutation(rows)
    moved = np.empty_like(answers)
    moved[order] = function(inputs[order], noise[order])
    kept = np.arange(rows) % 2 == 0
    mixed = function(np.where(kept[:, None], inputs, others), np.where(kept[:, None], noise, other_noise))
    pairs = [(answers, moved), (answers[kept], mixed[kept])]
    if all(_same_bits(one, other) for one, other in pairs):
        return rows
    scale = np.nanmax(np.abs(answers), axis=0, initial=0)
    if all(np.allclose(one, other, rtol=1e-4, atol=1e-4 * scale.max(), equal_nan=True) for one, other in pairs):
        return 1
    raise ModelError(
        "returns a different result for a row when other rows change (batch statistics, a softmax over the wrong "
        "axis?). A model must treat every row independently."
    )


def _trial_inputs(rng: np.random.Generator, rows: int, inputs: int, ranges: Floats | None) -> Floats:
    if ranges is None:
        return rng.normal(size=(rows, inputs)).astype(np.float32)
    low, high = ranges.astype(np.float64)
    result: Floats = (low + (high - low) * rng.random((rows, inputs))).astype(np.float32)
    return result


def _same_bits(one: Floats, other: Floats) -> bool:
    return one.shape == other.shape and bool(np.all(one.view(np.uint32) == other.view(np.uint32)))


class BlockModel(Described, ABC):
    """A model that is evaluated in blocks of rows; kinds of models define how a block is evaluated.

    :param label: the model as messages name it
    :param description: the model's own description
    :param rows: number of rows in a block
    """

    def __init__(self, label: str, description: ModelDescription, rows: int = ROWS) -> None:
        super().__init__(label, description)
        self._rows = rows
        self._verified: dict[Sizes, tuple[Evaluate, int]] = {}  # with the number of rows to evaluate together

    @abstractmethod
    def _function(self, sizes: Sizes) -> Evaluate:
        """Return the function that evaluates a block of these sizes.

        :raises ModelError: the model cannot have these sizes; the message begins with a verb
        """

    def verify(self, sizes: Sizes) -> None:
        """Verify on blocks of trial rows that the sizes match and that a row's result depends only on this row.

        :raises ModelError: they do not
        """
        with self._named():
            function = self._function(sizes)
            self._verified[sizes] = function, trial(function, sizes, self._rows, self._description.ranges)

    def __call__(self, inputs: Floats, noise: Noise, outputs: int, *, batched: bool = True) -> Floats:
        """Evaluate rows; see :class:`~sqlamarr.models.base.Model`."""
        noise = as_matrix(noise, len(inputs))
        sizes = Sizes(inputs.shape[1], outputs, noise.shape[1])
        if sizes not in self._verified:
            self.verify(sizes)
        function, rows = self._verified[sizes]
        if len(noise) != len(inputs):
            raise ModelError(f"{self}: {counted(len(inputs), 'row')} of inputs, but {len(noise)} of random numbers.")
        with self._named():
            return evaluate(function, rows, inputs, noise, outputs)
