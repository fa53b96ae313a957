"""ONNX files as models: sizes, how noise enters, and that neither batch nor neighbours matter."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_tools import by_columns, constants, linear, save, value, with_noise_input

from sqlamarr.errors import ModelError
from sqlamarr.models.base import Sizes
from sqlamarr.models.onnx import OnnxModel

pytest.importorskip("onnxruntime")


def rows(n, width, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


def test_a_network_is_evaluated(tmp_path):
    model = OnnxModel(linear(tmp_path / "m.onnx", 3, 2))
    model.verify(Sizes(3, 2, 0))
    rng = np.random.default_rng(0)
    matrix, offset = rng.normal(size=(3, 2)), rng.normal(size=2)
    assert model(rows(5, 3), None, 2) == pytest.approx(rows(5, 3) @ matrix + offset, abs=1e-5)
    assert model(rows(0, 3), None, 2).shape == (0, 2)


@pytest.mark.parametrize("n", [1, 7, 255, 256, 257, 1000])
def test_a_row_does_not_see_its_batch(tmp_path, n):
    model = OnnxModel(linear(tmp_path / "m.onnx", 64, 16))
    together = model(rows(n, 64), None, 16)
    cut = n // 3
    parts = [model(part, None, 16) for part in (rows(n, 64)[:cut], rows(n, 64)[cut:])]
    assert together.tobytes() == np.vstack(parts).tobytes()
    assert together[-1].tobytes() == model(rows(n, 64)[-1:], None, 16).tobytes()
    assert together[:3].tobytes() == model(rows(n, 64)[:3], None, 16, batched=False).tobytes()


def test_a_network_exported_for_a_fixed_number_of_rows_is_called_with_it(tmp_path):
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    model = OnnxModel(save(tmp_path / "m.onnx", nodes, [value("x", 4, 2)], [value("y", 4, 2)]))
    assert model(rows(11, 2), None, 2).tolist() == np.maximum(rows(11, 2), 0).tolist()


@pytest.mark.parametrize("names", [("x", "noise"), ("features", "latent_vector"), ("condition", "z"), ("a", "b")])
def test_noise_enters_by_its_own_input(tmp_path, names):
    model = OnnxModel(with_noise_input(tmp_path / "m.onnx", names))
    model.verify(Sizes(2, 2, 3))
    noise = rows(4, 3, seed=1)
    assert model(rows(4, 2), noise, 2) == pytest.approx(
        np.stack([rows(4, 2).sum(axis=1), noise.sum(axis=1)], axis=1), abs=1e-6
    )


def test_which_input_is_noise_must_be_said_where_it_cannot_be_seen(tmp_path):
    path = with_noise_input(tmp_path / "m.onnx", ("a", "b"), 3, 3)
    with pytest.raises(ModelError, match=r"takes the 3 random numbers: 'a' \(3\), 'b' \(3\). Add 'noise: NAME'"):
        OnnxModel(path).verify(Sizes(3, 2, 3))
    said = OnnxModel(path, noise="a")
    assert said(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32), 2).tolist() == [[3, 0]]
    with pytest.raises(ModelError, match="has no input 'c' for the noise; it has: 'a' .*'b'"):
        OnnxModel(path, noise="c").verify(Sizes(3, 2, 3))


@pytest.mark.parametrize("noise", [None, ("noise", 1), ("eps", 16)])
def test_a_z_among_columns_is_a_coordinate(tmp_path, noise):
    model = OnnxModel(by_columns(tmp_path / "m.onnx", ["x", "y", "z"], noise))
    width = noise[1] if noise else 0
    model.verify(Sizes(3, 1, width))
    assert model.input_names == ["x", "y", "z"]
    given = rows(4, width, seed=1)
    expected = rows(4, 3) @ [1, 2, 3] + 4 * given.sum(axis=1)
    assert model(rows(4, 3), given if noise else None, 1)[:, 0] == pytest.approx(expected, abs=1e-5)


def test_the_step_decides_whether_an_input_takes_random_numbers(tmp_path):
    model = OnnxModel(by_columns(tmp_path / "m.onnx", ["x", "y"], ("noise", 1)))
    model.verify(Sizes(2, 1, 1))
    assert model.input_names == ["x", "y"]
    model.verify(Sizes(3, 1, 0))
    assert model.input_names == ["x", "y", "noise"]


def test_noise_may_be_columns_of_the_only_input(tmp_path):
    path = linear(tmp_path / "m.onnx", 5, 2)
    inputs, noise = rows(9, 2), rows(9, 3, seed=1)
    behind, before = OnnxModel(path)(inputs, noise, 2), OnnxModel(path, noise="first")(inputs, noise, 2)
    whole = OnnxModel(path)
    assert behind.tobytes() == whole(np.hstack([inputs, noise]), None, 2).tobytes()
    assert before.tobytes() == whole(np.hstack([noise, inputs]), None, 2).tobytes()


def test_one_input_per_column_gives_them_names(tmp_path):
    nodes = [helper.make_node("Concat", ["px", "py"], ["y"], axis=1)]
    inputs = [value("px", "N", 1), value("py", "N", 1, kind=TensorProto.FLOAT)]
    model = OnnxModel(save(tmp_path / "m.onnx", nodes, inputs, [value("y", "N", 2)]))
    assert model.input_names == ["px", "py"]
    assert model(rows(3, 2), None, 2).tolist() == rows(3, 2).tolist()


def test_names_and_ranges_come_from_the_metadata(tmp_path):
    metadata = {"input_names": "px, py", "output_names": "a,b", "input_min": "-1,-2", "input_max": "1,2", "origin": "X"}
    model = OnnxModel(linear(tmp_path / "m.onnx", 2, 2, metadata=metadata))
    assert (model.input_names, model.output_names, model.origin) == (["px", "py"], ["a", "b"], "X")
    assert model.outside(np.array([[0, 3], [0, -3], [5, 0]], np.float32)).tolist() == [1, 2]
    with pytest.raises(ModelError, match="input_min and input_max are not numbers"):
        OnnxModel(linear(tmp_path / "n.onnx", 2, 2, metadata={"input_min": "a,b", "input_max": "1,2"}))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (Sizes(4, 2, 0), r"'m.onnx': the pipeline expects 4 inputs.*the network's inputs are 'x' \(3\)\.$"),
        (Sizes(3, 1, 0), r"declares 1 output, but the network returns 'y' \(2\)"),
        (
            Sizes(3, 2, 4),
            r"4 random numbers.*inputs are 'x' \(3\)\. Random numbers are passed as an input of their own",
        ),
    ],
)
def test_wrong_sizes_stop_before_any_event(tmp_path, sizes, message):
    with pytest.raises(ModelError, match=message):
        OnnxModel(linear(tmp_path / "m.onnx", 3, 2)).verify(sizes)


def test_outputs_may_be_chosen(tmp_path):
    nodes = [
        helper.make_node("Relu", ["x"], ["positive"]),
        helper.make_node("Neg", ["x"], ["minus"]),
        helper.make_node("ArgMax", ["x"], ["label"], axis=1, keepdims=0),
    ]
    outputs = [
        value("positive", "N", 2),
        value("minus", "N", 2),
        helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
    ]
    path = save(tmp_path / "m.onnx", nodes, [value("x", "N", 2)], outputs)
    one = np.array([[1, -2]], np.float32)
    assert OnnxModel(path)(one, None, 5).tolist() == [[1, 0, -1, 2, 0]]
    assert OnnxModel(path)(one, None, 4).tolist() == [[1, 0, -1, 2]]  # without the label
    assert OnnxModel(path, outputs=["minus"])(one, None, 2).tolist() == [[-1, 2]]
    with pytest.raises(
        ModelError, match=r"declares 2 outputs, but the network returns 'positive' \(2\), 'minus' \(2\)"
    ):
        OnnxModel(path).verify(Sizes(2, 2, 0))
    with pytest.raises(ModelError, match="has no output 'plus'; it has: positive, minus, label"):
        OnnxModel(path, outputs=["plus"])


def test_probabilities_of_a_zipmap_become_columns(tmp_path):
    nodes = [
        helper.make_node("Softmax", ["x"], ["p"], axis=1),
        helper.make_node("ZipMap", ["p"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1]),
    ]
    kind = helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    )
    outputs = [helper.make_value_info("y", kind)]
    path = save(tmp_path / "m.onnx", nodes, [value("x", "N", 2)], outputs, opsets=[("ai.onnx.ml", 3)])
    assert OnnxModel(path)(np.zeros((3, 2), np.float32), None, 2).tolist() == [[0.5, 0.5]] * 3


def test_a_network_that_looks_at_other_rows_is_refused(tmp_path):
    nodes = [helper.make_node("ReduceMean", ["x"], ["m"], axes=[0]), helper.make_node("Sub", ["x", "m"], ["y"])]
    path = save(tmp_path / "m.onnx", nodes, [value("x", "N", 2)], [value("y", "N", 2)])
    with pytest.raises(ModelError, match="returns a different result for a row when other rows change"):
        OnnxModel(path).verify(Sizes(2, 2, 0))


def test_a_network_that_draws_its_own_random_numbers_is_refused(tmp_path):
    nodes = [helper.make_node("RandomNormalLike", ["x"], ["r"]), helper.make_node("Add", ["x", "r"], ["y"])]
    path = save(tmp_path / "m.onnx", nodes, [value("x", "N", 2)], [value("y", "N", 2)])
    with pytest.raises(ModelError, match="returns different results for the same rows"):
        OnnxModel(path).verify(Sizes(2, 2, 0))


def test_a_file_that_is_no_network_is_refused(tmp_path):
    (tmp_path / "no.onnx").write_text("nothing")
    with pytest.raises(ModelError, match=r"Cannot load the network .*no\.onnx"):
        OnnxModel(tmp_path / "no.onnx")


def test_an_input_of_text_is_refused(tmp_path):
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    ports = [value(name, "N", 1, kind=TensorProto.STRING) for name in "xy"]
    with pytest.raises(ModelError, match=r"input 'x' has the type tensor\(string\); expected one of: tensor\(float\)"):
        OnnxModel(save(tmp_path / "m.onnx", nodes, ports[:1], ports[1:]))


def test_wrong_shapes_are_refused(tmp_path):
    model = OnnxModel(with_noise_input(tmp_path / "m.onnx"))
    model.verify(Sizes(2, 2, 3))
    with pytest.raises(ModelError, match="expects 4 inputs, .* the network's inputs are 'x' \\(2\\), 'noise' \\(3\\)"):
        model(rows(1, 4), rows(1, 3), 2)
    with pytest.raises(ModelError, match="2 rows of inputs, but 1 of random numbers"):
        model(rows(2, 2), rows(1, 3), 2)


def test_doubles_and_integers_are_fed_as_the_graph_wants_them(tmp_path):
    nodes = [
        helper.make_node("Cast", ["i"], ["f"], to=TensorProto.DOUBLE),
        helper.make_node("Add", ["d", "f"], ["y"]),
    ]
    inputs = [value("d", "N", 1, kind=TensorProto.DOUBLE), value("i", "N", 1, kind=TensorProto.INT64)]
    path = save(tmp_path / "m.onnx", nodes, inputs, [value("y", "N", 1, kind=TensorProto.DOUBLE)])
    assert OnnxModel(path)(np.array([[0.5, 3]], np.float32), None, 1).tolist() == [[3.5]]


def test_inputs_of_more_dimensions_take_their_columns_in_order(tmp_path):
    nodes = [helper.make_node("Flatten", ["x"], ["y"], axis=1)]
    path = save(tmp_path / "m.onnx", nodes, [value("x", "N", 2, 3)], [value("y", "N", 6)], constants())
    assert OnnxModel(path)(rows(2, 6), None, 6).tolist() == rows(2, 6).tolist()
