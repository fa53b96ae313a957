"""Inputs and outputs of an ONNX file: features, random numbers, and the names of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from sqlamarr.compiler.ir import FLOAT64, Graph
from sqlamarr.compiler.onnx_graph.elementwise import truncated
from sqlamarr.compiler.onnx_graph.tensors import Tensor
from sqlamarr.errors import CompilerError, ModelError
from sqlamarr.models.base import ModelDescription
from sqlamarr.models.onnx_ports import Port, describe, named_noise

LABELS = (onnx.TensorProto.INT64, onnx.TensorProto.INT32, onnx.TensorProto.STRING, onnx.TensorProto.BOOL)


@dataclass(frozen=True)
class OnnxLayout:
    """How features and random numbers become the inputs of the graph.

    :ivar features: inputs that take features
    :ivar noise_port: the input that takes only the random numbers
    :ivar noise: number of random numbers
    :ivar rows: number of rows that the file was exported for, None for any
    :ivar description: names and ranges that the file gives
    """

    features: tuple[Port, ...]
    noise_port: Port | None
    noise: int
    rows: int | None
    description: ModelDescription

    @classmethod
    def of(cls, model: onnx.ModelProto, path: Path, noise: str | int | None) -> OnnxLayout:
        """Read it from a file; see :func:`sqlamarr.compiler.onnx_graph.read`.

        :raises CompilerError: the inputs, or those for random numbers, are ambiguous
        """
        weights = {tensor.name for tensor in model.graph.initializer}
        inputs = [value for value in model.graph.input if value.name not in weights]
        ports = [_port(value, path) for value in inputs]
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        try:
            noise = int(metadata["noise"]) if noise is None and "noise" in metadata else noise
            port = None if isinstance(noise, int) else _noise_port(ports, noise, path)
            features = tuple(p for p in ports if p is not port)
            description = describe(metadata, features, path.name)
        except (ModelError, ValueError) as error:
            raise CompilerError(f"{path}: the metadata are not valid: {error}") from error
        total = sum(p.width or 0 for p in features)
        columns = noise if isinstance(noise, int) else 0
        if not 0 <= columns < total:
            raise CompilerError(f"{path}: {columns} columns of random numbers leave no features among {total}.")
        sizes = [value.type.tensor_type.shape.dim for value in inputs]
        fixed = {shape[0].dim_value for shape in sizes if shape} - {0}
        names = description.input_names
        if names is not None and len(names) != total - columns:
            raise CompilerError(f"{path}: the metadata name {len(names)} inputs, but there are {total - columns}.")
        return cls(features, port, port.width or 0 if port else columns, min(fixed, default=None), description)

    @property
    def option(self) -> str | None:
        """The same, as :class:`sqlamarr.models.onnx.OnnxModel` takes it."""
        return self.noise_port.name if self.noise_port else "last" if self.noise else None

    @property
    def input_names(self) -> list[str]:
        """Names of the features: the file's, or made of the names of its inputs."""
        if self.description.input_names is not None:
            return self.description.input_names
        widths = [port.width or 0 for port in self.features]
        if self.noise_port is None:
            widths[-1] -= self.noise  # one input of both, or several with the random numbers at the end
        return _numbered([port.name for port in self.features], widths)

    def feed(self, graph: Graph, real: np.dtype[Any]) -> dict[str, Tensor]:
        """The inputs of the file from those of the function; those in single precision are of type ``real``."""
        matrix, given = graph.input, {}
        if graph.noise is not None and self.noise_port is not None:
            given[self.noise_port.name] = graph.noise
        elif graph.noise is not None:
            matrix = graph.concat([graph.input, graph.noise])
        start = 0
        for port in self.features:
            stop = start + (port.width or 0)
            given[port.name] = graph.select(matrix, range(start, stop))
            start = stop
        ports = {port.name: port for port in (*self.features, *([self.noise_port] if self.noise_port else []))}
        result = {}
        for name, value in given.items():
            kind = np.dtype(ports[name].dtype)
            whole = truncated(graph, value) if kind.kind == "i" else value
            shape = tuple(size or 0 for size in ports[name].shape)
            result[name] = Tensor(graph.cast(whole, real if kind == np.float32 else FLOAT64), shape, kind)
        return result


def _port(value: onnx.ValueInfoProto, path: Path) -> Port:
    kind = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    if kind not in (np.float32, np.float64, np.int64, np.int32):
        raise CompilerError(f"{path}: input '{value.name}' is of type {kind}; a function takes numbers.")
    shape = tuple(dim.dim_value or None for dim in value.type.tensor_type.shape.dim[1:])
    if None in shape:
        raise CompilerError(
            f"{path}: the file does not say how many columns input '{value.name}' has. Export it with a fixed "
            "number of features, with only the rows dynamic."
        )
    return Port(value.name, shape, kind)


def _noise_port(ports: Sequence[Port], name: str | None, path: Path) -> Port | None:
    fitting = [p for p in ports if p.name == name] if name else named_noise(ports)
    if len(fitting) > 1 or (name and not fitting) or (fitting and len(ports) == 1):
        raise CompilerError(
            f"{path}: cannot find the input that takes the random numbers; there are: {', '.join(map(str, ports))}. "
            "Give the name of one, or, for a single input, the number of its last columns that take them."
        )
    return fitting[0] if fitting else None


def outputs(model: onnx.ModelProto, path: Path, name: str | None) -> list[str]:
    """The output of this name, or all outputs but labels, or all if there are only labels.

    :raises CompilerError: there is no such output
    """
    known = [(value.name, value.type.tensor_type.elem_type) for value in model.graph.output]
    if name is not None:
        if name not in dict(known):
            raise CompilerError(f"{path}: there is no output {name!r}; there are: {', '.join(dict(known))}.")
        return [name]
    numbers = [output for output, kind in known if kind not in LABELS]  # maps of probabilities have no type here
    return numbers or [output for output, _ in known]


def output_names(given: Sequence[str] | None, names: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Names of the output columns: the metadata's, or made of the outputs' names."""
    return list(given) if given is not None and len(given) == sum(widths) else _numbered(names, widths)


def _numbered(names: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [name if width == 1 else f"{name}_{i}" for name, width in zip(names, widths) for i in range(width)]


def producer(model: onnx.ModelProto) -> str:
    """Return the program that exported the file."""
    return f"exported by {model.producer_name} {model.producer_version}".strip() if model.producer_name else "ONNX"
