"""The intermediate representation: what a trained model computes, as a list of operations on a batch of rows.

A :class:`Graph` is a list of :class:`Value`. A value is a matrix of *rows* x *width* numbers of one type; there
is one row per row of the batch, and no operation looks across rows. Front ends build graphs with the methods
below, :mod:`sqlamarr.compiler.evaluate` computes them with numpy (the reference), and
:mod:`sqlamarr.compiler.emit` writes them as C.

Rules that hold for every operation:

* Widths broadcast in one way only: two operands have the same width, or one of them has width 1. Use
  :meth:`Graph.select`, which may repeat columns, for anything else.
* Both operands have the same type; :meth:`Graph.cast` changes it. Conditions are numbers: 1 is true, 0 is false.
* An operation on constants alone is evaluated immediately and returns a constant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sqlamarr.compiler.operations import apply
from sqlamarr.compiler.trees import TreeEnsemble
from sqlamarr.errors import CompilerError

FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)

UNARY = (
    "neg", "abs", "sign", "reciprocal", "square", "sqrt", "cbrt", "exp", "expm1", "log", "log1p", "log2", "log10",
    "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "arcsinh", "erf", "sigmoid", "softplus", "relu", "floor",
    "ceil", "rint", "isnan", "not", "normal_cdf", "normal_quantile",
)  # fmt: skip
UNARY_WITH_PARAMETER = ("leaky_relu", "elu")
BINARY = (
    "add", "sub", "mul", "div", "min", "max", "pow", "lt", "le", "gt", "ge", "eq", "ne", "and", "or", "xor",
)  # fmt: skip
REDUCTIONS = ("sum", "mean", "max", "min", "prod", "argmax")


@dataclass(frozen=True, eq=False)
class Value:
    """One operation and its result: rows x width numbers.

    ``op`` is ``input``, ``noise``, ``constant``, ``cast``, ``where``, ``select``, ``concat``, ``dense``,
    ``interpolate``, ``trees``, ``reduce_`` and a name of :data:`REDUCTIONS`, or a name of :data:`UNARY`,
    :data:`UNARY_WITH_PARAMETER` or :data:`BINARY`. ``parameters`` are the numbers that belong to it.
    """

    index: int
    op: str
    args: tuple[Value, ...]
    width: int
    dtype: np.dtype[Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_constant(self) -> bool:
        """Whether the value is the same in every row and already known."""
        return self.op == "constant"

    @property
    def array(self) -> NDArray[Any]:
        """The numbers of a constant, of shape (width,)."""
        values: NDArray[Any] = self.parameters["values"]
        return values


class Graph:
    """A function of one row: ``inputs`` numbers and ``noise`` normal random numbers in, an output row out.

    Every operation raises CompilerError if the widths or types of its operands do not match.

    :param inputs: names of the inputs, in their order; they are float32
    :param noise: number of standard normal numbers per row; they are float32
    """

    def __init__(self, inputs: Sequence[str], noise: int = 0) -> None:
        self.input_names = tuple(inputs)
        self.values: list[Value] = []
        self.input = self.add("input", (), len(self.input_names), FLOAT32)
        self.noise = self.add("noise", (), noise, FLOAT32) if noise else None
        self.output = self.input
        self.output_names: tuple[str, ...] = self.input_names

    def set_output(self, value: Value, names: Sequence[str] | None = None) -> None:
        """Set the result, and the names of its columns (default: y0, y1, ...)."""
        names = tuple(names) if names is not None else tuple(f"y{i}" for i in range(value.width))
        if len(names) != value.width:
            raise CompilerError(f"{len(names)} names given for {value.width} outputs: {', '.join(names)}.")
        self.output, self.output_names = value, names

    # ---- operations -------------------------------------------------------------------------------

    def constant(self, values: ArrayLike, dtype: np.dtype[Any]) -> Value:
        """The same numbers in every row; ``values`` is a scalar or of shape (width,)."""
        array = np.atleast_1d(np.asarray(values, dtype=dtype)).ravel()
        return self.add("constant", (), len(array), dtype, values=array)

    def cast(self, x: Value, dtype: np.dtype[Any]) -> Value:
        """The same numbers, rounded to another type."""
        return x if x.dtype == dtype else self._apply("cast", (x,), x.width, dtype)

    def unary(self, op: str, x: Value) -> Value:
        """A function of :data:`UNARY` of every element."""
        return self._apply(_known(op, UNARY), (x,), x.width, x.dtype)

    def leaky_relu(self, x: Value, slope: float) -> Value:
        """x where x >= 0, else slope * x."""
        return self._apply("leaky_relu", (x,), x.width, x.dtype, alpha=float(slope))

    def elu(self, x: Value, alpha: float = 1.0) -> Value:
        """x where x >= 0, else alpha * (exp(x) - 1)."""
        return self._apply("elu", (x,), x.width, x.dtype, alpha=float(alpha))

    def binary(self, op: str, a: Value, b: Value | ArrayLike) -> Value:
        """An operation of :data:`BINARY`, element by element; ``b`` may be plain numbers.

        ``min`` and ``max`` give NaN if either operand is NaN. ``pow`` of a negative base is a number for integer
        exponents, else NaN.
        """
        b = self._operand(b, a)
        _same_type(op, a, b)
        return self._apply(_known(op, BINARY), (a, b), _common_width(op, a, b), a.dtype)

    def where(self, condition: Value, a: Value, b: Value) -> Value:
        """``a`` where the condition is not 0, else ``b``."""
        _same_type("where", a, b)
        width = max(condition.width, _common_width("where", a, b))
        if condition.width not in (1, width) or a.width not in (1, width) or b.width not in (1, width):
            raise CompilerError(f"where: widths {condition.width}, {a.width} and {b.width} do not match.")
        return self._apply("where", (self.cast(condition, a.dtype), a, b), width, a.dtype)

    def select(self, x: Value, columns: Sequence[int] | NDArray[Any]) -> Value:
        """Columns of ``x`` in a new order, with or without repetition; negative ones count from the end."""
        index = [int(c) for c in columns]
        if wrong := [c for c in index if not -x.width <= c < x.width]:
            raise CompilerError(f"select: there is no column {wrong[0]} among {x.width}.")
        index = [c % x.width for c in index]
        if index == list(range(x.width)):
            return x
        return self._apply("select", (x,), len(index), x.dtype, columns=tuple(index))

    def concat(self, values: Sequence[Value]) -> Value:
        """The columns of all values side by side."""
        if len(values) == 1:
            return values[0]
        for value in values[1:]:
            _same_type("concat", values[0], value)
        return self._apply("concat", tuple(values), sum(v.width for v in values), values[0].dtype)

    def dense(self, x: Value, weights: ArrayLike, bias: ArrayLike | None = None) -> Value:
        """``x @ weights + bias``: weights of shape (width of x, new width), bias (new width,).

        Sums begin with the bias and add the columns in ascending order, each by one fused multiply-add.
        """
        matrix = np.asarray(weights, dtype=x.dtype)
        if matrix.ndim != 2 or matrix.shape[0] != x.width:
            raise CompilerError(f"dense: a matrix of shape {matrix.shape} does not match {x.width} columns.")
        vector = np.zeros(matrix.shape[1], x.dtype) if bias is None else np.asarray(bias, x.dtype).ravel()
        if len(vector) != matrix.shape[1]:
            raise CompilerError(f"dense: {len(vector)} biases for {matrix.shape[1]} outputs.")
        return self._apply("dense", (x,), matrix.shape[1], x.dtype, weights=matrix, bias=vector)

    def interpolate(self, x: Value, positions: Sequence[ArrayLike], values: Sequence[ArrayLike]) -> Value:
        """Piecewise linear tables, one per column, with the meaning of :func:`numpy.interp`.

        :param positions: per column, ascending positions; equal ones make a step
        :param values: per column, the values at the positions; constant beyond the ends
        """
        tables = [(np.asarray(p, x.dtype).ravel(), np.asarray(v, x.dtype).ravel()) for p, v in zip(positions, values)]
        if len(tables) != x.width or len(positions) != len(values):
            raise CompilerError(f"interpolate: {len(tables)} tables for {x.width} columns.")
        for column, (p, v) in enumerate(tables):
            if len(p) != len(v) or not len(p) or np.any(np.diff(p) < 0):
                raise CompilerError(f"interpolate: the positions of column {column} must ascend, one per value.")
        return self._apply("interpolate", (x,), x.width, x.dtype, tables=tuple(tables))

    def reduce(self, op: str, x: Value, length: int | None = None) -> Value:
        """One number per group of ``length`` consecutive columns (default: all), in ascending order."""
        length = x.width if length is None else length
        if length < 1 or x.width % length:
            raise CompilerError(f"reduce: {x.width} columns cannot be divided into groups of {length}.")
        return self._apply(f"reduce_{_known(op, REDUCTIONS)}", (x,), x.width // length, x.dtype, length=length)

    def trees(self, x: Value, ensemble: TreeEnsemble) -> Value:
        """The sum over decision trees, in their order; the result is float64."""
        ensemble.check(x.width, x.dtype)
        return self._apply("trees", (x,), ensemble.outputs, FLOAT64, ensemble=ensemble)

    # ---- composites: several of the above ------------------------------------------------------------

    def clip(self, x: Value, low: ArrayLike, high: ArrayLike) -> Value:
        """Not below ``low``, not above ``high``; NaN stays."""
        return self.binary("min", self.binary("max", x, low), high)

    def affine(self, x: Value, scale: ArrayLike, shift: ArrayLike) -> Value:
        """``x * scale + shift``, column by column, rounded twice."""
        return self.binary("add", self.binary("mul", x, scale), shift)

    def softmax(self, x: Value, length: int | None = None) -> Value:
        """exp(x) / sum exp(x) within groups of ``length`` consecutive columns (default: all)."""
        length = x.width if length is None else length
        spread = np.repeat(np.arange(x.width // length), length)
        shifted = self.binary("sub", x, self.select(self.reduce("max", x, length), spread))
        powers = self.unary("exp", shifted)
        return self.binary("div", powers, self.select(self.reduce("sum", powers, length), spread))

    def normalize(self, x: Value, epsilon: float, length: int | None = None) -> Value:
        """(x - mean) / sqrt(variance + epsilon) within groups of columns: layer normalization without its scale."""
        length = x.width if length is None else length
        spread = np.repeat(np.arange(x.width // length), length)
        centred = self.binary("sub", x, self.select(self.reduce("mean", x, length), spread))
        variance = self.reduce("mean", self.unary("square", centred), length)
        sigma = self.unary("sqrt", self.binary("add", variance, epsilon))
        return self.binary("div", centred, self.select(sigma, spread))

    def inline(self, other: Graph, inputs: Value, noise: Value | None = None) -> Value:
        """The result of another graph on values of this one.

        :param inputs: as many columns as the other graph has inputs; not rounded to float32 where the other graph
            casts them to another type immediately
        :param noise: as many columns as the other graph needs random numbers
        """
        if inputs.width != len(other.input_names):
            raise CompilerError(f"A model with {len(other.input_names)} inputs was given {inputs.width} columns.")
        wanted, given = other.noise.width if other.noise else 0, noise.width if noise else 0
        if wanted != given:
            raise CompilerError(f"A model that needs {wanted} random numbers was given {given}.")
        done: dict[int, Value] = {}
        for value in other.values:
            if value.op in ("input", "noise"):
                given_value = inputs if value.op == "input" else noise
                assert given_value is not None
                done[value.index] = self.cast(given_value, value.dtype)
            elif value.op == "cast" and value.args[0] is other.input:
                done[value.index] = self.cast(inputs, value.dtype)
            else:
                args = tuple(done[arg.index] for arg in value.args)
                done[value.index] = self._apply(value.op, args, value.width, value.dtype, **value.parameters)
        return done[other.output.index]

    # ---- inside ------------------------------------------------------------------------------------------

    def _operand(self, value: Value | ArrayLike, like: Value) -> Value:
        return value if isinstance(value, Value) else self.constant(value, like.dtype)

    def add(self, op: str, args: tuple[Value, ...], width: int, dtype: np.dtype[Any], **parameters: Any) -> Value:
        """Add a value as it is, unchecked, for code that copies graphs."""
        value = Value(len(self.values), op, args, width, np.dtype(dtype), parameters)
        self.values.append(value)
        return value

    def _apply(self, op: str, args: tuple[Value, ...], width: int, dtype: np.dtype[Any], **parameters: Any) -> Value:
        value = Value(len(self.values), op, args, width, np.dtype(dtype), parameters)
        if args and all(arg.is_constant for arg in args):
            row = apply(op, parameters, width, value.dtype, [arg.array[None, :] for arg in args])
            return self.constant(np.broadcast_to(row, (1, width))[0], np.dtype(dtype))
        self.values.append(value)
        return value


def _known(op: str, names: tuple[str, ...]) -> str:
    if op not in names:
        raise CompilerError(f"There is no operation {op!r}; there are: {', '.join(names)}.")
    return op


def _same_type(op: str, a: Value, b: Value) -> None:
    if a.dtype != b.dtype:
        raise CompilerError(f"{op}: operands of type {a.dtype} and {b.dtype}; cast one of them.")


def _common_width(op: str, a: Value, b: Value) -> int:
    if a.width != b.width and 1 not in (a.width, b.width):
        raise CompilerError(f"{op}: widths {a.width} and {b.width} do not match.")
    return max(a.width, b.width)
