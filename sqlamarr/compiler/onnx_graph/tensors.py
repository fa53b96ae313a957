"""Tensors of an ONNX graph as columns of the intermediate representation.

The first axis of a value that depends on the inputs is the row. The other axes are laid out in the columns, last axis
fastest. Values that do not depend on the inputs are numpy arrays. Rearrangements act on an array of column numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from sqlamarr.compiler.ir import FLOAT32, FLOAT64, Graph, Value
from sqlamarr.errors import CompilerError

Array = NDArray[Any]

#: Stands for the number of rows in a computed shape; any arithmetic on it results in an impossible size.
BATCH = -(1 << 40) - 1


@dataclass(frozen=True)
class Tensor:
    """A value that depends on the row: a tensor of shape (rows, *shape).

    :ivar value: its columns
    :ivar shape: of one row
    :ivar kind: ONNX's type of the elements; integers and conditions are numbers in ``value``
    """

    value: Value
    shape: tuple[int, ...]
    kind: np.dtype[Any]

    @property
    def columns(self) -> Array:
        """The numbers of its columns, in its shape."""
        return np.arange(prod(self.shape)).reshape(self.shape)


Operand = Tensor | Array


@dataclass(frozen=True)
class Node:
    """A node of the graph while it is translated.

    :ivar op: the operator
    :ivar place: the node as messages name it
    :ivar graph: the graph that its operations are added to
    :ivar attributes: by name
    :ivar opset: version of its domain's operators
    :ivar outputs: number of results that are used
    :ivar rows: number of rows that the file was exported for, None for any
    :ivar real: the type in which numbers in single precision are computed: that, or double
    """

    op: str
    place: str
    graph: Graph
    attributes: dict[str, Any]
    opset: int
    outputs: int
    rows: int | None
    real: np.dtype[Any]

    def stored(self, kind: np.dtype[Any]) -> np.dtype[Any]:
        """The type of the intermediate representation that holds elements of ONNX's type ``kind``."""
        kind = np.dtype(kind)
        return self.real if kind == np.float32 else FLOAT32 if kind == np.bool_ else FLOAT64

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        return self.attributes.get(name, default)

    def fail(self, why: str) -> NoReturn:
        """Raise a CompilerError with the place, the reason and the alternative."""
        raise CompilerError(
            f"{self.place}: {why}. It cannot be compiled, but onnxruntime can evaluate it in a run: "
            "use 'onnx: FILE' in the pipeline's models."
        )

    def row(self, operand: Operand) -> Tensor:
        """An operand that must depend on the row."""
        return operand if isinstance(operand, Tensor) else self.fail("the operand is constant, expected features")

    def known(self, operand: Operand | None, what: str) -> Array:
        """An operand that must not depend on the row."""
        if not isinstance(operand, np.ndarray):
            self.fail(f"{what} must be constant")
        return operand

    def axis(self, axis: int, rank: int) -> int:
        """An axis of the row from one of the whole tensor of this rank (the row's axes and one)."""
        axis = axis + rank if axis < 0 else axis
        if axis == 0:
            self.fail("works along the first axis, that is, across rows")
        if not 0 < axis < rank:
            self.fail(f"uses axis {axis} of a tensor with {rank} axes")
        return axis - 1

    def tensor(self, value: Value, shape: Sequence[int], kind: np.dtype[Any]) -> Tensor:
        """A tensor of this kind; conditions are kept in single precision."""
        value = self.graph.cast(value, self.stored(kind))
        if value.width != prod(shape):  # one column stands for all
            value = self.graph.select(value, [0] * prod(shape))
        return Tensor(value, tuple(shape), np.dtype(kind))

    def rearranged(self, x: Tensor, columns: Array) -> Tensor:
        """The columns of ``x`` in another order and shape."""
        if not columns.size:
            self.fail(f"would make an empty tensor of shape {columns.shape}")
        return Tensor(self.graph.select(x.value, columns.ravel()), columns.shape, x.kind)

    def constant(self, array: Array) -> Tensor:
        """The same numbers in every row, as a tensor of (rows, *shape of array)."""
        return Tensor(self.graph.constant(array, self.stored(array.dtype)), array.shape, array.dtype)

    def aligned(self, *operands: Operand) -> tuple[list[Value], tuple[int, ...]]:
        """Broadcast operands against each other as ONNX does, and return them with the shape of a row of the result."""
        rank = max(len(o.shape) for o in operands if isinstance(o, Tensor))
        rows = [o if isinstance(o, Tensor) else self._as_row(o, rank) for o in operands]
        if len({len(o.shape) for o in operands if isinstance(o, Tensor)}) > 1:
            self.fail("has operands of different rank, so rows would be taken for columns")
        try:
            shape = np.broadcast_shapes(*(o.shape for o in rows))
        except ValueError:
            self.fail(f"the shapes {', '.join(str(o.shape) for o in rows)} of a row do not match")
        return [self._widened(o, shape) for o in rows], shape

    def _as_row(self, array: Array, rank: int) -> Tensor:
        if array.ndim > rank + 1 or (array.ndim == rank + 1 and array.shape[0] != 1):
            self.fail(f"a constant of shape {array.shape} has a number for each row")
        return self.constant(array[0] if array.ndim == rank + 1 else array)

    def _widened(self, x: Tensor, shape: tuple[int, ...]) -> Value:
        if x.shape == shape or x.value.width == 1:
            return x.value
        return self.graph.select(x.value, np.broadcast_to(x.columns, shape).ravel())


Operator = Callable[..., Any]
OPERATORS: dict[str, Operator] = {}


def operator(*names: str) -> Callable[[Operator], Operator]:
    """Decorator: the translation of these operators, called with the node and its operands."""

    def add(function: Operator) -> Operator:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return add
