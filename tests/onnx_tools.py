"""Small ONNX files for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

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
