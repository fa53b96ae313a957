"""Operators of ONNX, translated for the compiler, against onnxruntime."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx_tools import by_columns, check, constants, fails, features, linear, outside, save, value, with_noise_input

from sqlamarr.compiler.evaluate import evaluate
from sqlamarr.compiler.ir import FLOAT64
from sqlamarr.compiler.onnx_graph import read_file
from sqlamarr.compiler.stages import make_source
from sqlamarr.errors import CompilerError

pytest.importorskip("onnxruntime")

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
I64 = np.int64


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx")


def single(folder, op, shape, attributes=None, weights=(), out=1, extra=(), domain="", **options) -> Path:
    """A file of one node on an input of this shape (of a row)."""
    names = [f"y{i}" for i in range(out)]
    node = helper.make_node(op, ["x", *(w.name for w in weights), *extra], names, domain=domain, **(attributes or {}))
    results = [helper.make_empty_tensor_value_info(name) for name in names]
    return save(folder / "one.onnx", [node], [value("x", "N", *shape)], results, weights, **options)


def test_weights_in_a_second_file_are_compiled_too(tmp_path):
    path = linear(tmp_path / "net.onnx", 3, 2)
    whole, data = check(path), outside(path)
    x = features(7, 3)
    assert evaluate(check(path).graph, x).tobytes() == evaluate(whole.graph, x).tobytes()
    data.unlink()
    fails(path, "net.onnx cannot be read as an ONNX file: .*net.onnx.data")


ELEMENTWISE = [
    "Abs", "Asinh", "Atan", "Ceil", "Celu", "Cos", "Cosh", "Elu", "Erf", "Exp", "Floor", "HardSigmoid", "HardSwish",
    "Identity", "LeakyRelu", "Log", "Mish", "Neg", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin",
    "Sinh", "Softplus", "Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu",
]  # fmt: skip


@pytest.mark.parametrize("op", ELEMENTWISE)
def test_functions_of_one_element(folder, op):
    opsets = {"default": 18} if op == "Mish" else {}
    check(single(folder, op, (5,), **opsets), rows=40)


@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("LeakyRelu", {"alpha": 0.3}), ("Elu", {"alpha": 0.5}), ("Celu", {"alpha": 2.0}),
        ("Selu", {"alpha": 1.5, "gamma": 0.7}), ("HardSigmoid", {"alpha": 0.5, "beta": 0.2}),
        ("ThresholdedRelu", {"alpha": 0.4}), ("Dropout", {}),
    ],
)  # fmt: skip
def test_functions_with_parameters(folder, op, attributes):
    check(single(folder, op, (5,), attributes), rows=40)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu(folder, approximate):
    check(single(folder, "Gelu", (5,), {"approximate": approximate}, default=20), rows=40)


@given(shape=SHAPES, data=st.data())
@settings(max_examples=60, deadline=None)
def test_binary_operators_broadcast_as_they_do(folder, shape, data):
    op = data.draw(st.sampled_from(["Add", "Sub", "Mul", "Div", "Max", "Min"]))
    other = tuple(data.draw(st.sampled_from([n, 1])) for n in shape)
    mode = data.draw(st.sampled_from(["rows", "constant", "scalar", "short", "left"]))
    number = features(1, prod(other), 5).reshape(1, *other) + np.float32(0.1)
    if mode == "rows":
        nodes = [helper.make_node(op, ["x", "z"], ["y"])]
        inputs = [value("x", "N", *shape), value("z", "N", *other)]
        path = save(folder / "b.onnx", nodes, inputs, [helper.make_empty_tensor_value_info("y")])
        check(path)  # z is taken for noise, which serves as well
        return
    constant = {"scalar": np.float32(0.7), "short": number[0], "left": number}.get(mode, number)
    operands = ["c", "x"] if mode == "left" else ["x", "c"]
    nodes = [helper.make_node(op, operands, ["y"])]
    results = [helper.make_empty_tensor_value_info("y")]
    check(save(folder / "b.onnx", nodes, [value("x", "N", *shape)], results, constants(c=constant)))


@pytest.mark.parametrize("op", ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"])
def test_comparisons_and_choices(folder, op):
    weights = constants(c=np.array([0.5, -0.5, 0.0], np.float32), d=np.array([[7.0]], np.float32))
    nodes = [helper.make_node(op, ["x", "c"], ["t"]), helper.make_node("Where", ["t", "x", "d"], ["y"])]
    results = [helper.make_empty_tensor_value_info("y")]
    check(save(folder / "w.onnx", nodes, [value("x", "N", 3)], results, weights), rows=60)


@pytest.mark.parametrize("op", ["And", "Or", "Xor"])
def test_logic(folder, op):
    nodes = [
        helper.make_node("Greater", ["x", "c"], ["a"]), helper.make_node("Less", ["x", "d"], ["b"]),
        helper.make_node("Not", ["b"], ["n"]), helper.make_node(op, ["a", "n"], ["t"]),
        helper.make_node("IsNaN", ["x"], ["nan"]), helper.make_node("Or", ["t", "nan"], ["u"]),
        helper.make_node("Cast", ["u"], ["y"], to=TensorProto.FLOAT),
    ]  # fmt: skip
    weights = constants(c=np.float32(-1), d=np.float32(1))
    check(save(folder / "l.onnx", nodes, [value("x", "N", 4)], [value("y", "N", 4)], weights), rows=60)


@pytest.mark.parametrize("exponent", [2.0, 3.0, 0.5, -1.0, np.array([1.0, 2.0, 0.0, 2.5], np.float32)])
def test_powers(folder, exponent):
    check(single(folder, "Pow", (4,), weights=constants(e=np.asarray(exponent, np.float32))), rows=40, tolerance=1e-5)


@pytest.mark.parametrize("limits", [(-1.0, 1.0), (None, 0.5), (-0.5, None)])
def test_clip_with_limits_of_both_kinds(folder, limits):
    old = {name: limit for name, limit in zip(("min", "max"), limits) if limit is not None}
    check(single(folder, "Clip", (4,), old, default=6), rows=30)
    names = ["x", *("" if limit is None else name for name, limit in zip("ab", limits))]
    weights = constants(**{name: np.float32(limit) for name, limit in zip("ab", limits) if limit is not None})
    nodes = [helper.make_node("Clip", names, ["y"])]
    check(save(folder / "c.onnx", nodes, [value("x", "N", 4)], [value("y", "N", 4)], weights), rows=30)


def test_prelu_with_a_slope_per_column(folder):
    check(single(folder, "PRelu", (4,), weights=constants(s=np.array([0.1, -0.2, 1.5, 0], np.float32))), rows=30)
    check(single(folder, "PRelu", (3, 2), weights=constants(s=np.array([[0.1], [0.2], [0.3]], np.float32))), rows=30)


def test_casts_go_towards_zero(folder):
    nodes = [
        helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT64), helper.make_node("Div", ["i", "two"], ["h"]),
        helper.make_node("Cast", ["h"], ["d"], to=TensorProto.DOUBLE), helper.make_node("Mul", ["d", "third"], ["e"]),
        helper.make_node("Cast", ["x"], ["b"], to=TensorProto.BOOL),
        helper.make_node("Cast", ["b"], ["g"], to=TensorProto.DOUBLE), helper.make_node("Add", ["e", "g"], ["y"]),
    ]  # fmt: skip
    weights = constants(two=np.array(2, I64), third=np.array(1 / 3, np.float64))
    out = [value("y", "N", 3, kind=TensorProto.DOUBLE)]
    check(save(folder / "c.onnx", nodes, [value("x", "N", 3)], out, weights), rows=60)


# ---- shapes ---------------------------------------------------------------------------------------------


@given(shape=SHAPES, data=st.data())
@settings(max_examples=80, deadline=None)
def test_rearrangements(folder, shape, data):
    rank = len(shape) + 1
    axis = data.draw(st.integers(1, rank - 1))
    n = shape[axis - 1]
    op = data.draw(st.sampled_from(["Gather", "Slice", "Transpose", "Flatten", "Tile", "Unsqueeze", "Pad", "Reshape"]))
    attributes, weights = {}, []
    if op == "Gather":
        attributes = {"axis": data.draw(st.sampled_from([axis, axis - rank]))}
        index = data.draw(st.lists(st.integers(-n, n - 1), min_size=1, max_size=5))
        weights = constants(i=np.array(index if data.draw(st.booleans()) else index[0], I64))
    elif op == "Slice":
        start = data.draw(st.integers(0, n - 1))
        stop = data.draw(st.integers(start + 1, n + 3))
        step = data.draw(st.sampled_from([1, 2]))
        arrays = ([start], [stop], [axis], [step])
        if data.draw(st.booleans()):
            arrays = ([-1], [-(2**63) + 1], [axis - rank], [-1])
        weights = constants(**dict(zip("abcd", (np.array(a, I64) for a in arrays))))
    elif op == "Transpose":
        attributes = {"perm": [0, *data.draw(st.permutations(range(1, rank)))]}
    elif op == "Tile":
        weights = constants(r=np.array([1, *(data.draw(st.integers(1, 2)) for _ in shape)], I64))
    elif op == "Unsqueeze":
        weights = constants(a=np.array([axis, -1], I64))
    elif op == "Pad":
        ends = [data.draw(st.integers(0, 2)) for _ in shape]
        weights = constants(p=np.array([0, *ends, 0, *reversed(ends)], I64), v=np.float32(1.5))
    elif op == "Reshape":
        size = data.draw(st.sampled_from([[-1, prod(shape)], [0, -1], [0, prod(shape), 1], [0, 0, -1][: rank + 1]]))
        weights = constants(s=np.array(size, I64))
    check(single(folder, op, shape, attributes, weights))


@given(shape=SHAPES, data=st.data())
@settings(max_examples=30, deadline=None)
def test_parts_and_their_joining(folder, shape, data):
    axis = data.draw(st.integers(1, len(shape)))
    shape = (*shape[: axis - 1], shape[axis - 1] + 1, *shape[axis:])
    sizes = [1, shape[axis - 1] - 1]
    nodes = [
        helper.make_node("Split", ["x", "sizes"], ["a", "b"], axis=axis),
        helper.make_node("Concat", ["b", "x", "a"], ["y"], axis=axis - len(shape) - 1),
    ]
    results = [helper.make_empty_tensor_value_info("y")]
    check(save(folder / "s.onnx", nodes, [value("x", "N", *shape)], results, constants(sizes=np.array(sizes, I64))))


@pytest.mark.parametrize(("version", "outputs"), [(11, 2), (17, 2), (18, 3)])
def test_split_into_equal_parts(folder, version, outputs):
    attributes = {"axis": 1, **({"num_outputs": outputs} if version >= 18 else {})}
    path = single(folder, "Split", (6,), attributes, out=outputs, default=version)
    assert check(path).graph.output_names[0] == "y0_0"


def test_shapes_that_are_computed(folder):
    """What PyTorch writes for x.view(x.size(0), -1) and torch.zeros(len(x), 2)."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"], axis=0),
        helper.make_node("Unsqueeze", ["n", "axes"], ["n1"]),
        helper.make_node("Concat", ["n1", "minus"], ["to"], axis=0),
        helper.make_node("Reshape", ["x", "to"], ["flat"]),
        helper.make_node("Concat", ["n1", "two"], ["size"], axis=0),
        helper.make_node("ConstantOfShape", ["size"], ["ones"], value=helper.make_tensor("v", 1, [1], [1.5])),
        helper.make_node("Expand", ["row", "size"], ["rows"]),
        helper.make_node("Concat", ["flat", "ones", "rows"], ["y"], axis=1),
    ]
    weights = constants(
        zero=np.array(0, I64), axes=np.array([0], I64), minus=np.array([-1], I64), two=np.array([2], I64),
        row=np.array([[3.0, 4.0]], np.float32),
    )  # fmt: skip
    check(save(folder / "v.onnx", nodes, [value("x", "N", 2, 3)], [value("y", "N", 10)], weights))


def test_squeeze_in_its_forms(folder):
    check(single(folder, "Squeeze", (1, 3), weights=constants(a=np.array([1], I64))))
    check(single(folder, "Squeeze", (3, 1), {"axes": [-1]}, default=11))


# ---- layers ---------------------------------------------------------------------------------------------


@given(n=st.integers(1, 20), m=st.integers(1, 20), data=st.data())
@settings(max_examples=30, deadline=None)
def test_gemm_in_its_forms(folder, n, m, data):
    transposed = data.draw(st.booleans())
    shape = data.draw(st.sampled_from([(m,), (1, m), (1,), ()]))
    attributes = {"transB": int(transposed), "alpha": data.draw(st.sampled_from([1.0, 0.5])), "beta": 2.0}
    weights = constants(
        B=features(1, n * m, 1).reshape((m, n) if transposed else (n, m)), C=features(1, prod(shape), 2).reshape(shape)
    )
    check(single(folder, "Gemm", (n,), attributes, weights[: data.draw(st.sampled_from([1, 2]))]))


def test_gemm_that_adds_another_layer(folder):
    weights = constants(B=features(4, 3, 1), D=features(4, 3, 2))
    nodes = [
        helper.make_node("MatMul", ["x", "B"], ["c"]),
        helper.make_node("Gemm", ["x", "D", "c"], ["y"], beta=0.5),
    ]
    check(save(folder / "g.onnx", nodes, [value("x", "N", 4)], [value("y", "N", 3)], weights))


@given(lead=st.lists(st.integers(1, 3), max_size=2), n=st.integers(1, 6), m=st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_matrix_products_with_constants(folder, lead, n, m):
    check(single(folder, "MatMul", (*lead, n), weights=constants(B=features(n, m, 1))))
    check(single(folder, "MatMul", (*lead, n), weights=constants(B=features(1, n, 1)[0])))
    nodes = [helper.make_node("MatMul", ["A", "x"], ["y"])]
    results = [helper.make_empty_tensor_value_info("y")]
    check(save(folder / "m.onnx", nodes, [value("x", "N", n, m)], results, constants(A=features(3, n, 1))))


def test_products_of_rows_with_themselves(folder):
    """Attention: softmax(x x^T) x in every row."""
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["x", "t"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["weights"], axis=-1),
        helper.make_node("MatMul", ["weights", "x"], ["y"]),
    ]
    check(save(folder / "a.onnx", nodes, [value("x", "N", 4, 3)], [value("y", "N", 4, 3)]))


@given(shape=SHAPES)
@settings(max_examples=15, deadline=None)
def test_batch_normalization_of_a_trained_network(folder, shape):
    c = shape[0]
    weights = constants(
        s=features(1, c, 1)[0], b=features(1, c, 2)[0], m=features(1, c, 3)[0], v=np.abs(features(1, c, 4)[0]) + 0.1
    )
    check(single(folder, "BatchNormalization", shape, {"epsilon": 1e-3}, weights), tolerance=1e-5)


@given(shape=SHAPES, data=st.data())
@settings(max_examples=20, deadline=None)
def test_layer_normalization(folder, shape, data):
    axis = data.draw(st.integers(1, len(shape)))
    inner = shape[axis - 1 :]
    weights = constants(s=features(1, prod(inner), 1).reshape(inner), b=features(1, prod(inner), 2).reshape(inner))
    count = data.draw(st.sampled_from([1, 2]))
    path = single(folder, "LayerNormalization", shape, {"axis": axis, "epsilon": 0.01}, weights[:count])
    check(path, tolerance=1e-4)


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("version", [11, 13])
@given(shape=SHAPES, data=st.data())
@settings(max_examples=10, deadline=None)
def test_softmax_along_any_axis(folder, op, version, shape, data):
    check(single(folder, op, shape, {"axis": data.draw(st.integers(1, len(shape)))}, default=version))


REDUCTIONS = ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSumExp"]


@pytest.mark.parametrize("op", REDUCTIONS)
@given(shape=SHAPES, data=st.data())
@settings(max_examples=12, deadline=None)
def test_reductions_over_features(folder, op, shape, data):
    axes = data.draw(st.lists(st.integers(1, len(shape)), min_size=1, unique=True))
    keep = data.draw(st.sampled_from([0, 1]))
    new = constants(a=np.array(axes, I64))
    check(single(folder, f"Reduce{op}", shape, {"keepdims": keep}, new, default=18), tolerance=1e-5)
    old = {"keepdims": keep, "axes": [a - len(shape) - 1 for a in axes]}
    check(single(folder, f"Reduce{op}", shape, old, default=12), tolerance=1e-5)


@given(shape=SHAPES, data=st.data())
@settings(max_examples=10, deadline=None)
def test_argmax(folder, shape, data):
    check(single(folder, "ArgMax", shape, {"axis": data.draw(st.integers(1, len(shape))), "keepdims": 0}))


# ---- inputs, outputs, constants ---------------------------------------------------------------------------


def test_what_does_not_depend_on_the_rows_is_computed_beforehand(folder):
    nodes = [
        helper.make_node("Constant", [], ["a"], value=helper.make_tensor("t", 1, [2], [1.0, 2.0])),
        helper.make_node("Mul", ["a", "w"], ["b"]),
        helper.make_node("Add", ["x", "b"], ["y"]),
    ]
    path = save(folder / "k.onnx", nodes, [value("x", "N", 2)], [value("y", "N", 2)], constants(w=np.float32(3)))
    source = check(path)
    assert [v.op for v in source.graph.values if v.op not in ("input", "constant")] == ["add"]


def test_random_numbers_enter_by_an_input_of_their_own_or_behind_the_features(folder):
    source = check(with_noise_input(folder / "n.onnx"))
    assert (source.graph.input_names, source.graph.noise.width) == (("x_0", "x_1"), 3)
    none = make_source("f", folder / "n.onnx", noise=0).graph
    assert (none.input_names, none.noise) == (("x_0", "x_1", "noise_0", "noise_1", "noise_2"), None)
    source = check(linear(folder / "n.onnx", 5, 2), noise=3)
    assert (source.graph.input_names, source.graph.noise.width) == (("x_0", "x_1"), 3)
    source = check(linear(folder / "n.onnx", 5, 2, metadata={"noise": "4"}))
    assert source.graph.noise.width == 4


def test_a_z_among_columns_is_a_coordinate(folder):
    source = check(by_columns(folder / "c.onnx", ["x", "y", "z"]))
    assert (source.graph.input_names, source.graph.noise) == (("x", "y", "z"), None)
    source = check(by_columns(folder / "c.onnx", ["x", "y", "z"], ("noise", 4)))
    assert (source.graph.input_names, source.graph.noise.width) == (("x", "y", "z"), 4)
    source = check(by_columns(folder / "c.onnx", ["x", "y", "z"], ("eps", 4)), noise="eps")
    assert (source.graph.input_names, source.graph.noise.width) == (("x", "y", "z"), 4)


def test_metadata_name_columns_and_give_ranges(folder):
    metadata = {"input_names": "p,eta", "output_names": "a,b", "input_min": "0,2", "input_max": "1,5", "origin": "us"}
    source = check(linear(folder / "m.onnx", 2, 2, metadata=metadata))
    assert (source.graph.input_names, source.graph.output_names) == (("p", "eta"), ("a", "b"))
    assert (source.low.tolist(), source.high.tolist(), source.origin) == ([0, 2], [1, 5], "us")


def test_one_of_several_outputs_is_chosen_by_name_and_labels_are_left_out(folder):
    nodes = [
        helper.make_node("Relu", ["x"], ["score"]),
        helper.make_node("ArgMax", ["x"], ["label"], axis=1, keepdims=0),
    ]
    outputs = [value("label", "N", kind=TensorProto.INT64), value("score", "N", 3)]
    path = save(folder / "o.onnx", nodes, [value("x", "N", 3)], outputs)
    assert read_file(path, None).graph.output_names == ("score_0", "score_1", "score_2")
    source = read_file(path, "label")
    assert source.graph.output_names == ("label",)
    x = features(20, 3)
    assert evaluate(source.graph, x)[:, 0].tolist() == np.argmax(x, axis=1).tolist()
    with pytest.raises(CompilerError, match="there is no output 'other'; there are: label, score"):
        read_file(path, "other")


def test_double_precision_on_request(folder):
    source = read_file(linear(folder / "d.onnx", 3, 2), None, FLOAT64)
    assert source.graph.output.dtype == FLOAT64
    check(linear(folder / "d.onnx", 3, 2), dtype=FLOAT64)


# ---- errors ---------------------------------------------------------------------------------------------


def test_an_unknown_operator_names_the_node_and_the_way_out(folder):
    node = helper.make_node("NonZero", ["x"], ["y"], name="/net/odd")
    path = save(folder / "u.onnx", [node], [value("x", "N", 3)], [helper.make_empty_tensor_value_info("y")])
    fails(
        path,
        r"u\.onnx: node '/net/odd' \(NonZero\): this operator is not supported.*onnxruntime can evaluate.*'onnx: FILE'",
    )


@pytest.mark.parametrize(
    ("op", "attributes", "weights", "message"),
    [
        ("ReduceMean", {"axes": [0]}, {}, "works along the first axis, that is, across rows"),
        ("ReduceSum", {}, {}, "sums up all rows"),
        ("Softmax", {"axis": 0}, {}, "works along the first axis, that is, across rows"),
        ("Transpose", {"perm": [1, 0]}, {}, "moves the axis of the rows"),
        ("Reshape", {}, {"s": np.array([-1, 1], I64)}, r"a reshape of rows of shape \(4,\) to \(-1, 1\) mixes rows"),
        ("Add", {}, {"c": np.zeros((7, 4), np.float32)}, r"a constant of shape \(7, 4\) has a number for each row"),
        ("Add", {}, {"c": np.zeros(3, np.float32)}, r"shapes \(4,\), \(3,\) of a row do not match"),
        ("MatMul", {}, {"B": np.zeros((3, 2), np.float32)}, r"a row of shape \(4,\) does not match a matrix"),
        ("BatchNormalization", {"training_mode": 1}, dict.fromkeys("sbmv", np.ones(4, np.float32)), "evaluation mode"),
        ("Cast", {"to": TensorProto.FLOAT16}, {}, "casts to float16"),
        ("Gather", {"axis": 0}, {"i": np.array([0], I64)}, "works along the first axis, that is, across rows"),
        ("Tile", {}, {"r": np.array([2, 1], I64)}, "repeats rows"),
        ("Pad", {}, {"p": np.array([1, 0, 0, 0], I64)}, "adds rows"),
    ],
)
def test_what_looks_across_rows_or_does_not_fit_is_explained(folder, op, attributes, weights, message):
    version = 12 if op in ("ReduceMean", "ReduceSum") else 17
    fails(single(folder, op, (4,), attributes, constants(**weights), default=version), rf"'y0' \({op}\): .*{message}")


def test_files_that_are_no_functions_are_refused(folder):
    (folder / "no.onnx").write_text("nothing")
    fails(folder / "no.onnx", r"no\.onnx cannot be read as an ONNX file")
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    fails(
        save(folder / "w.onnx", nodes, [value("x", "N", None)], [value("y", "N", None)]), "how many columns input 'x'"
    )
    text = [value(name, "N", 1, kind=TensorProto.STRING) for name in "xy"]
    identity = [helper.make_node("Identity", ["x"], ["y"])]
    fails(
        save(folder / "t.onnx", identity, text[:1], text[1:]), "input 'x' is of type object; a function takes numbers"
    )
    fails(linear(folder / "z.onnx", 3, 2, metadata={"noise": "3"}), "3 columns of random numbers leave no features")
    fails(linear(folder / "z.onnx", 3, 2, metadata={"input_names": "a,b"}), "name 2 inputs, but there are 3")


def test_which_input_is_noise_must_be_clear(folder):
    path = with_noise_input(folder / "n.onnx", ("noise", "latent"))
    with pytest.raises(
        CompilerError, match=r"cannot find the input that takes the random numbers.*'noise' \(2\), 'latent' \(3\)"
    ):
        read_file(path, None)
    assert read_file(path, None, noise="latent").graph.noise.width == 3
    with pytest.raises(CompilerError, match="cannot find the input that takes the random numbers"):
        read_file(path, None, noise="z")
