"""Operators that rearrange: all are selections of columns."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from sqlamarr.compiler.onnx_graph.tensors import BATCH, Array, Node, Operand, Tensor, operator


@operator("Shape")
def shape(node: Node, x: Tensor) -> Array:
    """The sizes of all axes; the number of rows is a mark that only reshaping understands."""
    sizes = np.array([BATCH, *x.shape], dtype=np.int64)
    return sizes[slice(node.get("start", 0), node.get("end"))]


@operator("Reshape")
def reshape(node: Node, x: Tensor, sizes: Operand) -> Tensor:
    """The same columns in another shape."""
    wanted = [int(n) for n in node.known(sizes, "the shape")]
    width = prod(x.shape)
    if not node.get("allowzero", 0):
        old = (BATCH, *x.shape)
        wanted = [old[i] if n == 0 and i < len(old) else n for i, n in enumerate(wanted)]
    rows, row = (wanted[0], wanted[1:]) if wanted else (None, [])
    if row.count(-1) == 1 and rows != -1:
        rest = prod(n for n in row if n != -1)
        row = [width // rest if n == -1 and rest > 0 else n for n in row]
    if rows not in (BATCH, -1, node.rows) or any(n < 0 for n in row) or prod(row) != width:
        to = ", ".join("rows" if n == BATCH else str(n) for n in wanted)
        node.fail(f"a reshape of rows of shape {x.shape} to ({to}) mixes rows and columns")
    return Tensor(x.value, tuple(row), x.kind)


@operator("Flatten")
def flatten(node: Node, x: Tensor) -> Tensor:
    """All columns along one axis."""
    if node.get("axis", 1) not in (1, -len(x.shape)):
        node.fail(f"flattening at axis {node.get('axis')} mixes rows and columns")
    return Tensor(x.value, (prod(x.shape),), x.kind)


@operator("Squeeze")
def squeeze(node: Node, x: Tensor, axes: Operand | None = None) -> Tensor:
    """Without axes of size 1."""
    rank = len(x.shape) + 1
    given = node.get("axes") if axes is None else node.known(axes, "the axes").tolist()
    if given is None:
        given = [i + 1 for i, n in enumerate(x.shape) if n == 1]
    drop = {node.axis(axis, rank) for axis in given}
    if any(x.shape[axis] != 1 for axis in drop):
        node.fail(f"squeezes an axis of a row of shape {x.shape} that is longer than 1")
    return Tensor(x.value, tuple(n for i, n in enumerate(x.shape) if i not in drop), x.kind)


@operator("Unsqueeze")
def unsqueeze(node: Node, x: Tensor, axes: Operand | None = None) -> Tensor:
    """With new axes of size 1."""
    given = node.get("axes") if axes is None else node.known(axes, "the axes").tolist()
    rank = len(x.shape) + 1 + len(given)
    new = {node.axis(axis, rank) for axis in given}
    sizes = iter(x.shape)
    return Tensor(x.value, tuple(1 if i in new else next(sizes) for i in range(rank - 1)), x.kind)


@operator("Transpose")
def transpose(node: Node, x: Tensor) -> Tensor:
    """Axes of the row in another order."""
    order = list(node.get("perm") or reversed(range(len(x.shape) + 1)))
    if order[0] != 0:
        node.fail("moves the axis of the rows")
    return node.rearranged(x, x.columns.transpose([axis - 1 for axis in order[1:]]))


@operator("Slice")
def slice_(node: Node, x: Tensor, *limits: Operand) -> Tensor:
    """Parts along some axes."""
    if limits:
        names = ("the start", "the end", "the axes", "the steps")
        given = [node.known(limit, name).tolist() for limit, name in zip(limits, names) if limit is not None]
    else:
        given = [node.get("starts"), node.get("ends"), *([node.get("axes")] if node.get("axes") else [])]
    starts, ends = given[:2]
    axes = given[2] if len(given) > 2 else list(range(len(starts)))
    steps = given[3] if len(given) > 3 else [1] * len(starts)
    cut = [slice(None)] * len(x.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps):
        if axis in (0, -len(x.shape) - 1) and start == 0 and step == 1 and (end == BATCH or end >= np.iinfo("i4").max):
            continue  # all rows
        cut[node.axis(axis, len(x.shape) + 1)] = slice(start, None if step < 0 and end < -(1 << 31) else end, step)
    return node.rearranged(x, x.columns[tuple(cut)])


@operator("Gather")
def gather(node: Node, x: Operand, indices: Operand) -> Tensor:
    """Some columns along an axis."""
    index = node.known(indices, "the indices")
    tensor = node.row(x)
    axis = node.axis(node.get("axis", 0), len(tensor.shape) + 1)
    return node.rearranged(tensor, np.take(tensor.columns, index, axis=axis))


@operator("ArrayFeatureExtractor")
def array_feature_extractor(node: Node, x: Tensor, indices: Operand) -> Tensor:
    """Some columns along the last axis."""
    index = node.known(indices, "the indices").ravel()
    return node.rearranged(x, np.take(x.columns.reshape(*(x.shape or (1,))), index, axis=-1))


@operator("Concat")
def concat(node: Node, *operands: Operand) -> Tensor:
    """Side by side along an axis."""
    rank = max(len(o.shape) + 1 for o in operands if isinstance(o, Tensor))
    axis = node.axis(node.get("axis"), rank)
    parts = [o if isinstance(o, Tensor) else _for_every_row(node, o) for o in operands]
    parts = [part for part in parts if prod(part.shape)]
    joined = node.graph.concat([part.value for part in parts])
    begin = np.cumsum([0, *(prod(part.shape) for part in parts)])
    columns = np.concatenate([part.columns + start for part, start in zip(parts, begin)], axis=axis)
    return node.rearranged(Tensor(joined, (joined.width,), parts[0].kind), columns)


def _for_every_row(node: Node, array: Array) -> Tensor:
    if array.shape[:1] not in ((1,), (node.rows,)) or (array != array[:1]).any():
        node.fail(f"a constant of shape {array.shape} has a number for each row")
    return node.constant(array[0])


@operator("Split")
def split(node: Node, x: Tensor, sizes: Operand | None = None) -> tuple[Tensor, ...]:
    """Parts along an axis."""
    axis = node.axis(node.get("axis", 0), len(x.shape) + 1)
    given = node.get("split") if sizes is None else node.known(sizes, "the sizes").tolist()
    if given is None:
        each = -(-x.shape[axis] // node.outputs)
        given = [min(each, x.shape[axis] - i * each) for i in range(node.outputs)]
    parts = np.split(x.columns, np.cumsum(given)[:-1], axis=axis)
    return tuple(node.rearranged(x, part) for part in parts)


@operator("Expand")
def expand(node: Node, x: Operand, sizes: Operand) -> Any:
    """Repeated along axes of size 1, and for every row."""
    wanted = [int(n) for n in node.known(sizes, "the shape")]
    rank = len(wanted)
    if isinstance(x, Tensor):
        rank = max(rank, len(x.shape) + 1)
        if rank != len(x.shape) + 1:
            node.fail("adds an axis to the rows")
    wanted = [1] * (rank - len(wanted)) + wanted
    if wanted[0] not in (BATCH, 1, node.rows) or any(n < 0 for n in wanted[1:]):
        node.fail("repeats rows")
    if isinstance(x, Tensor):
        return node.rearranged(x, np.broadcast_to(x.columns, np.broadcast_shapes(x.shape, tuple(wanted[1:]))))
    own = x[0] if x.ndim == rank else x
    return node.constant(np.broadcast_to(own, np.broadcast_shapes(own.shape, tuple(wanted[1:]))))


@operator("ConstantOfShape")
def constant_of_shape(node: Node, sizes: Operand) -> Tensor:
    """The same number everywhere, in every row."""
    wanted = [int(n) for n in node.known(sizes, "the shape")]
    value = node.get("value", np.zeros(1, np.float32))
    if wanted[:1] != [BATCH] or any(n < 0 for n in wanted[1:]):
        node.fail("creates rows that are not in the input")
    return node.constant(np.full(wanted[1:], value.ravel()[0], value.dtype))


@operator("Tile")
def tile(node: Node, x: Tensor, repeats: Operand) -> Tensor:
    """Repeated along the row's axes."""
    times = node.known(repeats, "the number of repetitions").tolist()
    if times[0] != 1:
        node.fail("repeats rows")
    return node.rearranged(x, np.tile(x.columns, times[1:]))


@operator("Pad")
def pad(node: Node, x: Tensor, pads: Operand | None = None, value: Operand | None = None, *_: Operand) -> Tensor:
    """More columns at the ends of the row's axes."""
    widths = node.get("pads") if pads is None else node.known(pads, "the widths").tolist()
    if len(widths) != 2 * (len(x.shape) + 1) or widths[0] or widths[len(x.shape) + 1]:
        node.fail("adds rows")
    pairs = list(zip(widths[1 : len(x.shape) + 1], widths[len(x.shape) + 2 :]))
    mode = node.get("mode", b"constant").decode()
    if mode != "constant":
        return node.rearranged(x, np.pad(x.columns, pairs, mode=mode))
    number = np.array(node.get("value", 0.0)) if value is None else node.known(value, "the value")
    more = node.graph.concat([x.value, node.graph.constant(number, x.value.dtype)])
    columns = np.pad(x.columns, pairs, constant_values=x.value.width)
    return node.rearranged(Tensor(more, (more.width,), x.kind), columns)
