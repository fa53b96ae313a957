"""The reference: a graph computed with numpy, in the types of its values.

It defines the meaning of every operation. Compiled code agrees with it up to rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.compiler.ir import Graph
from sqlamarr.compiler.operations import apply

Array = NDArray[Any]


def evaluate(graph: Graph, inputs: Array, noise: Array | None = None) -> Array:
    """Evaluate all rows in one go.

    :param inputs: (rows, inputs), used as float32
    :param noise: (rows, noise), used as float32; ignored if the graph needs none
    :returns: (rows, outputs) in the type of the graph's output
    """
    rows = len(inputs)
    results: dict[int, Array] = {}
    with np.errstate(all="ignore"):
        for value in graph.values:
            if value.op == "input":
                results[value.index] = np.asarray(inputs, np.float32).reshape(rows, value.width)
            elif value.op == "noise":
                assert noise is not None
                results[value.index] = np.asarray(noise, np.float32).reshape(rows, value.width)
            else:
                results[value.index] = apply(
                    value.op, value.parameters, value.width, value.dtype, [results[arg.index] for arg in value.args]
                )
    return np.broadcast_to(results[graph.output.index], (rows, graph.output.width))
