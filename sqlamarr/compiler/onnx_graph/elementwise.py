"""Operators that work on each element, or on two of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sqlamarr.compiler.ir import Graph, Value
from sqlamarr.compiler.onnx_graph.tensors import Node, Operand, Tensor, operator

BOOL = np.dtype(bool)
UNARY = {
    "Abs": "abs", "Asinh": "arcsinh", "Atan": "arctan", "Ceil": "ceil", "Cos": "cos", "Cosh": "cosh", "Erf": "erf",
    "Exp": "exp", "Floor": "floor", "Log": "log", "Neg": "neg", "Reciprocal": "reciprocal", "Relu": "relu",
    "Round": "rint", "Sigmoid": "sigmoid", "Sign": "sign", "Sin": "sin", "Sinh": "sinh", "Softplus": "softplus",
    "Sqrt": "sqrt", "Tan": "tan", "Tanh": "tanh",
}  # fmt: skip
CONDITIONS = {"Equal": "eq", "Greater": "gt", "GreaterOrEqual": "ge", "Less": "lt", "LessOrEqual": "le"}
LOGICAL = {"And": "and", "Or": "or", "Xor": "xor"}


def _same(x: Tensor, value: Value) -> Tensor:
    return Tensor(value, x.shape, x.kind)


def _unary(name: str) -> Any:
    return lambda node, x: _same(x, node.graph.unary(name, x.value))


def _binary(name: str, kind: Any = None) -> Any:
    def translate(node: Node, a: Operand, b: Operand) -> Tensor:
        (left, right), shape = node.aligned(a, b)
        result = kind or (a.kind if isinstance(a, Tensor) else a.dtype)
        return node.tensor(node.graph.binary(name, left, right), shape, result)

    return translate


for _name, _op in UNARY.items():
    operator(_name)(_unary(_op))
for _name, _op in (CONDITIONS | LOGICAL).items():
    operator(_name)(_binary(_op, BOOL))
for _name in ("Add", "Sub", "Mul"):
    operator(_name)(_binary(_name.lower()))


@operator("Identity", "Dropout")
def identity(node: Node, x: Operand, *_: Operand) -> Any:
    """The same; dropout does nothing outside of training."""
    if node.outputs > 1:
        node.fail("the mask of a dropout is used")
    return x


@operator("Not", "IsNaN")
def condition(node: Node, x: Tensor) -> Tensor:
    """True or false of every element."""
    name = "isnan" if node.op == "IsNaN" else "not"
    return node.tensor(node.graph.unary(name, x.value), x.shape, BOOL)


@operator("Cast", "CastLike")
def cast(node: Node, x: Tensor, like: Operand | None = None) -> Tensor:
    """Another type; to integers towards zero, as C does it."""
    from onnx import helper

    if like is not None:
        kind = like.kind if isinstance(like, Tensor) else like.dtype
    else:
        kind = np.dtype(helper.tensor_dtype_to_np_dtype(node.get("to")))
    if kind.kind not in "fiub" or kind == np.float16:
        node.fail(f"casts to {kind}")
    if kind == BOOL and x.kind != BOOL:
        return node.tensor(node.graph.binary("ne", x.value, 0), x.shape, kind)
    value = truncated(node.graph, x.value) if kind.kind in "iu" and x.kind.kind == "f" else x.value
    return node.tensor(value, x.shape, kind)


def truncated(graph: Graph, x: Value) -> Value:
    """Rounded towards zero."""
    return graph.where(graph.binary("ge", x, 0), graph.unary("floor", x), graph.unary("ceil", x))


@operator("Div")
def div(node: Node, a: Operand, b: Operand) -> Tensor:
    """Division; of integers towards zero."""
    result: Tensor = _binary("div")(node, a, b)
    if result.kind.kind in "iu":
        return node.tensor(truncated(node.graph, result.value), result.shape, result.kind)
    return result


@operator("Pow")
def power(node: Node, a: Operand, b: Operand) -> Tensor:
    """A power, of the type of its base."""
    kind = a.kind if isinstance(a, Tensor) else a.dtype
    (base, exponent), shape = node.aligned(a, b)
    if exponent.is_constant and np.all(exponent.array == 2):
        return node.tensor(node.graph.unary("square", base), shape, kind)
    exponent = node.graph.cast(exponent, base.dtype)
    return node.tensor(node.graph.binary("pow", base, exponent), shape, kind)


@operator("Max", "Min", "Sum", "Mean")
def variadic(node: Node, *operands: Operand) -> Any:
    """One operation on any number of tensors."""
    name = {"Max": "max", "Min": "min", "Sum": "add", "Mean": "add"}[node.op]
    combine = _binary(name)
    total = operands[0]
    for operand in operands[1:]:
        total = combine(node, total, operand)
    if node.op != "Mean":
        return total
    tensor = node.row(total)
    return Tensor(node.graph.binary("mul", tensor.value, 1 / len(operands)), tensor.shape, tensor.kind)


@operator("Where")
def where(node: Node, chosen: Operand, a: Operand, b: Operand) -> Tensor:
    """One or the other."""
    (c, x, y), shape = node.aligned(chosen, a, b)
    return node.tensor(node.graph.where(c, x, y), shape, a.kind if isinstance(a, Tensor) else a.dtype)


@operator("Clip")
def clip(node: Node, x: Tensor, low: Operand | None = None, high: Operand | None = None) -> Tensor:
    """Not below, not above."""
    limits = [("max", node.get("min", low), "the lower limit"), ("min", node.get("max", high), "the upper limit")]
    value = x.value
    for op, limit, what in limits:
        if limit is not None:
            known = limit if isinstance(limit, float) else node.known(limit, what)
            value = node.graph.binary(op, value, known)
    return _same(x, value)


@operator("LeakyRelu")
def leaky_relu(node: Node, x: Tensor) -> Tensor:
    """x or alpha x."""
    return _same(x, node.graph.leaky_relu(x.value, node.get("alpha", 0.01)))


@operator("PRelu")
def prelu(node: Node, x: Tensor, slope: Operand) -> Tensor:
    """x or slope x, a slope for each column."""
    array = node.known(slope, "the slope")
    (value, slopes), shape = node.aligned(x, array)
    scaled = node.graph.binary("mul", value, slopes)
    return node.tensor(node.graph.where(node.graph.binary("ge", value, 0), value, scaled), shape, x.kind)


@operator("Elu", "Selu", "Celu")
def elu(node: Node, x: Tensor) -> Tensor:
    """x or alpha (exp(x) - 1), and its relatives."""
    graph = node.graph
    if node.op == "Selu":
        alpha, gamma = node.get("alpha", 1.67326319217681884765625), node.get("gamma", 1.05070102214813232421875)
        return _same(x, graph.binary("mul", graph.elu(x.value, alpha), gamma))
    alpha = node.get("alpha", 1.0)
    if node.op == "Elu":
        return _same(x, graph.elu(x.value, alpha))
    return _same(x, graph.binary("mul", graph.elu(graph.binary("mul", x.value, 1 / alpha)), alpha))


@operator("HardSigmoid")
def hard_sigmoid(node: Node, x: Tensor) -> Tensor:
    """A ramp from 0 to 1."""
    return _same(x, _ramp(node.graph, x.value, node.get("alpha", 0.2), node.get("beta", 0.5)))


@operator("HardSwish")
def hard_swish(node: Node, x: Tensor) -> Tensor:
    """x times a ramp."""
    return _same(x, node.graph.binary("mul", x.value, _ramp(node.graph, x.value, 1 / 6, 0.5)))


def _ramp(graph: Graph, x: Value, slope: float, offset: float) -> Value:
    return graph.clip(graph.affine(x, slope, offset), 0, 1)


@operator("Softsign")
def softsign(node: Node, x: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    denominator = node.graph.binary("add", node.graph.unary("abs", x.value), 1)
    return _same(x, node.graph.binary("div", x.value, denominator))


@operator("ThresholdedRelu")
def thresholded_relu(node: Node, x: Tensor) -> Tensor:
    """x above alpha, else 0."""
    graph = node.graph
    zero = graph.constant(0, x.value.dtype)
    return _same(x, graph.where(graph.binary("gt", x.value, node.get("alpha", 1.0)), x.value, zero))


@operator("Mish", "Swish")
def mish(node: Node, x: Tensor) -> Tensor:
    """x times a smooth step of it."""
    graph = node.graph
    if node.op == "Mish":
        return _same(x, graph.binary("mul", x.value, graph.unary("tanh", graph.unary("softplus", x.value))))
    step = graph.unary("sigmoid", graph.binary("mul", x.value, node.get("alpha", 1.0)))
    return _same(x, graph.binary("mul", x.value, step))


@operator("Gelu")
def gelu(node: Node, x: Tensor) -> Tensor:
    """x times the normal distribution function of it, exactly or by its approximation with tanh."""
    graph, v = node.graph, x.value
    if node.get("approximate", b"none") in (b"tanh", "tanh"):
        cubic = graph.affine(graph.unary("square", v), 0.044715 * math.sqrt(2 / math.pi), math.sqrt(2 / math.pi))
        step = graph.affine(graph.unary("tanh", graph.binary("mul", v, cubic)), 0.5, 0.5)
    else:
        step = graph.unary("normal_cdf", v)
    return _same(x, graph.binary("mul", v, step))
