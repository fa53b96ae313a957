"""Front end for ONNX: what PyTorch and Keras export, and what skl2onnx and onnxmltools make of other models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sqlamarr.compiler.function import Doubles, ModelSource
from sqlamarr.compiler.ir import FLOAT32, Graph
from sqlamarr.errors import CompilerError, missing_package
from sqlamarr.models.onnx import OnnxModel

if TYPE_CHECKING:
    import onnx


def read_file(
    path: Path, method: str | None, dtype: np.dtype[Any] = FLOAT32, *, noise: str | int | None = None
) -> ModelSource:
    """Read a function from an ONNX file.

    :param path: the file
    :param method: the output to compute; default: all but labels, if there is anything else
    :param dtype: the type in which single-precision values of the file are computed
    :param noise: the input that takes random numbers, or the number of last columns of a single input that do;
    default: the input with such a name, or the number in the file's metadata ``noise``
    :raises CompilerError: it is not an ONNX file, or a node, which is named, cannot be compiled
    :raises InstallationError: onnx or onnxruntime is not installed
    """
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise missing_package(str(path), "onnx", "onnx") from error
    from sqlamarr.compiler.onnx_graph.layout import OnnxLayout, output_names, outputs, producer
    from sqlamarr.compiler.onnx_graph.translate import OnnxTranslation

    model = _load(path)
    chosen = outputs(model, path, method)
    layout = OnnxLayout.of(model, path, noise)
    graph = Graph(layout.input_names, layout.noise)
    results = OnnxTranslation(model, path, graph, layout.rows, dtype).run(layout.feed(graph, dtype), chosen)
    joined = graph.concat([graph.cast(r.value, results[0].value.dtype) for r in results])
    graph.set_output(joined, output_names(layout.description.output_names, chosen, [r.value.width for r in results]))

    def reference(x: Doubles, z: Doubles) -> Doubles:
        original = OnnxModel(path, layout.option, chosen)
        given = z.astype(np.float32) if layout.noise else None
        return original(x.astype(np.float32), given, joined.width).astype(np.float64)

    unknown = np.full((2, len(layout.input_names)), np.nan)
    low, high = unknown if layout.description.ranges is None else layout.description.ranges.astype(np.float64)
    return ModelSource(graph, reference, low, high, layout.description.origin or f"{path.name}, {producer(model)}")


def _load(path: Path) -> onnx.ModelProto:
    import onnx

    try:
        model = onnx.load(str(path))
    except Exception as error:  # protobuf's error has no stable home
        raise CompilerError(f"{path} cannot be read as an ONNX file: {error}") from error
    if model.functions:
        from onnx import inliner

        model = inliner.inline_local_functions(model)
    return model
