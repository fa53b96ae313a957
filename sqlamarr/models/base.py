"""What a plugin step asks of a model, of whatever kind it is."""

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
"""Standard normal deviates, float32 (rows, noise), or where to draw them; None: there are none."""


@dataclass(frozen=True)
class Sizes:
    """How many float32 values a model reads and writes per row."""

    inputs: int
    outputs: int
    noise: int

    def __str__(self) -> str:
        given = f"{counted(self.inputs, 'input')}, {counted(self.outputs, 'output')}"
        return f"{given} and {counted(self.noise, 'random number')}"


def as_matrix(noise: Noise, rows: int) -> Floats:
    """Random numbers as float32 (rows, noise)."""
    if noise is None:
        return np.empty((rows, 0), dtype=np.float32)
    return noise.matrix() if isinstance(noise, RowNoise) else noise


class SelfDescribed(Protocol):
    """What every model says of itself, whether it takes rows or whole events; ``str()`` names it in messages."""

    @property
    def input_names(self) -> list[str] | None:
        """Names of the inputs of a row in their order, if the model has them."""

    @property
    def output_names(self) -> list[str] | None:
        """Names of the outputs in their order, if the model has them."""

    @property
    def origin(self) -> str | None:
        """Where the model came from, in its own words."""

    def outside(self, inputs: Floats) -> NDArray[np.int64]:
        """Per input, how many rows lie outside the range that the model is meant for; 0 if it has none."""


class Model(SelfDescribed, Protocol):
    """A function from rows of inputs (and random numbers) to rows of outputs.

    Row i of the result depends on row i of the inputs alone, bit for bit, whatever the other rows are
    and however many.
    """

    def verify(self, sizes: Sizes) -> None:
        """Make sure that the model has these sizes, before any event.

        :raises ModelError: it has others
        """

    def __call__(self, inputs: Floats, noise: Noise, outputs: int, *, batched: bool = True) -> Floats:
        """Evaluate rows.

        :param inputs: float32 (n, inputs)
        :param noise: standard normal deviates of n rows
        :param outputs: number of outputs, as verified before
        :param batched: all rows in one go if the model can
        :returns: float32 (n, outputs)
        """


@dataclass(frozen=True)
class ModelDescription:
    """What a model says of itself; every part may be missing.

    :ivar ranges: the least and the greatest value per input, float32 (2, inputs)
    """

    input_names: list[str] | None = None
    output_names: list[str] | None = None
    origin: str | None = None
    ranges: Floats | None = None

    def outside(self, inputs: Floats) -> NDArray[np.int64]:
        """Per input, how many rows of float32 (n, inputs) lie outside the range."""
        if self.ranges is None:
            return np.zeros(inputs.shape[1], dtype=np.int64)
        low, high = self.ranges
        counts: NDArray[np.int64] = np.count_nonzero((inputs < low) | (inputs > high), axis=0).astype(np.int64)
        return counts


class Described:
    """A model that carries its description with it.

    :param label: what messages call it
    :param description: what it says of itself
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
        """Where the model came from, in its own words."""
        return self._description.origin

    @contextmanager
    def _named(self) -> Iterator[None]:
        """A ModelError of what is within, which begins with a verb, tells of which model."""
        try:
            yield
        except ModelError as error:
            raise ModelError(f"{self}: {error}") from error.__cause__

    def outside(self, inputs: Floats) -> NDArray[np.int64]:
        """Per input, how many rows lie outside the range that the model is meant for; 0 if it has none."""
        return self._description.outside(inputs)
