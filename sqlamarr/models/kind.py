"""The interface of a kind of model, and the kinds by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sqlamarr.errors import ModelError, PipelineError
from sqlamarr.models.base import Model
from sqlamarr.models.files import URL, locate, sha256
from sqlamarr.registries.registry import Registry, instance_of

if TYPE_CHECKING:
    from sqlamarr.models.events import EventModel


@dataclass(frozen=True)
class ModelFile:
    """A model whose file was found and has the right checksum.

    :ivar entry: the pipeline's entry
    :ivar folder: folder that relative paths start from
    :ivar kind: name of the kind of model, e.g. ``onnx``
    :ivar path: the file; None for a model without one (such as a compiled Python module)
    """

    entry: Mapping[str, Any]
    folder: Path
    kind: str
    path: Path | None

    @property
    def file(self) -> Path:
        """Return the file of a model that has one.

        :raises ModelError: it has no file
        """
        if self.path is None:
            raise ModelError(f"The model {self.entry[self.kind]} has no file.")
        return self.path

    @property
    def single(self) -> bool:
        """Whether it is a single function, whatever name a step uses for it."""
        return KINDS.get(self.kind).is_single(str(self.entry[self.kind]))

    def open(self, function: str) -> Model:
        """Open a function of the model.

        :raises ModelError: it has no such function, or cannot be loaded
        """
        return KINDS.get(self.kind).open(self, function)

    def open_event(self, function: str) -> EventModel:
        """Open a function of the model that takes whole events.

        :raises ModelError: it has no such function, or cannot be loaded
        """
        return KINDS.get(self.kind).open_event(self, function)

    def record(self) -> dict[str, Any]:
        """Return the record for an output file: the kind, file and checksum, and the model's name if it differs."""
        return KINDS.get(self.kind).record(self)


class ModelKind(ABC):
    """A kind of model. To add one, derive from this class and name an object of your class ``model_kind``.

    The kind's name is a key in an entry of a pipeline's ``models``. By default, its value is the path or URL of a file.

    :cvar HELP: description of the key's value, in a sentence
    :cvar SUFFIXES: suffixes of file names that mean this kind when only a file is given (``--model NAME=FILE``)
    :cvar OPTIONS: JSON schemas of further keys of an entry, by name, with a description each
    """

    HELP: ClassVar[str]
    SUFFIXES: ClassVar[tuple[str, ...]] = ()
    OPTIONS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @abstractmethod
    def open(self, file: ModelFile, function: str) -> Model:
        """Open a function of a model that takes rows.

        :param file: the model; ``file.path`` is its file, ``file.entry`` its entry with the options
        :param function: the function that the step names; a kind whose files hold a single function may ignore it
        :raises ModelError: it has no such function, or cannot be loaded
        """

    def open_event(self, file: ModelFile, function: str) -> EventModel:
        """Open a function of a model that takes whole events, if the kind has such models.

        :raises ModelError: the kind has no such models, the model has no such function, or it cannot be loaded
        """
        raise ModelError(
            f"A model of the kind {file.kind!r} takes rows, but the step for {function!r} needs whole events."
        )

    def check(self, value: str, entry: Mapping[str, Any]) -> None:
        """Refuse an entry that is not valid although it matches the schema.

        :param value: the value of the kind's key
        :raises PipelineError: the entry is not valid
        """
        if URL.match(value) and "sha256" not in entry:
            raise PipelineError(f"{value} is a download and needs a sha256, because its content is run as code.")

    def is_single(self, value: str) -> bool:
        """Return whether a model is a single function, whatever name a step uses for it."""
        return True

    def here(self, value: str) -> str:
        """Return the value with a path relative to the current folder made absolute."""
        return value if URL.match(value) else absolute(value)

    def find(self, value: str, folder: Path, checksum: str | None) -> Path | None:
        """Find the file of a model.

        :param folder: folder that relative paths start from
        :raises ModelError: there is no such file, or its checksum differs
        """
        return locate(value, folder, checksum)

    def record(self, file: ModelFile) -> dict[str, Any]:
        """Return the record for an output file."""
        name = str(file.entry[file.kind])
        checksum = {"sha256": sha256(file.path)} if file.path else {}
        return {file.kind: str(file.path), **checksum, **({"url": name} if URL.match(name) else {})}


def absolute(path: str) -> str:
    """Return a path relative to the current folder as an absolute path."""
    return str(Path(path).expanduser().absolute())


KINDS: Registry[ModelKind] = Registry(
    "models",
    "kind of model",
    package="sqlamarr.models.kinds",
    attribute="model_kind",
    check=instance_of(ModelKind),
    error=PipelineError,
)

__all__ = ["KINDS", "ModelFile", "ModelKind", "absolute"]
