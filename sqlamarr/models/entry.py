"""An entry of a pipeline's ``models``: which file, of which kind, with which checksum."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlamarr.errors import ModelError, PipelineError
from sqlamarr.models.base import Model
from sqlamarr.models.compiled import CompiledModel
from sqlamarr.models.events import CompiledEventModel, EventModel
from sqlamarr.models.files import SHIPPED, URL, external_files, locate, sha256
from sqlamarr.models.onnx import OnnxModel
from sqlamarr.models.padded_kinds import OnnxEventModel, PythonEventModel
from sqlamarr.models.python import PythonModel
from sqlamarr.user_code.functions import find_module

#: JSON schema of an entry. Exactly one of the kinds must be there: :func:`check`.
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "library": {"type": "string", "description": "Compiled: plugins:NAME of a shipped one, a path, or a URL."},
        "onnx": {"type": "string", "description": "Path or URL of an ONNX file, which is one function."},
        "python": {"type": "string", "description": "module:function or file.py:function, on numpy arrays."},
        "sha256": {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "description": "Checksum to insist on; a URL must have one.",
        },
        "noise": {
            "type": "string",
            "description": "onnx: the input for random numbers, or first or last among the columns of the only input.",
        },
        "outputs": {"type": "array", "items": {"type": "string"}, "description": "onnx: outputs of the graph to use."},
    },
    "additionalProperties": False,
}

KINDS = ("library", "onnx", "python")
_PYTHON = re.compile(r"^(?P<source>[\w.]+|.*\.py)(?::(?P<function>\w+))?$")
_LIBRARIES = (".so", ".dylib", ".dll")


def check(entry: Mapping[str, Any]) -> None:
    """What the schema cannot say.

    :raises PipelineError: the entry names no model, or several, or a download without checksum
    """
    kinds = [kind for kind in KINDS if kind in entry]
    if len(kinds) != 1:
        raise PipelineError(f"expected one of {', '.join(KINDS)}, found {', '.join(kinds) or 'none'}.")
    (kind,) = kinds
    if kind != "onnx" and (extra := [key for key in ("noise", "outputs") if key in entry]):
        raise PipelineError(f"{extra[0]!r} belongs to an onnx model; a {kind} is given as it is called.")
    if URL.match(entry[kind]) and kind == "python":
        raise PipelineError(f"{entry[kind]}: Python is not fetched; download the file, read it, and give its path.")
    if kind == "python" and not _PYTHON.match(entry[kind]):
        raise PipelineError(f"python: expected module:function or file.py:function, found {entry[kind]!r}.")
    if URL.match(entry[kind]) and "sha256" not in entry:
        raise PipelineError(f"{entry[kind]} is downloaded, which needs its sha256: what it holds is run as code.")


def is_remote(entry: Mapping[str, Any]) -> bool:
    """Whether the model is fetched from the network."""
    return any(URL.match(entry[kind]) for kind in KINDS if kind in entry)


def parse(text: str) -> dict[str, Any]:
    """An entry from one word of the command line; relative paths start at the current folder.

    :param text: ``plugins:NAME``, the path of a ``.so`` or ``.onnx`` file, ``module:function`` or
        ``file.py:function``, or a URL followed by ``#sha256=`` and the checksum
    """
    if URL.match(text):
        url, _, checksum = text.partition("#sha256=")
        kind = "onnx" if url.endswith(".onnx") else "library"
        return {kind: url, **({"sha256": checksum} if checksum else {})}
    if text.startswith(SHIPPED) or text.endswith(_LIBRARIES):
        return {"library": text if text.startswith(SHIPPED) else _absolute(text)}
    if text.endswith(".onnx"):
        return {"onnx": _absolute(text)}
    match = _PYTHON.match(text)
    if match and (match["function"] or text.endswith(".py")):
        return {"python": _python_here(match["source"], match["function"])}
    return {"library": _absolute(text)}


def here(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry whose relative paths start at the current folder, as those of :func:`parse` do.

    :param entry: checked by the schema and :func:`check`
    """
    (kind,) = (kind for kind in KINDS if kind in entry)
    name = entry[kind]
    if kind == "python":
        name = _python_here(*_python(entry))
    elif not URL.match(name) and not name.startswith(SHIPPED):
        name = _absolute(name)
    return {**entry, kind: name}


def _python_here(source: str, function: str | None) -> str:
    """A Python file by its path; a module of the current folder is one too."""
    file = source if source.endswith(".py") else f"{source.replace('.', '/')}.py"
    source = _absolute(file) if source.endswith(".py") or Path(file).is_file() else source
    return f"{source}:{function}" if function else source


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())


@dataclass(frozen=True)
class ModelFile:
    """A model whose file has been found, and is the right one.

    :ivar entry: as the pipeline has it
    :ivar folder: where relative paths start
    :ivar kind: ``library``, ``onnx`` or ``python``
    :ivar path: the file; None for a Python module that has none (a package's compiled one)
    """

    entry: Mapping[str, Any]
    folder: Path
    kind: str
    path: Path | None

    @property
    def single(self) -> bool:
        """Whether it is one function, whatever a step calls it."""
        return self.kind == "onnx" or (self.kind == "python" and _python(self.entry)[1] is not None)

    def open(self, function: str) -> Model:
        """A function of it.

        :raises ModelError: it has no such function, or cannot be loaded
        """
        if self.kind == "python":
            source, only = _python(self.entry)
            return PythonModel(source, only or function, self.folder)
        assert self.path is not None
        if self.kind == "onnx":
            return OnnxModel(self.path, self.entry.get("noise"), self.entry.get("outputs"))
        return CompiledModel(self.path, function)

    def open_event(self, function: str) -> EventModel:
        """A function of it on whole events.

        :raises ModelError: it has no such function, or cannot be loaded
        """
        if self.kind == "python":
            source, only = _python(self.entry)
            return PythonEventModel(source, only or function, self.folder)
        assert self.path is not None
        return OnnxEventModel(self.path) if self.kind == "onnx" else CompiledEventModel(self.path, function)

    def record(self) -> dict[str, Any]:
        """What an output file notes: file and checksum, and how the model was named if otherwise."""
        name = str(self.entry[self.kind])
        checksum: dict[str, Any] = {"sha256": sha256(self.path)} if self.path else {}
        if self.kind == "onnx" and self.path and (others := external_files(self.path)):
            checksum["external"] = {other: sha256(self.path.parent / other) for other in others}
        if self.kind == "python":
            return {self.kind: name, **({"file": str(self.path)} if self.path else {}), **checksum}
        return {self.kind: str(self.path), **checksum, **({"url": name} if URL.match(name) else {})}


def find(entry: Mapping[str, Any], folder: Path) -> ModelFile:
    """Find the file of an entry (fetch it, if it is a URL) and compare its checksum.

    :param entry: checked by the schema and :func:`check`
    :param folder: where relative paths start
    :raises ModelError: there is no such file, or it is another one
    """
    (kind,) = (kind for kind in KINDS if kind in entry)
    checksum = entry.get("sha256")
    if kind != "python":
        file = locate(entry[kind], folder, checksum)
        if checksum and kind == "onnx" and (others := external_files(file)):
            raise ModelError(
                f"{entry[kind]} has its weights in other files ({', '.join(others)}), which its sha256 does not cover. "
                "Make one file of them and give its sha256: "
                f"python -c \"import onnx; onnx.save(onnx.load('{file.name}'), 'one_file.onnx')\""
            )
        return ModelFile(entry, folder, kind, file)
    path = find_module(_python(entry)[0], folder)
    if checksum and path is None:
        raise ModelError(f"The module {entry[kind]} is no file, so it has no sha256 to compare.")
    return ModelFile(entry, folder, kind, path and locate(str(path.absolute()), folder, checksum))


def describe(record: Mapping[str, Any]) -> str:
    """A recorded model in a few words: see :meth:`ModelFile.record`."""
    name = next(str(record[kind]) for kind in KINDS if kind in record)
    short = name if "python" in record and ".py:" not in name else Path(name).name
    return short + (f", sha256 {record['sha256'][:16]}..." if "sha256" in record else "")


def _python(entry: Mapping[str, Any]) -> tuple[str, str | None]:
    match = _PYTHON.match(entry["python"])
    assert match is not None
    return match["source"], match["function"]
