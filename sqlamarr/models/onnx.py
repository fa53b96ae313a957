"""``onnx``: a network in an ONNX file, evaluated by onnxruntime on one thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from sqlamarr.checking.wording import counted
from sqlamarr.errors import ModelError, missing_package
from sqlamarr.models.base import Floats, ModelDescription, Sizes
from sqlamarr.models.blocks import ROWS, BlockModel, Evaluate
from sqlamarr.models.onnx_ports import Port, describe, named_noise

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}
CONCATENATED = ("first", "last")  # places of the random numbers in a single matrix of features


class OnnxModel(BlockModel):
    """The graph of an ONNX file.

    Features are the graph's inputs in their order (one matrix, several matrices, or one input per column).
    Random numbers are passed as an input of their own, or as columns of a single matrix, after the features.
    Names and ranges of the inputs are taken from the file's metadata if it has them (``input_names``,
    ``output_names``, ``input_min``, ``input_max``: comma-separated). Names are also taken from inputs of one
    column each.

    :param path: the file
    :param noise: name of the input for random numbers, or ``first`` or ``last`` for their place in a single
        matrix; default: found from names and sizes
    :param outputs: names of the graph's outputs to use; default: all, or all but integer labels
    :raises ModelError: the file cannot be loaded
    :raises InstallationError: onnxruntime is not installed
    """

    def __init__(self, path: Path, noise: str | None = None, outputs: Sequence[str] | None = None) -> None:
        self._session = open_session(path)
        self._noise = noise
        self._ports, rows = ports_of(self._session, path.name, ROWS)
        self._outputs = list(outputs or [])
        self._check_outputs(path.name)
        taken = [port for port in self._ports if port.name == noise] if noise else named_noise(self._ports)
        self._file = path.name
        super().__init__(f"network '{path.name}'", self._describe(taken), rows)

    def _describe(self, taken: Sequence[Port]) -> ModelDescription:
        """Return the file's description of itself, given the inputs that take random numbers."""
        metadata = self._session.get_modelmeta().custom_metadata_map
        return describe(metadata, [port for port in self._ports if port not in taken], self._file)

    @property
    def output_names(self) -> list[str] | None:
        """The names of the outputs in their order, if the file names those that are used."""
        names = super().output_names
        return names if names is None or not self._outputs else self._names_of_chosen(names)

    def _names_of_chosen(self, names: list[str]) -> list[str] | None:
        """The names of the columns of the chosen outputs, in the order of choice; None if they cannot be assigned."""
        known = self._session.get_outputs()
        chosen = [output for output in known if output.name in self._outputs]
        for named in (known, [output for output in known if "int" not in output.type], chosen):
            shapes = {output.name: output.shape[1:] for output in named}
            if not all(isinstance(size, int) for shape in shapes.values() for size in shape):
                continue
            if sum(map(prod, shapes.values())) == len(names) and shapes.keys() >= set(self._outputs):
                rest = iter(names)
                columns = {name: [next(rest) for _ in range(prod(shape))] for name, shape in shapes.items()}
                return [column for name in self._outputs for column in columns[name]]
        return None

    def _check_outputs(self, name: str) -> None:
        known = [output.name for output in self._session.get_outputs()]
        if missing := [output for output in self._outputs if output not in known]:
            raise ModelError(f"network '{name}' has no output {missing[0]!r}; it has: {', '.join(known)}.")

    def _function(self, sizes: Sizes) -> Evaluate:
        split = self._layout(sizes)
        chosen: list[str] = self._outputs

        def function(inputs: Floats, noise: Floats) -> Floats:
            values = self._run(chosen, split(inputs, noise))
            return np.hstack([_matrix(value, len(inputs)) for value in values])

        if not chosen:
            zeros = np.zeros((self._rows, sizes.inputs), np.float32), np.zeros((self._rows, sizes.noise), np.float32)
            chosen = self._choose(split(*zeros), sizes.outputs)
        return function

    def _run(self, names: list[str], feed: Mapping[str, Any]) -> list[Any]:
        try:
            return list(self._session.run(names or None, feed))
        except Exception as error:  # onnxruntime's exceptions have no common base class
            raise ModelError(f"failed in onnxruntime: {error}") from error

    def _layout(self, sizes: Sizes) -> Any:
        """Return the function that turns the two matrices into the inputs of the graph."""
        port = self._noise_port(sizes)
        features = [p for p in self._ports if p is not port]
        self._description = self._describe([port] if port else [])  # sizes are more reliable than names
        if port is not None and port.width not in (None, sizes.noise):
            self._misfit(sizes)
        extra = sizes.noise if port is None else 0
        columns = self._columns(features, sizes.inputs + extra, sizes)

        def split(inputs: Floats, noise: Floats) -> dict[str, Any]:
            if port is not None:
                matrix = inputs
            else:
                matrix = np.hstack([noise, inputs] if self._noise == "first" else [inputs, noise])
            feed = {p.name: p.fed(matrix[:, columns[i] : columns[i + 1]]) for i, p in enumerate(features)}
            return feed if port is None else {**feed, port.name: port.fed(noise)}

        return split

    def _noise_port(self, sizes: Sizes) -> Port | None:
        """Find the input that takes only the random numbers."""
        if self._noise in CONCATENATED:
            return None
        if self._noise is not None:
            for port in self._ports:
                if port.name == self._noise:
                    return port
            raise ModelError(f"has no input {self._noise!r} for the noise; it has: {_listed(self._ports)}.")
        if not sizes.noise or len(self._ports) == 1:
            return None
        named = named_noise(self._ports)
        fitting = [port for port in self._ports if port.width == sizes.noise]
        for candidates in ([port for port in named if port.width in (None, sizes.noise)], fitting, named):
            if len(candidates) == 1:
                return candidates[0]
        raise ModelError(
            f"does not show which of its inputs takes the {sizes.noise} random numbers: {_listed(self._ports)}. "
            "Add 'noise: NAME' next to 'onnx:' in the pipeline."
        )

    def _columns(self, ports: list[Port], total: int, sizes: Sizes) -> list[int]:
        """Return where the columns of each input begin, and where the last ends."""
        known = sum(port.width or 0 for port in ports)
        open_ports = [port for port in ports if port.width is None]
        if len(open_ports) > 1 or known > total or (known != total and not open_ports):
            self._misfit(sizes)
        edges = [0]
        for port in ports:
            edges.append(edges[-1] + (total - known if port.width is None else port.width))
        if not all(start < stop for start, stop in pairwise(edges)):
            self._misfit(sizes)
        return edges

    def _misfit(self, sizes: Sizes) -> None:
        hint = (
            " Random numbers are passed as an input of their own ('noise: NAME' next to 'onnx:' in the pipeline) "
            "or as columns of a single input, after or before the features ('noise: last' or 'noise: first')."
        )
        raise ModelError(
            f"the pipeline expects {sizes}, but the network's inputs are {_listed(self._ports)}."
            + hint * bool(sizes.noise)
        )

    def _choose(self, feed: Mapping[str, Any], expected: int) -> list[str]:
        """Choose the outputs: all, or all but integer labels, whichever gives the declared number of values."""
        rows = len(next(iter(feed.values())))
        names = [output.name for output in self._session.get_outputs()]
        labels = {output.name for output in self._session.get_outputs() if "int" in output.type[: len("tensor(int")]}
        widths = {n: _matrix(v, rows).shape[1] for n, v in zip(names, self._run([], feed))}
        for chosen in (names, [name for name in names if name not in labels]):
            if sum(widths[name] for name in chosen) == expected:
                return chosen
        listed = ", ".join(f"'{name}' ({width})" for name, width in widths.items())
        raise ModelError(
            f"the pipeline declares {counted(expected, 'output')}, but the network returns {listed}. "
            "Choose among several with 'outputs: [NAME, ...]' next to 'onnx:' in the pipeline."
        )


def open_session(path: Path) -> Any:
    """Load an ONNX file in onnxruntime, on one thread.

    :raises ModelError: it cannot be loaded
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise missing_package(str(path), "onnxruntime", "onnx") from error
    options = onnxruntime.SessionOptions()
    # One thread: there is one worker per processor already, and sums keep their order.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common base class
        raise ModelError(f"Cannot load the network {path}: {error}") from error


def ports_of(session: Any, name: str, default: int) -> tuple[list[Port], int]:
    """Return the graph's inputs, and the number of rows per call; ``default`` if it takes any number.

    :raises ModelError: an input has an unsupported type, or inputs take different numbers of rows
    """
    ports, batches = [], set()
    for value in session.get_inputs():
        if value.type not in _DTYPES:
            known = ", ".join(_DTYPES)
            raise ModelError(
                f"network '{name}': input '{value.name}' has the type {value.type}; expected one of: {known}."
            )
        sizes = [size if isinstance(size, int) and size > 0 else None for size in value.shape]
        batches.add(sizes[0] if sizes else 1)
        ports.append(Port(value.name, tuple(sizes[1:]), _DTYPES[value.type]))
    if len(batches) > 1:
        raise ModelError(f"network '{name}': the inputs take different numbers of rows, {batches}.")
    return ports, next(iter(batches), None) or default


def _matrix(value: Any, rows: int) -> Floats:
    """Return an output as (rows, values). ZipMap makes a dict per row, with its values in the order of the classes."""
    if isinstance(value, list):
        value = np.array([list(row.values()) for row in value])
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub" or value.shape[:1] != (rows,):
        shape = getattr(value, "shape", type(value).__name__)
        raise ModelError(
            f"returns an output {shape} for {counted(rows, 'row')}, which is not a fixed number of values per row."
        )
    return value.reshape(rows, -1).astype(np.float32)


def _listed(ports: Sequence[Port]) -> str:
    return ", ".join(map(str, ports))
