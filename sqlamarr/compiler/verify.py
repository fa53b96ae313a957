"""Comparing a compiled function with the original, on random rows within the training range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.compiler.function import Doubles, ModelSource
from sqlamarr.compiler.ir import Graph
from sqlamarr.errors import CompilerError

ROWS = 4096
SELF_TEST_ROWS = 16
TOLERANCE = 1e-4
# A number that is rounded differently may fall on the other side of a cut in a tree or comparison.
ENOUGH = 0.1  # fraction of the rows that must have finite results
ALLOWED_JUMPS = 1e-3
JUMPING = ("trees", "lt", "le", "gt", "ge", "eq", "ne", "floor", "ceil", "rint", "sign", "reduce_argmax", "where")


@dataclass(frozen=True)
class TrialRows:
    """Rows to verify on: (rows, inputs), (rows, noise), and the original's (rows, outputs)."""

    inputs: NDArray[np.float32]
    noise: NDArray[np.float32]
    outputs: Doubles


@dataclass(frozen=True)
class Verification:
    """How well the compiled function agrees with the original.

    :param deviation: the largest difference beyond the last bit of float32, relative to the spread of that output
        over the rows
    :param tolerance: the largest deviation allowed
    :param rows: number of rows compared
    :param jumps: number of these that fell on the other side of a cut and are excluded from the deviation
    """

    deviation: float
    tolerance: float
    rows: int
    jumps: int

    def __str__(self) -> str:
        text = f"largest deviation {self.deviation:.1e} of the output's spread, on {self.rows:,} rows"
        return text + (f", of which {self.jumps} fell on the other side of a cut" if self.jumps else "")


def make_rows(name: str, source: ModelSource, n: int = ROWS, sample: NDArray[Any] | None = None) -> TrialRows:
    """Draw random rows within the training range, or from -3 to 3 where it is unknown.

    :param sample: (rows, inputs) real inputs to use instead
    :raises CompilerError: the original fails on them, or the sample has the wrong shape
    """
    rng = np.random.Generator(np.random.Philox(key=20))  # any fixed key: the same rows each time
    low, high = source.trial_range()
    noise_width = source.graph.noise.width if source.graph.noise else 0
    if sample is None:
        inputs = rng.uniform(low, high, (n, len(low))).astype(np.float32)
    else:
        inputs = np.asarray(sample, np.float32)
        if inputs.ndim != 2 or inputs.shape[1] != len(low) or not len(inputs):
            raise CompilerError(f"{name}: the sample has shape {inputs.shape}, expected (rows, {len(low)}).")
        inputs = inputs[rng.integers(0, len(inputs), n)] if len(inputs) > n else inputs
    noise = rng.standard_normal((len(inputs), noise_width)).astype(np.float32)
    return TrialRows(inputs, noise, _original(name, source, inputs, noise))


def _original(name: str, source: ModelSource, inputs: NDArray[Any], noise: NDArray[Any]) -> Doubles:
    try:
        outputs = np.asarray(source.reference(inputs.astype(np.float64), noise.astype(np.float64)), np.float64)
    except Exception as error:  # a user's model may raise anything
        raise CompilerError(f"{name}: the original fails on the rows used for verification: {error}") from error
    outputs = outputs.reshape(len(inputs), -1)
    if outputs.shape[1] != source.graph.output.width:
        raise CompilerError(
            f"{name}: the original has {outputs.shape[1]} outputs, but its translation has {source.graph.output.width}."
        )
    if np.isfinite(outputs).all(axis=1).mean() < ENOUGH:
        raise CompilerError(
            f"{name}: the original returns no finite numbers for most of the verification rows (inputs between "
            f"{inputs.min(axis=0)} and {inputs.max(axis=0)}). Give typical inputs: --sample {name}=FILE.npy."
        )
    return outputs


def compare(
    name: str, graph: Graph, rows: TrialRows, outputs: NDArray[Any], tolerance: float = TOLERANCE
) -> Verification:
    """Compare the results of the compiled function with the original.

    :raises CompilerError: the deviation exceeds the tolerance
    """
    relative = _relative(rows.outputs, np.asarray(outputs, np.float64))
    worst = relative.max(axis=1)
    jumps = 0
    if any(value.op in JUMPING for value in graph.values):
        jumps = int((worst > tolerance).sum())
        if jumps <= ALLOWED_JUMPS * len(worst):
            worst = worst[worst <= tolerance]
        else:
            jumps = 0
    deviation = float(worst.max(initial=0.0))
    if not deviation <= tolerance:
        row, column = np.unravel_index(int(np.argmax(relative)), relative.shape)
        raise CompilerError(
            f"{name}: the compiled function differs from the original: output {graph.output_names[column]!r} is "
            f"{outputs[row, column]:.9g}, expected {rows.outputs[row, column]:.9g} "
            f"({deviation:.2g} of its spread, the tolerance is {tolerance:g}) for the inputs "
            f"{', '.join(f'{x:.9g}' for x in rows.inputs[row][:20])}. If the model is right but steep there, "
            "compile in double precision (--double), give typical inputs (--sample) or allow more (--tolerance)."
        )
    return Verification(deviation, tolerance, len(outputs), jumps)


def _relative(expected: Doubles, found: Doubles) -> Doubles:
    """Return differences relative to the spread of each column, beyond the last bit of the float32 results.

    They are infinite where only one of the two is a number.
    """
    finite = np.where(np.isfinite(expected), expected, np.nan)
    with np.errstate(all="ignore"):
        seen = np.isfinite(expected).any(axis=0)
        low = np.min(finite, axis=0, initial=np.inf, where=np.isfinite(finite))
        high = np.max(finite, axis=0, initial=-np.inf, where=np.isfinite(finite))
        size = np.max(np.abs(finite), axis=0, initial=0.0, where=np.isfinite(finite))
        spread = np.where(seen & (high - low > 1e-6 * size), high - low, np.maximum(size, 1e-30))
        rounding = np.spacing(np.abs(expected).astype(np.float32)).astype(np.float64)
        difference = np.maximum(np.abs(found - expected) - rounding, 0.0) / spread
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    return np.where(same, 0.0, np.where(np.isfinite(difference), difference, np.inf))
