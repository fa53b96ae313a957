"""Operators of ai.onnx.ml, translated for the compiler, against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx_tools import check, constants, fails, features, save, value

from sqlamarr.compiler.evaluate import evaluate
from sqlamarr.compiler.onnx_graph import read_file

MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx")


def ml(folder, op, n_in, attributes, version=3, out=("y",)):
    node = helper.make_node(op, ["x"], list(out), domain="ai.onnx.ml", **attributes)
    results = [helper.make_empty_tensor_value_info(out[-1])]
    return save(folder / "ml.onnx", [node], [value("x", "N", n_in)], results, opsets=[("ai.onnx.ml", version)])


def random_trees(rng, kind, trees=3, depth=3, n_in=4, outputs=2, mode="BRANCH_LEQ"):
    """Attributes of full trees; thresholds lie where features do too."""
    inner, total = 2**depth - 1, 2 ** (depth + 1) - 1
    nodes = {
        name: [] for name in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
    }
    leaves = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    for t in range(trees):
        for n in range(total):
            branch = n < inner
            row = (
                t, n, int(rng.integers(n_in)), float(np.round(2 * rng.normal()) / 2), mode if branch else "LEAF",
                2 * n + 1 if branch else 0, 2 * n + 2 if branch else 0,
            )  # fmt: skip
            for name, item in zip(nodes, row):
                nodes[name].append(item)
            for target in range(outputs) if not branch else ():
                for name, item in zip(leaves, (t, n, target, float(rng.normal()))):
                    leaves[name].append(item)
    return {f"nodes_{k}": v for k, v in nodes.items()} | {f"{kind}_{k}": v for k, v in leaves.items()}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("missing", [0, 1])
def test_branches_of_every_mode(folder, mode, missing):
    attributes = random_trees(np.random.default_rng(1), "target", mode=mode) | {"n_targets": 2}
    attributes["nodes_missing_value_tracks_true"] = [missing] * len(attributes["nodes_modes"])
    source = check(ml(folder, "TreeEnsembleRegressor", 4, attributes), rows=300)
    x = features(50, 4)
    x[::3, 1] = np.nan
    assert evaluate(source.graph, x) == pytest.approx(
        source.reference(x.astype(float), x[:, :0].astype(float)), abs=1e-5
    )


@given(
    outputs=st.integers(1, 4), trees=st.integers(1, 4), depth=st.integers(1, 4), seed=st.integers(0, 99), data=st.data()
)
@settings(max_examples=25, deadline=None)
def test_regressors(folder, outputs, trees, depth, seed, data):
    rng = np.random.default_rng(seed)
    attributes = random_trees(rng, "target", trees, depth, 4, outputs) | {"n_targets": outputs}
    attributes["aggregate_function"] = data.draw(st.sampled_from(["SUM", "AVERAGE"]))
    if data.draw(st.booleans()):
        attributes["base_values"] = rng.normal(size=outputs).tolist()
    check(ml(folder, "TreeEnsembleRegressor", 4, attributes), rows=60)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"])
def test_classifiers(folder, classes, transform):
    rng = np.random.default_rng(classes)
    attributes = random_trees(rng, "class", 3, 3, 4, classes)
    attributes |= {"post_transform": transform, "classlabels_int64s": list(range(classes))}
    check(ml(folder, "TreeEnsembleClassifier", 4, attributes, out=("label", "y")), rows=100)
    attributes["base_values"] = rng.normal(size=classes).tolist()
    path = ml(folder, "TreeEnsembleClassifier", 4, attributes, out=("label", "y"))
    if classes == 2:
        fails(path, "base values for two classes, whose meaning the standard leaves open")
    else:
        check(path, rows=100)


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC"])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("base", [0, 1])
def test_classifiers_whose_trees_speak_of_one_class(folder, transform, positive, base):
    attributes = random_trees(np.random.default_rng(4), "class", 3, 2, 4, 1)
    attributes |= {"post_transform": transform, "classlabels_int64s": [0, 1]}
    if positive:
        attributes["class_weights"] = [abs(w) / 10 for w in attributes["class_weights"]]
    if base:
        attributes["base_values"] = [0.3]
    check(ml(folder, "TreeEnsembleClassifier", 4, attributes, out=("label", "y")), rows=100)


def test_the_newer_form_of_ensembles(folder):
    tensors = {"nodes_splits": np.float32([0.5, -0.5]), "leaf_weights": np.float32([1.0, 2.0, -3.0])}
    attributes = {name: numpy_helper.from_array(array, name) for name, array in tensors.items()}
    attributes |= {
        "n_targets": 3, "aggregate_function": 1, "post_transform": 0, "tree_roots": [0],
        "nodes_modes": numpy_helper.from_array(np.uint8([0, 1]), "m"), "nodes_featureids": [0, 1],
        "nodes_truenodeids": [1, 0], "nodes_trueleafs": [0, 1], "nodes_falsenodeids": [2, 1],
        "nodes_falseleafs": [1, 1], "leaf_targetids": [0, 1, 2],
    }  # fmt: skip
    check(ml(folder, "TreeEnsemble", 3, attributes, version=5), rows=60)
    attributes["post_transform"] = 1
    fails(
        ml(folder, "TreeEnsemble", 3, attributes, version=5),
        "onnxruntime numbers the transformations differently",
    )


@pytest.mark.parametrize("norm", ["MAX", "L1", "L2"])
def test_rows_are_normalized(folder, norm):
    check(ml(folder, "Normalizer", 4, {"norm": norm}), rows=60)


@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("Scaler", {"offset": [1.0, 2.0, 3.0], "scale": [0.5, 2.0, -1.0]}),
        ("Scaler", {"offset": [1.0], "scale": [0.5]}),
        ("Binarizer", {"threshold": 0.5}),
        ("Imputer", {"imputed_value_floats": [1.0, 2.0, 3.0], "replaced_value_float": 0.5}),
        ("LinearRegressor", {"coefficients": [0.1, 0.2, 0.3, 1.0, 2.0, 3.0], "intercepts": [1.0, 2.0], "targets": 2}),
        ("LinearRegressor", {"coefficients": [0.1, 0.2, 0.3]}),
    ],
)
def test_scaling_and_linear_models(folder, op, attributes):
    check(ml(folder, op, 3, attributes), rows=60)


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC", "SOFTMAX"])
@pytest.mark.parametrize("classes", [1, 2, 3])
def test_linear_classifiers(folder, transform, classes):
    rng = np.random.default_rng(classes)
    attributes = {
        "coefficients": rng.normal(size=3 * classes).tolist(), "intercepts": rng.normal(size=classes).tolist(),
        "post_transform": transform, "classlabels_ints": list(range(max(classes, 2))),
    }  # fmt: skip
    check(ml(folder, "LinearClassifier", 3, attributes, version=1, out=("label", "y")), rows=60)


def test_columns_are_extracted_and_joined(folder):
    nodes = [
        helper.make_node("ArrayFeatureExtractor", ["x", "i"], ["a"], domain="ai.onnx.ml"),
        helper.make_node("FeatureVectorizer", ["a", "x"], ["y"], domain="ai.onnx.ml", inputdimensions=[2, 4]),
    ]
    weights = constants(i=np.array([3, 1], np.int64))
    results = [helper.make_empty_tensor_value_info("y")]
    path = save(folder / "a.onnx", nodes, [value("x", "N", 4)], results, weights, opsets=[("ai.onnx.ml", 1)])
    check(path)


def test_labels_are_numbers(folder):
    attributes = random_trees(np.random.default_rng(1), "class", 3, 3, 4, 3) | {"classlabels_int64s": [11, 13, 211]}
    node = helper.make_node("TreeEnsembleClassifier", ["x"], ["label", "p"], domain="ai.onnx.ml", **attributes)
    results = [value("label", "N", kind=TensorProto.INT64)]
    path = save(folder / "l.onnx", [node], [value("x", "N", 4)], results, opsets=[("ai.onnx.ml", 3)])
    source = read_file(path, None)
    x = features(60, 4)
    assert (evaluate(source.graph, x) == source.reference(x.astype(float), x[:, :0].astype(float))).all()


def test_what_trees_cannot_do_is_said(folder):
    attributes = random_trees(np.random.default_rng(1), "target") | {"n_targets": 2, "aggregate_function": "MAX"}
    fails(
        ml(folder, "TreeEnsembleRegressor", 4, attributes), r"'y' \(TreeEnsembleRegressor\): takes the MAX of the trees"
    )
