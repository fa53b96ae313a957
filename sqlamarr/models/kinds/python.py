"""``python``: a user's function on numpy arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlamarr.errors import ModelError, PipelineError
from sqlamarr.models.base import Model
from sqlamarr.models.files import URL, locate, sha256
from sqlamarr.models.kind import ModelFile, ModelKind, absolute
from sqlamarr.user_code.functions import find_module

if TYPE_CHECKING:
    from sqlamarr.models.events import EventModel

_FORM = re.compile(r"^(?P<source>[\w.]+|.*\.py)(?::(?P<function>\w+))?$")


class Python(ModelKind):
    """A function of a module or of a file."""

    HELP = "module:function or file.py:function, on numpy arrays."
    SUFFIXES = (".py",)

    def open(self, file: ModelFile, function: str) -> Model:
        """Open the function as a model of rows."""
        from sqlamarr.models.python import PythonModel

        source, only = _parts(file.entry["python"])
        return PythonModel(source, only or function, file.folder)

    def open_event(self, file: ModelFile, function: str) -> EventModel:
        """Open the function as a model of whole events."""
        from sqlamarr.models.padded_kinds import PythonEventModel

        source, only = _parts(file.entry["python"])
        return PythonEventModel(source, only or function, file.folder)

    def check(self, value: str, entry: Mapping[str, Any]) -> None:
        """Refuse downloads, and values that do not name a function."""
        if URL.match(value):
            raise PipelineError(
                f"{value}: Python code is not downloaded automatically. Download the file, read it, and give its path."
            )
        if not _FORM.match(value):
            raise PipelineError(f"python: expected module:function or file.py:function, found {value!r}.")

    def is_single(self, value: str) -> bool:
        """Return whether a value names a function."""
        return _parts(value)[1] is not None

    def names_function(self, text: str) -> bool:
        """Return whether a word of the command line has the form of a function or a Python file."""
        match = _FORM.match(text)
        return bool(match and (match["function"] or text.endswith(".py")))

    def here(self, value: str) -> str:
        """Make the path of a Python file absolute; a module of the current folder is such a file too."""
        source, function = _parts(value)
        file = source if source.endswith(".py") else f"{source.replace('.', '/')}.py"
        source = absolute(file) if source.endswith(".py") or Path(file).is_file() else source
        return f"{source}:{function}" if function else source

    def find(self, value: str, folder: Path, checksum: str | None) -> Path | None:
        """Return the module's file, or None if it has no file of its own."""
        path = find_module(_parts(value)[0], folder)
        if checksum and path is None:
            raise ModelError(f"The module {value} is not a file, so there is no sha256 to compare.")
        return path and locate(str(path.absolute()), folder, checksum)

    def record(self, file: ModelFile) -> dict[str, Any]:
        """Return the name of the function, and its file."""
        noted: dict[str, Any] = {file.kind: str(file.entry[file.kind])}
        return {**noted, "file": str(file.path), "sha256": sha256(file.path)} if file.path else noted


def _parts(value: str) -> tuple[str, str | None]:
    match = _FORM.match(value)
    assert match is not None
    return match["source"], match["function"]


model_kind = Python()
