"""A function of a library: what it computes, and what is known about it."""

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
    """What a front end makes of a trained model.

    :param graph: the model as operations
    :param reference: the original: (rows, inputs), (rows, noise) -> (rows, outputs), all float64; it is given
        numbers that float32 holds exactly
    :param low: (inputs,) where the inputs that it was trained on begin; NaN where unknown
    :param high: (inputs,) where they end; NaN where unknown
    :param origin: one line that says where the model came from
    :param guess: (2, inputs) where to try inputs whose range is unknown; NaN there means from -3 to 3
    """

    graph: Graph
    reference: Reference
    low: Doubles
    high: Doubles
    origin: str
    guess: Doubles | None = None

    def trial_range(self) -> tuple[Doubles, Doubles]:
        """Where to try the inputs: in their range, or else where they are guessed to be."""
        guess = np.full((2, len(self.low)), np.nan) if self.guess is None else self.guess
        unknown = np.isnan(self.low) | np.isnan(self.high)
        fallback = np.where(np.isnan(guess).any(axis=0), [[-3.0], [3.0]], guess)
        return np.where(unknown, fallback[0], self.low), np.where(unknown, fallback[1], self.high)
