"""``onnx``: a network in an ONNX file, evaluated by onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sqlamarr.errors import ModelError
from sqlamarr.models.base import Model
from sqlamarr.models.files import external_files, sha256
from sqlamarr.models.kind import ModelFile, ModelKind

if TYPE_CHECKING:
    from sqlamarr.models.events import EventModel


class Onnx(ModelKind):
    """The graph of an ONNX file."""

    HELP = "Path or URL of an ONNX file, which holds one function."
    SUFFIXES = (".onnx",)
    OPTIONS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "noise": {
            "type": "string",
            "description": "onnx: the input for random numbers, or 'first' or 'last' for columns of a single input.",
        },
        "outputs": {"type": "array", "items": {"type": "string"}, "description": "onnx: outputs of the graph to use."},
    }

    def open(self, file: ModelFile, function: str) -> Model:
        """Open the graph as a model of rows."""
        from sqlamarr.models.onnx import OnnxModel

        return OnnxModel(file.file, file.entry.get("noise"), file.entry.get("outputs"))

    def open_event(self, file: ModelFile, function: str) -> EventModel:
        """Open the graph as a model of whole events."""
        from sqlamarr.models.padded_kinds import OnnxEventModel

        return OnnxEventModel(file.file)

    def find(self, value: str, folder: Path, checksum: str | None) -> Path | None:
        """Find the file, whose checksum must cover all of its weights."""
        file = super().find(value, folder, checksum)
        if checksum and file and (others := external_files(file)):
            raise ModelError(
                f"{value} keeps its weights in other files ({', '.join(others)}), which its sha256 does not cover. "
                "Combine them into one file and give its sha256: "
                f"python -c \"import onnx; onnx.save(onnx.load('{file.name}'), 'one_file.onnx')\""
            )
        return file

    def record(self, file: ModelFile) -> dict[str, Any]:
        """Return the file, and the files beside it that hold its weights."""
        path = file.file
        noted = super().record(file)
        if others := external_files(path):
            noted["external"] = {other: sha256(path.parent / other) for other in others}
        return noted


model_kind = Onnx()
