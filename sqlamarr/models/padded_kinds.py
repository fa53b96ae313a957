"""Models of padded events in ONNX files and in Python."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np

from sqlamarr.errors import ModelError
from sqlamarr.models.events import EventSizes
from sqlamarr.models.onnx import open_session, ports_of
from sqlamarr.models.onnx_ports import Port, describe
from sqlamarr.models.padded import EVENTS, PaddedAnswers, PaddedEventModel, PaddedEvents, PaddedFunction
from sqlamarr.models.python import description_of
from sqlamarr.user_code.functions import error_in_words, load_function

INPUTS = ("rows", "mask", "event", "noise", "event_noise")
OUTPUTS = ("out_rows", "out_mask", "out_links")


class OnnxEventModel(PaddedEventModel):
    """The graph of an ONNX file with inputs ``rows`` and ``mask`` (and ``event``, ``noise``, ``event_noise``, if it
    needs them) and outputs ``out_rows``, ``out_mask``, ``out_links``, in the shapes of
    :class:`~sqlamarr.models.padded.PaddedEvents` and of its results.

    :param path: the file
    :raises ModelError: it cannot be loaded, or has different inputs or outputs
    """

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)
        self._ports, events = ports_of(self._session, path.name, EVENTS)
        names = [port.name for port in self._ports]
        outputs = [output.name for output in self._session.get_outputs()]
        if not {"rows", "mask"} <= set(names) <= set(INPUTS) or not set(OUTPUTS) <= set(outputs):
            raise ModelError(
                f"network '{path.name}' has the inputs {', '.join(names)} and the outputs {', '.join(outputs)}; "
                f"an event model takes rows and mask (and optionally {', '.join(INPUTS[2:])}), "
                f"and returns {', '.join(OUTPUTS)}."
            )
        metadata = self._session.get_modelmeta().custom_metadata_map
        super().__init__(f"network '{path.name}'", describe(metadata, [], path.name), events)

    def _function(self, sizes: EventSizes, inputs: int) -> PaddedFunction:
        expected = {
            "rows": (inputs, sizes.inputs), "mask": (inputs,), "event": (sizes.event_inputs,),
            "noise": (inputs, sizes.noise), "event_noise": (sizes.event_noise,),
        }  # fmt: skip
        for port in self._ports:
            _check(port, expected[port.name])
        used = {port.name for port in self._ports}
        for name in ("event", "noise", "event_noise"):
            if expected[name][-1] and name not in used:
                raise ModelError(f"has no input '{name}', but the pipeline expects {sizes}.")

        def function(given: PaddedEvents) -> PaddedAnswers:
            feed = {port.name: np.ascontiguousarray(getattr(given, port.name), port.dtype) for port in self._ports}
            try:
                rows, mask, links = self._session.run(list(OUTPUTS), feed)
            except Exception as error:  # onnxruntime has no common base class for its own
                raise ModelError(f"failed in onnxruntime: {error}") from error
            return _floats(rows), _floats(mask), _floats(links)

        return function


def _check(port: Port, expected: tuple[int, ...]) -> None:
    fits = len(port.shape) == len(expected) and all(a in (None, b) for a, b in zip(port.shape, expected))
    if not fits:
        shape = ", ".join("any" if n is None else str(n) for n in port.shape)
        raise ModelError(f"takes '{port.name}' of shape ({shape}) per event, but the pipeline expects {expected}.")


class PythonEventModel(PaddedEventModel):
    """A function ``f(events)`` of :class:`~sqlamarr.models.padded.PaddedEvents`, which returns output rows, their
    mask, and the weights of links.

    :param source: ``module`` or ``file.py``, importable or relative to ``folder``
    :param function: its name there
    :raises PipelineError: it cannot be imported
    """

    def __init__(self, source: str, function: str, folder: Path) -> None:
        self._call = load_function(source, function, folder)
        super().__init__(f"function '{source}:{function}'", description_of(self._call))

    def _function(self, sizes: EventSizes, inputs: int) -> PaddedFunction:
        try:
            inspect.signature(self._call).bind(None)
        except TypeError as error:
            raise ModelError(f"cannot be called as f(events): {error}.") from error

        def function(given: PaddedEvents) -> PaddedAnswers:
            try:
                with np.errstate(all="ignore"):
                    rows, mask, links = self._call(given)
                    return _floats(rows), _floats(mask), _floats(links)
            except (Exception, SystemExit) as error:
                raise ModelError(error_in_words(error)) from error

        return function


def _floats(array: Any) -> Any:
    return np.ascontiguousarray(array, dtype=np.float32)
