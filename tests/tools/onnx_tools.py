"""Small ONNX files for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sqlamarr.compiler.evaluate import evaluate
from sqlamarr.compiler.onnx_graph import read_file
from sqlamarr.errors import CompilerError

OPSET = 17


def value(name, *shape, kind=TensorProto.FLOAT):
    """A graph input or output: ``N`` is the dynamic number of rows."""
    return helper.make_tensor_value_info(name, kind, shape)


def constants(**arrays):
    return [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]


def save(path, nodes, inputs, outputs, weights=(), metadata=None, opsets=(), default=OPSET) -> Path:
    graph = helper.make_graph(nodes, "test", inputs, outputs, list(weights))
    opsets = [helper.make_opsetid("", default), *(helper.make_opsetid(*pair) for pair in opsets)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, str(path))
    return Path(path)


def linear(path, n_in, n_out, seed=0, **options) -> Path:
    """``y = x A + b`` with random numbers in A and b."""
    rng = np.random.default_rng(seed)
    weights = constants(
        A=rng.normal(size=(n_in, n_out)).astype(np.float32), b=rng.normal(size=n_out).astype(np.float32)
    )
    nodes = [helper.make_node("Gemm", ["x", "A", "b"], ["y"])]
    return save(path, nodes, [value("x", "N", n_in)], [value("y", "N", n_out)], weights, **options)


def outside(path) -> Path:
    """Move the weights of a file into a second one, as PyTorch's exporter does by default."""
    model = onnx.load(str(path))
    onnx.save(model, str(path), save_as_external_data=True, location=f"{path.name}.data", size_threshold=0)
    return path.with_name(f"{path.name}.data")


def with_noise_input(path, names=("x", "noise"), n_in=2, n_noise=3) -> Path:
    """``y = (sum of features, sum of noise)``."""
    axes = constants(axes=np.array([1]))
    nodes = [
        helper.make_node("ReduceSum", [names[0], "axes"], ["sum_x"]),
        helper.make_node("ReduceSum", [names[1], "axes"], ["sum_noise"]),
        helper.make_node("Concat", ["sum_x", "sum_noise"], ["y"], axis=1),
    ]
    inputs = [value(names[0], "N", n_in), value(names[1], "N", n_noise)]
    return save(path, nodes, inputs, [value("y", "N", 2)], axes)


def by_columns(path, names, noise=None) -> Path:
    """The sum of inputs of one column each, weighted by 1, 2, 3..., and of random numbers: ``(name, width)``."""
    inputs = [value(name, "N", 1) for name in names] + ([value(noise[0], "N", noise[1])] if noise else [])
    nodes, weights = [], {"axes": np.array([1])}
    for number, given in enumerate(inputs, start=1):
        weights[f"w{number}"] = np.float32(number)
        nodes += [
            helper.make_node("Mul", [given.name, f"w{number}"], [f"p{number}"]),
            helper.make_node("ReduceSum", [f"p{number}", "axes"], [f"s{number}"]),
        ]
    nodes.append(helper.make_node("Sum", [f"s{number}" for number in range(1, len(inputs) + 1)], ["sum"]))
    return save(path, nodes, inputs, [value("sum", "N", 1)], constants(**weights))


def features(rows, width, seed=0):
    """Numbers of both signs, with zeros and halves among them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, width)) * rng.choice([0.3, 1, 4], size=(rows, width))
    return np.where(rng.random((rows, width)) < 0.2, np.round(2 * x) / 2, x).astype(np.float32)


def check(path: Path, rows=7, tolerance=2e-6, dtype=None, seed=0, noise=None):
    source = read_file(path, None, *([dtype] if dtype else []), noise=noise)
    x = features(rows, len(source.graph.input_names), seed)
    z = features(rows, source.graph.noise.width, seed + 1) if source.graph.noise else np.empty((rows, 0), np.float32)
    expected = source.reference(x.astype(float), z.astype(float))
    found = evaluate(source.graph, x, z)
    assert found == pytest.approx(
        expected, rel=tolerance, abs=tolerance * max(1, np.nanmax(np.abs(expected), initial=0)), nan_ok=True
    )
    return source


def fails(path, message):
    with pytest.raises(CompilerError, match=message):
        read_file(path, None)
