"""Ensembles of decision trees in their two forms: lists of nodes per tree, and the newer one with tensors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from sqlamarr.compiler.ir import FLOAT64, Value
from sqlamarr.compiler.onnx_graph.classical import FLOAT, floats, label, post_transform
from sqlamarr.compiler.onnx_graph.tensors import Node, Tensor, operator
from sqlamarr.compiler.trees import Tree, ensemble, tree

MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
BELOW = ("BRANCH_LT", "BRANCH_GTE")  # modes that split off numbers below the threshold


class TreeBuilder:
    """One tree, node by node; conditions of every kind become ``x <= threshold``.

    :param outputs: values per leaf
    :param dtype: type of the features, in which thresholds lie
    """

    def __init__(self, outputs: int, dtype: np.dtype[Any]) -> None:
        self.outputs, self.dtype = outputs, dtype
        self.rows: list[list[Any]] = []  # feature, threshold, left, right, missing goes left, leaf values

    def leaf(self, values: Any) -> int:
        """Add a leaf and return its number."""
        return self._add([-1, 0.0, 0, 0, False, values])

    def reserve(self) -> int:
        """Reserve the number of a branch that is filled later."""
        return self._add([])

    def branch(self, number: int, mode: str, feature: int, threshold: float, yes: int, no: int, missing: bool) -> None:
        """Add a condition; NaN fulfils it if ``missing`` is true or the condition is 'not equal'."""
        nan = yes if missing or mode == "BRANCH_NEQ" else no
        if mode in ("BRANCH_EQ", "BRANCH_NEQ"):
            equal, other = (yes, no) if mode == "BRANCH_EQ" else (no, yes)
            inner = self._add([feature, self._below(threshold), other, equal, nan == other, None])
            nan_left = nan == equal and equal != other
            # NaN goes to the inner node, which sends it on, or to the right.
            self.rows[number] = [feature, threshold, inner, other, nan_left, None]
            return
        at = self._below(threshold) if mode in BELOW else threshold
        left, right = (yes, no) if mode in ("BRANCH_LEQ", "BRANCH_LT") else (no, yes)
        self.rows[number] = [feature, at, left, right, nan == left, None]

    def build(self) -> Tree:
        """The tree; its root is node 0."""
        zeros = np.zeros(self.outputs)
        feature, threshold, left, right, missing, leaves = zip(*self.rows)
        values = np.array([zeros if v is None else v for v in leaves]).reshape(len(self.rows), self.outputs)
        return tree(feature, threshold, left, right, values, missing)

    def _add(self, row: list[Any]) -> int:
        self.rows.append(row)
        return len(self.rows) - 1

    def _below(self, threshold: float) -> float:
        return float(np.nextafter(self.dtype.type(threshold), self.dtype.type(-np.inf)))


def _trees(node: Node, kind: str, count: int, dtype: np.dtype[Any]) -> list[Tree]:
    """The trees of the older form; ``kind`` is what leaves speak of: class or target."""
    get = node.get
    values = _numbers(node, "nodes_values")
    weights = _numbers(node, f"{kind}_weights")
    leaves: dict[tuple[int, int], Any] = defaultdict(lambda: np.zeros(count))
    targets = zip(get(f"{kind}_treeids"), get(f"{kind}_nodeids"), get(f"{kind}_ids"), weights)
    for tree_id, node_id, target, weight in targets:
        leaves[tree_id, node_id][target] += weight
    missing = get("nodes_missing_value_tracks_true") or [0] * len(values)
    modes = [mode.decode() for mode in get("nodes_modes")]
    fields = list(
        zip(get("nodes_nodeids"), modes, get("nodes_featureids"), values, get("nodes_truenodeids"),
            get("nodes_falsenodeids"), missing)
    )  # fmt: skip
    nodes: dict[int, list[Any]] = defaultdict(list)
    for tree_id, field in zip(get("nodes_treeids"), fields):
        nodes[tree_id].append(field)
    return [_one_tree(node, fields, lambda n, t=t: leaves[t, n], count, dtype) for t, fields in nodes.items()]


def _one_tree(node: Node, fields: Sequence[Any], leaf: Any, count: int, dtype: np.dtype[Any]) -> Tree:
    builder = TreeBuilder(count, dtype)
    number = {f[0]: builder.leaf(leaf(f[0])) if f[1] == "LEAF" else builder.reserve() for f in fields}
    for node_id, mode, feature, threshold, yes, no, missing in fields:
        if mode == "LEAF":
            continue
        if mode not in MODES:
            node.fail(f"has a branch of mode {mode}")
        builder.branch(number[node_id], mode, feature, threshold, number[yes], number[no], bool(missing))
    return builder.build()


def _numbers(node: Node, name: str) -> Any:
    exact = node.get(f"{name}_as_tensor")
    return floats(node.get(name)) if exact is None else exact


def _sum(node: Node, x: Tensor, trees: list[Tree], base: Any) -> Value:
    return node.graph.cast(node.graph.trees(x.value, ensemble(trees, base, FLOAT64)), node.real)


def _base(node: Node, count: int) -> Any:
    base = _numbers(node, "base_values")
    return np.resize(base, count) if len(base) else np.zeros(count)


@operator("TreeEnsembleRegressor")
def regressor(node: Node, x: Tensor) -> Tensor:
    """The sum or the mean of all trees."""
    targets = node.get("n_targets", 1)
    trees = _trees(node, "target", targets, x.value.dtype)
    how = node.get("aggregate_function", b"SUM")
    if how not in (b"SUM", b"AVERAGE"):
        node.fail(f"takes the {how.decode()} of the trees")
    value = _sum(node, x, _shared(trees, how == b"AVERAGE"), _base(node, targets))
    return node.tensor(post_transform(node, value), (targets,), FLOAT)


def _shared(trees: list[Tree], average: bool) -> list[Tree]:
    n = len(trees) if average else 1
    return [Tree(t.feature, t.threshold, t.left, t.right, t.values / n, t.missing_left) for t in trees]


@operator("TreeEnsembleClassifier")
def classifier(node: Node, x: Tensor) -> tuple[Tensor | None, Tensor]:
    """Compute the scores of the classes, and the outputs that follow from them."""
    graph = node.graph
    labels = node.get("classlabels_int64s") or node.get("classlabels_strings")
    classes, ids = len(labels), set(node.get("class_ids"))
    if classes != 2 or len(ids) > 1:
        if classes == 2 and len(_numbers(node, "base_values")):
            node.fail("has base values for two classes, whose meaning the standard leaves open")
        scores = _sum(node, x, _trees(node, "class", classes, x.value.dtype), _base(node, classes))
        return label(node, scores), node.tensor(post_transform(node, scores), (classes,), FLOAT)
    # Two classes, but the trees give the score of only one; the other's follows from it.
    base = _numbers(node, "base_values")
    trees = [_only(t, next(iter(ids))) for t in _trees(node, "class", 2, x.value.dtype)]
    score = _sum(node, x, trees, base[-1:] if len(base) else [0.0])
    one = graph.constant(1, node.real)
    logistic = node.get("post_transform", b"NONE") == b"LOGISTIC"
    if _numbers(node, "class_weights").min() >= 0 and not len(base) > 1 and not logistic:
        both = graph.concat([graph.binary("sub", one, score), score])
        return label(node, both), node.tensor(both, (2,), FLOAT)
    both = graph.concat([graph.unary("neg", score), score])
    return label(node, both), node.tensor(post_transform(node, both), (2,), FLOAT)


def _only(t: Tree, column: int) -> Tree:
    return Tree(t.feature, t.threshold, t.left, t.right, t.values[:, [column]], t.missing_left)


@operator("TreeEnsemble")
def tree_ensemble(node: Node, x: Tensor) -> Tensor:
    """The newer form: leaves are lists of their own, nodes in tensors."""
    get, targets = node.get, node.get("n_targets", 1)
    if get("aggregate_function", 1) not in (0, 1):
        node.fail("takes the minimum or the maximum of the trees")
    modes, splits = get("nodes_modes"), get("nodes_splits")
    if int(modes.max(initial=0)) >= len(MODES):
        node.fail("has branches that test whether a value is a member of a set")
    trees = []
    for root in get("tree_roots"):
        builder = TreeBuilder(targets, x.value.dtype)
        _grow(node, builder, int(root), False, modes, splits)
        trees.append(builder.build())
    if get("post_transform", 0):
        node.fail("transforms its sums, and onnxruntime numbers the transformations differently from the standard")
    value = _sum(node, x, _shared(trees, get("aggregate_function", 1) == 0), np.zeros(targets))
    return node.tensor(value, (targets,), FLOAT)


def _grow(node: Node, builder: TreeBuilder, index: int, is_leaf: bool, modes: Any, splits: Any) -> int:
    get = node.get
    if is_leaf:
        values = np.zeros(builder.outputs)
        values[get("leaf_targetids")[index]] = get("leaf_weights")[index]
        return builder.leaf(values)
    number = builder.reserve()
    missing = get("nodes_missing_value_tracks_true") or [0] * len(modes)
    children = [(int(get(f"nodes_{s}nodeids")[index]), bool(get(f"nodes_{s}leafs")[index])) for s in ("true", "false")]
    yes, no = (_grow(node, builder, child, leaf, modes, splits) for child, leaf in children)
    mode = MODES[int(modes[index])]
    builder.branch(number, mode, get("nodes_featureids")[index], float(splits[index]), yes, no, bool(missing[index]))
    return number
