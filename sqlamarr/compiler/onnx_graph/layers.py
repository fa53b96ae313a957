"""Matrix products, normalizations, and operators along an axis."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from sqlamarr.compiler.ir import Value
from sqlamarr.compiler.onnx_graph.tensors import Array, Node, Operand, Tensor, operator

REDUCTIONS = {
    "ReduceSum": "sum", "ReduceMean": "mean", "ReduceMax": "max", "ReduceMin": "min", "ReduceProd": "prod",
    "ReduceL1": "sum", "ReduceL2": "sum", "ReduceSumSquare": "sum", "ReduceLogSum": "sum",
}  # fmt: skip
BEFORE = {"ReduceL1": "abs", "ReduceL2": "square", "ReduceSumSquare": "square"}
AFTER = {"ReduceL2": "sqrt", "ReduceLogSum": "log"}


@operator("MatMul")
def matmul(node: Node, a: Operand, b: Operand) -> Tensor:
    """A matrix product in every row."""
    if not isinstance(b, Tensor):
        return _times_constant(node, node.row(a), b)
    if isinstance(a, Tensor):
        return _times_each_other(node, a, b)
    if len(b.shape) < 2:
        node.fail("multiplies rows with each other")
    swapped = node.rearranged(b, b.columns.swapaxes(-1, -2))
    product = _times_constant(node, swapped, np.swapaxes(np.atleast_2d(a), -1, -2))
    return node.rearranged(product, product.columns.swapaxes(-1, -2))


def _times_constant(node: Node, x: Tensor, matrix: Array) -> Tensor:
    weights = matrix.reshape(matrix.shape[-2:]) if matrix.ndim > 1 else matrix[:, None]
    if prod(matrix.shape) != weights.size or not x.shape or weights.shape[0] != x.shape[-1]:
        node.fail(f"a row of shape {x.shape} does not match a matrix of shape {matrix.shape}")
    groups = x.columns.reshape(-1, x.shape[-1])
    parts = [node.graph.dense(node.graph.select(x.value, group), weights) for group in groups]
    last = (weights.shape[1],) if matrix.ndim > 1 else ()
    return Tensor(node.graph.concat(parts), (*x.shape[:-1], *last), x.kind)


def _times_each_other(node: Node, a: Tensor, b: Tensor) -> Tensor:
    if len(a.shape) < 2 or len(b.shape) < 2 or a.shape[-1] != b.shape[-2]:
        node.fail(f"multiplies rows of shapes {a.shape} and {b.shape}, which do not match as matrices")
    left, right = a.columns[..., :, None, :], b.columns.swapaxes(-1, -2)[..., None, :, :]
    left, right = np.broadcast_arrays(left, right)
    graph = node.graph
    products = graph.binary("mul", graph.select(a.value, left.ravel()), graph.select(b.value, right.ravel()))
    return Tensor(graph.reduce("sum", products, a.shape[-1]), left.shape[:-1], a.kind)


@operator("Gemm")
def gemm(node: Node, a: Operand, b: Operand, c: Operand | None = None) -> Tensor:
    """alpha A B + beta C."""
    weights = node.known(b, "the matrix")
    x = node.row(a)
    if node.get("transA", 0) or len(x.shape) != 1:
        node.fail("multiplies rows with each other")
    weights = (weights.T if node.get("transB", 0) else weights) * weights.dtype.type(node.get("alpha", 1.0))
    beta = node.get("beta", 1.0)
    if c is None or isinstance(c, Tensor):
        product = Tensor(node.graph.dense(x.value, weights), (weights.shape[1],), x.kind)
        if c is None:
            return product
        (p, q), shape = node.aligned(product, c)
        return node.tensor(node.graph.binary("add", p, node.graph.binary("mul", q, beta)), shape, x.kind)
    if c.ndim == 2 and c.shape[0] != 1:
        node.fail(f"a constant of shape {c.shape} has a number for each row")
    bias = np.broadcast_to(c * c.dtype.type(beta), (1, weights.shape[1]))[0]
    return Tensor(node.graph.dense(x.value, weights, bias), (weights.shape[1],), x.kind)


@operator("BatchNormalization")
def batch_normalization(node: Node, x: Tensor, *numbers: Operand) -> Tensor:
    """The mean and the variance of the training, one per channel."""
    if node.get("training_mode", 0) or node.outputs > 1:
        node.fail("uses the mean of the batch; export the network in evaluation mode")
    names = ("the scale", "the bias", "the mean", "the variance")
    scale, bias, mean, variance = (node.known(n, name).astype(np.float64) for n, name in zip(numbers, names))
    factor = scale / np.sqrt(variance + node.get("epsilon", 1e-5))
    each = prod(x.shape[1:])
    affine = node.graph.affine(x.value, np.repeat(factor, each), np.repeat(bias - mean * factor, each))
    return Tensor(affine, x.shape, x.kind)


@operator("LayerNormalization")
def layer_normalization(node: Node, x: Tensor, scale: Operand, bias: Operand | None = None) -> Tensor:
    """Mean 0 and variance 1 along the last axes of a row."""
    if node.outputs > 1:
        node.fail("its mean or deviation is used")
    axis = node.axis(node.get("axis", -1), len(x.shape) + 1)
    normal = node.graph.normalize(x.value, node.get("epsilon", 1e-5), prod(x.shape[axis:]))
    result = Tensor(normal, x.shape, x.kind)
    for op, operand in (("mul", scale), ("add", bias)):
        if operand is not None:
            (a, b), shape = node.aligned(result, operand)
            result = node.tensor(node.graph.binary(op, a, b), shape, x.kind)
    return result


def _along(node: Node, x: Tensor, axes: list[int]) -> tuple[Value, list[int], Array]:
    """The columns with these axes last; the other axes; and the columns in that order."""
    others = [i for i in range(len(x.shape)) if i not in axes]
    columns = x.columns.transpose([*others, *axes])
    return node.graph.select(x.value, columns.ravel()), others, columns


@operator("Softmax", "LogSoftmax")
def softmax(node: Node, x: Tensor) -> Tensor:
    """Probabilities along an axis, or their logarithms."""
    axis = node.axis(node.get("axis", 1 if node.opset < 13 else -1), len(x.shape) + 1)
    axes = list(range(axis, len(x.shape))) if node.opset < 13 else [axis]
    graph = node.graph
    value, _, columns = _along(node, x, axes)
    length = prod(x.shape[i] for i in axes)
    if node.op == "Softmax":
        result = graph.softmax(value, length)
    else:
        spread = np.repeat(np.arange(value.width // length), length)
        shifted = graph.binary("sub", value, graph.select(graph.reduce("max", value, length), spread))
        total = graph.reduce("sum", graph.unary("exp", shifted), length)
        result = graph.binary("sub", shifted, graph.select(graph.unary("log", total), spread))
    return Tensor(graph.select(result, np.argsort(columns.ravel())), x.shape, x.kind)


@operator(*REDUCTIONS, "ReduceLogSumExp", "ArgMax")
def reduction(node: Node, x: Tensor, axes: Operand | None = None) -> Tensor:
    """One number along some axes."""
    given = node.get("axes") if axes is None else node.known(axes, "the axes").tolist()
    if node.op == "ArgMax":
        given = [node.get("axis", 0)]
    if not given:
        if node.get("noop_with_empty_axes", 0):
            return x
        node.fail("sums up all rows")
    chosen = sorted({node.axis(axis, len(x.shape) + 1) for axis in given})
    value, others, _ = _along(node, x, chosen)
    result = _reduced(node, value, prod(x.shape[i] for i in chosen))
    keep = node.get("keepdims", 1)
    shape = [1 if i in chosen else n for i, n in enumerate(x.shape)] if keep else [x.shape[i] for i in others]
    return node.tensor(result, shape, np.dtype(np.int64) if node.op == "ArgMax" else x.kind)


def _reduced(node: Node, value: Value, length: int) -> Any:
    graph, op = node.graph, node.op
    if op == "ArgMax":
        if node.get("select_last_index", 0):
            node.fail("selects the last of equal values")
        return graph.reduce("argmax", value, length)
    if op == "ReduceLogSumExp":
        top = graph.reduce("max", value, length)
        spread = np.repeat(np.arange(top.width), length)
        powers = graph.unary("exp", graph.binary("sub", value, graph.select(top, spread)))
        return graph.binary("add", top, graph.unary("log", graph.reduce("sum", powers, length)))
    before = graph.unary(BEFORE[op], value) if op in BEFORE else value
    result = graph.reduce(REDUCTIONS[op], before, length)
    return graph.unary(AFTER[op], result) if op in AFTER else result
