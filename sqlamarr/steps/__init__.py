"""The kinds of steps. A new kind is a new file here, or a class registered by the user.

A step is a frozen dataclass with a JSON schema of its options; :meth:`Step.prepare` compiles it
against an empty workspace and returns the function that runs it on a batch.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from sqlamarr.steps.batch import Batch
from sqlamarr.steps.workspace import Workspace

Run = Callable[[Batch], None]


class Step(Protocol):
    """What the runner asks of a step.

    A step may have a method ``writes_rows(workspace) -> bool``. False says that it writes its tables through
    :meth:`sqlamarr.steps.batch.Batch.write` alone; they can then be columns in memory, which is much faster. True, or
    no such method: it may use statements of its own. A step that calls code of the user's has a method
    ``source(folder) -> Path | None``, which tells the file.

    :cvar SCHEMA: JSON schema of the options in a pipeline file, with a description each
    """

    SCHEMA: ClassVar[Mapping[str, Any]]

    @property
    def name(self) -> str:
        """Unique in the pipeline; part of the result, because random numbers depend on it."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it writes."""

    def prepare(self, workspace: Workspace) -> Run:
        """Check everything that can be checked without events; return what runs on a batch."""

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Step:
        """A step from the validated options of a pipeline file."""


#: JSON schema of the option of steps with templates that gives these variables of their own.
VARIABLES: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    "description": "Variables of the template, so that one template can serve several steps.",
}

COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0}
NAMES: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}

#: Options that steps with a model have in common.
MODEL_OPTIONS: Mapping[str, Any] = {
    "model": {"type": "string", "description": "One of the pipeline's models."},
    "inputs": {"type": "integer", "minimum": 1, "description": "Number of inputs of a row."},
    "outputs": {**NAMES, "description": "Names of the outputs, in the model's order unless it has names."},
    "noise": {**COUNT, "description": "Random numbers per input row; default 0."},
    "stream": {
        "type": "string",
        "description": "Key column that tells apart several rows of one id (0 to 4294967295).",
    },
    "variables": VARIABLES,
    "name": {"type": "string", "description": "Name of the step; default: the table."},
}

KINDS: dict[str, type[Step]] = {}


class FillsTable:
    """A step that writes whole columns into one table, and is named after it unless it has a name of its own."""

    table: str

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Any:
        """From the options of a pipeline file, lists as tuples."""
        named = {"name": options["table"], **options}
        return cls(**{option: tuple(value) if isinstance(value, list) else value for option, value in named.items()})

    @property
    def tables(self) -> tuple[str, ...]:
        """The one table it fills."""
        return (self.table,)

    def writes_rows(self, _: Workspace) -> bool:
        """It writes whole columns."""
        return False


_T = TypeVar("_T", bound=type)


def source_of(step: Step, folder: Path) -> Path | None:
    """The file with the user's code that a step runs, if there is one: of its function, or of its kind.

    :param folder: where the pipeline is
    """
    if hasattr(step, "source"):
        found: Path | None = step.source(folder)
        return found
    own = type(step).__module__.split(".")[0] == __name__.split(".")[0]
    file = None if own else inspect.getsourcefile(type(step))
    return Path(file) if file else None


def register(kind: str) -> Callable[[_T], _T]:
    """Class decorator: make a kind of step known under the name that pipelines use."""

    def add(cls: _T) -> _T:
        KINDS[kind] = cls
        return cls

    return add


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
