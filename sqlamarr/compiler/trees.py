"""Ensembles of decision trees, in one flat form for all front ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sqlamarr.errors import CompilerError

Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Tree:
    """One decision tree. Node 0 is the root; all arrays have one entry per node.

    :param feature: column that an inner node looks at; negative at a leaf
    :param threshold: an inner node goes left where x <= threshold
    :param left: node where to go then
    :param right: node where to go otherwise
    :param values: (nodes, outputs), what a leaf adds to the outputs; entries of inner nodes are not used
    :param missing_left: where NaN goes: left (true) or right; default right
    """

    feature: Ints
    threshold: NDArray[Any]
    left: Ints
    right: Ints
    values: NDArray[Any]
    missing_left: NDArray[np.bool_]


def tree(
    feature: ArrayLike,
    threshold: ArrayLike,
    left: ArrayLike,
    right: ArrayLike,
    values: ArrayLike,
    missing_left: ArrayLike | None = None,
) -> Tree:
    """A :class:`Tree` of anything like arrays; ``values`` may have one axis if there is one output."""
    features = np.asarray(feature, np.int32)
    leaf = np.asarray(values, np.float64)
    missing = np.zeros(len(features), bool) if missing_left is None else np.asarray(missing_left, bool)
    return Tree(
        features,
        np.asarray(threshold, np.float64),
        np.asarray(left, np.int32),
        np.asarray(right, np.int32),
        leaf.reshape(len(features), -1),
        missing,
    )


@dataclass(frozen=True, eq=False)
class TreeEnsemble:
    """base + the sum over the trees' leaves, in the order of the trees, in double precision.

    :param trees: the trees
    :param base: (outputs,) what the sum begins with
    :param leaf_dtype: the type in which leaves are stored
    """

    trees: tuple[Tree, ...]
    base: NDArray[np.float64]
    leaf_dtype: np.dtype[Any]

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return len(self.base)

    @property
    def uses_missing(self) -> bool:
        """Whether NaN goes left anywhere."""
        return any(bool(t.missing_left[t.feature >= 0].any()) for t in self.trees)

    def check(self, columns: int, dtype: np.dtype[Any]) -> None:
        """Raise CompilerError unless every tree is valid for this number of columns."""
        for number, t in enumerate(self.trees):
            inner = t.feature >= 0
            if inner.any() and t.feature.max() >= columns:
                raise CompilerError(f"Tree {number} uses column {t.feature.max()} of {columns}.")
            if t.values.shape[1] != self.outputs:
                raise CompilerError(f"Tree {number} has leaves of {t.values.shape[1]} values, not {self.outputs}.")
            children = np.concatenate([t.left[inner], t.right[inner]])
            if len(children) and (children.min() < 1 or children.max() >= len(t.feature)):
                raise CompilerError(f"Tree {number} has a node whose children do not exist.")

    def evaluate(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """(rows, columns) -> (rows, outputs)."""
        total = np.repeat(self.base[None, :], len(x), axis=0)
        rows = np.arange(len(x))
        for t in self.trees:
            threshold = threshold_below(t.threshold, x.dtype)
            node = np.zeros(len(x), np.int32)
            while (inner := t.feature[node] >= 0).any():
                column = np.maximum(t.feature[node], 0)
                value = x[rows, column]
                go_left = (value <= threshold[node]) | (np.isnan(value) & t.missing_left[node])
                node = np.where(inner, np.where(go_left, t.left[node], t.right[node]), node)
            total += t.values[node].astype(self.leaf_dtype)
        return total


def ensemble(trees: Sequence[Tree], base: ArrayLike, leaf_dtype: np.dtype[Any]) -> TreeEnsemble:
    """A :class:`TreeEnsemble` of anything like arrays."""
    return TreeEnsemble(tuple(trees), np.atleast_1d(np.asarray(base, np.float64)), np.dtype(leaf_dtype))


def threshold_below(threshold: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The largest numbers of ``dtype`` not above the thresholds.

    For x of that type, x <= result exactly where x <= threshold.
    """
    with np.errstate(over="ignore"):
        rounded = threshold.astype(dtype)
    above = rounded.astype(np.float64) > threshold
    return np.where(above, np.nextafter(rounded, dtype.type(-np.inf)), rounded).astype(dtype)
