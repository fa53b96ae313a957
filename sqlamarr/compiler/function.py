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
class Source:
    """What a front end makes of a trained model.

    :param graph: the model as operations
    :param reference: the original: (rows, inputs), (rows, noise) -> (rows, outputs), all float64; it is given
        numbers that float32 holds exactly
    :param low: (inputs,) where the inputs that it was trained on begin; NaN where unknown
    :param high: (inputs,) where they end; NaN where unknown
    :param origin: one line that says where the model came from
    """

    graph: Graph
    reference: Reference
    low: Doubles
    high: Doubles
    origin: str
