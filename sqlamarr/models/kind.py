"""What a kind of model is, and the kinds by name."""

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
    """A model whose file has been found, and is the right one.

    :ivar entry: as the pipeline has it
    :ivar folder: where relative paths start
    :ivar kind: name of the kind of model, e.g. ``onnx``
    :ivar path: the file; None for a model that has none (a Python module of a package's compiled code)
    """

    entry: Mapping[str, Any]
    folder: Path
    kind: str
    path: Path | None

    @property
    def file(self) -> Path:
        """The file of a model that has one.

        :raises ModelError: it has none
        """
        if self.path is None:
            raise ModelError(f"The model {self.entry[self.kind]} has no file.")
        return self.path

    @property
    def single(self) -> bool:
        """Whether it is one function, whatever a step calls it."""
        return KINDS.get(self.kind).is_single(str(self.entry[self.kind]))

    def open(self, function: str) -> Model:
        """A function of it.

        :raises ModelError: it has no such function, or cannot be loaded
        """
        return KINDS.get(self.kind).open(self, function)

    def open_event(self, function: str) -> EventModel:
        """A function of it on whole events.

        :raises ModelError: it has no such function, or cannot be loaded
        """
        return KINDS.get(self.kind).open_event(self, function)

    def record(self) -> dict[str, Any]:
        """What an output file notes: the kind first, file and checksum, and how the model was named if otherwise."""
        return KINDS.get(self.kind).record(self)


class ModelKind(ABC):
    """A kind of model: derive from it, and name an object of your class ``model_kind``.

    The kind's name is a key of an entry of a pipeline's ``models``; its value, by default, the path or URL of a file.

    :cvar HELP: what stands below the key, in a sentence
    :cvar SUFFIXES: ends of file names that mean this kind, where only a file is given (``--model NAME=FILE``)
    :cvar OPTIONS: JSON schemas by name of further keys of an entry, with a description each
    """

    HELP: ClassVar[str]
    SUFFIXES: ClassVar[tuple[str, ...]] = ()
    OPTIONS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @abstractmethod
    def open(self, file: ModelFile, function: str) -> Model:
        """A function of a model on rows.

        :param file: the model; ``file.path`` is its file, ``file.entry`` its entry with the options
        :param function: which one the step asks for; a kind whose files hold one function need not look
        :raises ModelError: it has no such function, or cannot be loaded
        """

    def open_event(self, file: ModelFile, function: str) -> EventModel:
        """A function of a model on whole events, if the kind has such models.

        :raises ModelError: it has none, or no such function, or cannot be loaded
        """
        raise ModelError(f"A model of the kind {file.kind!r} takes rows, and the step {function!r} has whole events.")

    def check(self, value: str, entry: Mapping[str, Any]) -> None:
        """Refuse an entry that the schema lets pass.

        :param value: what stands below the kind's key
        :raises PipelineError: it is wrong
        """
        if URL.match(value) and "sha256" not in entry:
            raise PipelineError(f"{value} is downloaded, which needs its sha256: what it holds is run as code.")

    def is_single(self, value: str) -> bool:
        """Whether a model is one function, whatever a step calls it."""
        return True

    def here(self, value: str) -> str:
        """The value with a relative path that starts at the current folder, made absolute."""
        return value if URL.match(value) else absolute(value)

    def find(self, value: str, folder: Path, checksum: str | None) -> Path | None:
        """The file of a model.

        :param folder: where relative paths start
        :raises ModelError: there is no such file, or it is another one
        """
        return locate(value, folder, checksum)

    def record(self, file: ModelFile) -> dict[str, Any]:
        """What an output file notes."""
        name = str(file.entry[file.kind])
        checksum = {"sha256": sha256(file.path)} if file.path else {}
        return {file.kind: str(file.path), **checksum, **({"url": name} if URL.match(name) else {})}


def absolute(path: str) -> str:
    """A path that starts at the current folder, as one that starts at the root."""
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
