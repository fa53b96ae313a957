"""A function of a library: its computation, and its description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.compiler.ir import Graph

Doubles = NDArray[np.float64]
Reference = Callable[[Doubles, Doubles], NDArray[Any]]


@dataclass(frozen=True)
class ModelSource:
    """A trained model as a front end reads it.

    :param graph: the model as operations
    :param reference: the original: (rows, inputs), (rows, noise) -> (rows, outputs), all float64; its arguments are
        exactly representable in float32
        :param low: (inputs,) lower ends of the training ranges; NaN where unknown
        :param high: (inputs,) upper ends; NaN where unknown
        :param origin: the origin of the model, in one line
        :param guess: (2, inputs) ranges for trial inputs whose training range is unknown; NaN means from -3 to 3
    """

    graph: Graph
    reference: Reference
    low: Doubles
    high: Doubles
    origin: str
    guess: Doubles | None = None

    def trial_range(self) -> tuple[Doubles, Doubles]:
        """Return the ranges of trial inputs: the training range, or else the guessed one."""
        guess = np.full((2, len(self.low)), np.nan) if self.guess is None else self.guess
        unknown = np.isnan(self.low) | np.isnan(self.high)
        fallback = np.where(np.isnan(guess).any(axis=0), [[-3.0], [3.0]], guess)
        return np.where(unknown, fallback[0], self.low), np.where(unknown, fallback[1], self.high)
