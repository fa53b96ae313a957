"""What a step is: the protocol, and what most kinds have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from sqlamarr.steps.batch import Batch
from sqlamarr.steps.workspace import Workspace

Run = Callable[[Batch], None]


class Step(Protocol):
    """What the runner asks of a step.

    :func:`sqlamarr.steps.registry.register` adds ``writes_rows``, ``source``, ``random_names`` and ``explain`` to a
    kind that does not define them.

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

    def writes_rows(self, workspace: Workspace) -> bool:
        """False if it writes its tables through :meth:`sqlamarr.steps.batch.Batch.write` alone.

        They can then be columns in memory, which is much faster. True, the default: it may use statements of its own.
        """

    def source(self, folder: Path) -> Path | None:
        """The file with the user's code that the step runs, if there is one; by default that of a user's class.

        :param folder: where the pipeline is
        """

    def random_names(self) -> tuple[str, ...]:
        """Names that its random numbers belong to, no two steps the same; by default its own name alone."""

    def explain(self) -> list[str]:
        """What ``check`` says of it beside name and tables, line by line; by default nothing."""

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
