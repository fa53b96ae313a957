"""The weight file: every array that generated code reads, in one blob."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.compiler.trees import Tree, TreeEnsemble, threshold_below

ALIGNMENT = 64
PANEL = 8  # as in runtime/prologue.h
MISSING_LEFT = 1 << 30  # as in runtime/prologue.h


class Constants:
    """Collects arrays; the same bytes are stored once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._known: dict[bytes, int] = {}

    def add(self, array: NDArray[Any]) -> int:
        """Store an array and return its offset."""
        data = np.ascontiguousarray(array).tobytes()
        if data not in self._known:
            self._known[data] = self._size
            padded = data + bytes(-len(data) % ALIGNMENT)
            self._parts.append(padded)
            self._size += len(padded)
        return self._known[data]

    def blob(self) -> bytes:
        """Return the whole blob."""
        return b"".join(self._parts) or bytes(ALIGNMENT)


def padded(array: NDArray[Any]) -> NDArray[Any]:
    """Append zeros up to a multiple of PANEL columns."""
    missing = -array.shape[-1] % PANEL
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, missing)])


def panels(weights: NDArray[Any]) -> NDArray[Any]:
    """Return a matrix (k, n) as panels of PANEL columns: (n / PANEL, k, PANEL)."""
    wide = padded(weights)
    return np.ascontiguousarray(wide.reshape(len(weights), -1, PANEL).transpose(1, 0, 2))


_NODE = {
    np.dtype(np.float32): np.dtype([("threshold", "f4"), ("feature", "i4"), ("child", "i4", 2)]),
    np.dtype(np.float64): np.dtype([("threshold", "f8"), ("feature", "i4"), ("child", "i4", 2), ("unused", "i4")]),
}


def depth(tree: Tree) -> int:
    """Return the number of steps from the root to the deepest leaf."""
    level, steps = np.array([0]), 0
    while (inner := level[tree.feature[level] >= 0]).size:
        level = np.concatenate([tree.left[inner], tree.right[inner]])
        steps += 1
    return steps


def nodes(ensemble: TreeEnsemble, dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return all trees as one array of nodes, the offset of each, and the values of all leaves."""
    roots = np.cumsum([0] + [len(t.feature) for t in ensemble.trees])[:-1].astype(np.int32)
    leaves = [t.values[t.feature < 0] for t in ensemble.trees]
    first = np.cumsum([0] + [len(values) for values in leaves])[:-1]
    parts = [_nodes_of(t, int(r), int(f), dtype) for t, r, f in zip(ensemble.trees, roots, first)]
    return _joined(parts, _NODE[dtype]), roots, np.concatenate(leaves).astype(ensemble.leaf_dtype)


def _joined(parts: Sequence[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def _nodes_of(tree: Tree, root: int, first_leaf: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    leaf = tree.feature < 0
    own = np.arange(len(leaf)) + root
    table = np.zeros(len(leaf), _NODE[dtype])
    table["feature"] = np.where(leaf, 0, tree.feature | np.where(tree.missing_left, MISSING_LEFT, 0))
    table["child"] = np.where(leaf[:, None], own[:, None], np.stack([tree.left, tree.right], axis=1) + root)
    numbers = np.zeros(len(leaf), f"i{dtype.itemsize}")
    numbers[leaf] = first_leaf + np.arange(leaf.sum())
    table["threshold"] = np.where(leaf, numbers.view(dtype), threshold_below(tree.threshold, dtype))
    return table
