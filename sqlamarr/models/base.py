"""The interface between a plugin step and a model of any kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sqlamarr.checking.wording import counted
from sqlamarr.errors import ModelError
from sqlamarr.models.noise import RowNoise

Floats = NDArray[np.float32]
Noise = Floats | RowNoise | None
"""Standard normal deviates, float32 (rows, noise), or the object that draws them; None if there are none."""


@dataclass(frozen=True)
class Sizes:
    """Numbers of float32 values that a model reads and writes per row."""

    inputs: int
    outputs: int
    noise: int

    def __str__(self) -> str:
        given = f"{counted(self.inputs, 'input')}, {counted(self.outputs, 'output')}"
        return f"{given} and {counted(self.noise, 'random number')}"


def as_matrix(noise: Noise, rows: int) -> Floats:
    """Return random numbers as float32 (rows, noise)."""
    if noise is None:
        return np.empty((rows, 0), dtype=np.float32)
    return noise.matrix() if isinstance(noise, RowNoise) else noise


class SelfDescribed(Protocol):
    """The self-description of a model of rows or of whole events; ``str()`` names it in messages."""

    @property
    def input_names(self) -> list[str] | None:
        """Names of the inputs of a row in their order, if the model has them."""

    @property
    def output_names(self) -> list[str] | None:
        """Names of the outputs in their order, if the model has them."""

    @property
    def origin(self) -> str | None:
        """The origin of the model, as the model itself describes it."""

    def outside(self, inputs: Floats) -> NDArray[np.int64]:
        """Count the rows outside the range that the model is meant for, per input; 0 if it has no range."""


class Model(SelfDescribed, Protocol):
    """A function from rows of inputs (and random numbers) to rows of outputs.

    Row i of the result depends only on row i of the inputs, bit for bit, whatever the number and content of
    the other rows.
    """

    def verify(self, sizes: Sizes) -> None:
        """Verify before the first event that the model has these sizes.

        :raises ModelError: the sizes differ
        """

    def __call__(self, inputs: Floats, noise: Noise, outputs: int, *, batched: bool = True) -> Floats:
        """Evaluate rows.

        :param inputs: float32 (n, inputs)
        :param noise: standard normal deviates of n rows
        :param outputs: number of outputs, as verified
        :param batched: whether to evaluate all rows in one go if the model can
        :returns: float32 (n, outputs)
        """


@dataclass(frozen=True)
class ModelDescription:
    """A model's description of itself; every part may be missing.

    :ivar ranges: the smallest and the largest value of each input, float32 (2, inputs)
    """

    input_names: list[str] | None = None
    output_names: list[str] | None = None
    origin: str | None = None
    ranges: Floats | None = None

    def outside(self, inputs: Floats) -> NDArray[np.int64]:
        """Count the rows of float32 (n, inputs) outside the range, per input."""
        if self.ranges is None:
            return np.zeros(inputs.shape[1], dtype=np.int64)
        low, high = self.ranges
        counts: NDArray[np.int64] = np.count_nonzero((inputs < low) | (inputs > high), axis=0).astype(np.int64)
        return counts


class Described:
    """A model with a description of itself.

    :param label: the model as messages name it
    :param description: the model's own description
    """

    def __init__(self, label: str, description: ModelDescription) -> None:
        self._label, self._description = label, description

    def __str__(self) -> str:
        return self._label

    @property
    def input_names(self) -> list[str] | None:
        """Names of the inputs of a row in their order, if the model has them."""
        return self._description.input_names

    @property
    def output_names(self) -> list[str] | None:
        """Names of the outputs in their order, if the model has them."""
        return self._description.output_names

    @property
    def origin(self) -> str | None:
        """The origin of the model, as the model itself describes it."""
        return self._description.origin

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Add the model's name to a ModelError raised within the block, whose message begins with a verb."""
        try:
            yield
        except ModelError as error:
            raise ModelError(f"{self}: {error}") from error.__cause__

    def outside(self, inputs: Floats) -> NDArray[np.int64]:
        """Count the rows outside the range that the model is meant for, per input; 0 if it has no range."""
        return self._description.outside(inputs)
