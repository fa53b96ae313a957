"""The protocol of a step, and the code that most kinds share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from sqlamarr.steps.batch import Batch
from sqlamarr.steps.workspace import Workspace

Run = Callable[[Batch], None]


class Step(Protocol):
    """The interface of a step.

    :func:`sqlamarr.steps.registry.register` adds ``writes_rows``, ``source``, ``random_names`` and ``explain`` to a
    kind that does not define them.

    :cvar SCHEMA: JSON schema of the options in a pipeline file, with a description each
    """

    SCHEMA: ClassVar[Mapping[str, Any]]

    @property
    def name(self) -> str:
        """The name, unique in the pipeline. Results depend on it, because random numbers do."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that the step writes."""

    def prepare(self, workspace: Workspace) -> Run:
        """Check everything that can be checked without events, and return the function that runs on a batch."""

    def writes_rows(self, workspace: Workspace) -> bool:
        """Return False if the step writes its tables only through :meth:`sqlamarr.steps.batch.Batch.write`.

        They can then be columns in memory, which is much faster. True, the default, allows statements of its own.
        """

    def source(self, folder: Path) -> Path | None:
        """Return the file with the user code that the step runs, if any; by default the file of a user's class.

        :param folder: the pipeline's folder
        """

    def random_names(self) -> tuple[str, ...]:
        """Return the names of the step's random numbers, unique among steps; by default only its own name."""

    def explain(self) -> list[str]:
        """Return the lines that ``check`` prints besides name and tables; by default none."""

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Step:
        """Make a step from the validated options of a pipeline file."""


#: JSON schema of the option that gives a step's templates variables of their own.
VARIABLES: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    "description": "Variables of the template, so that one template can serve several steps.",
}

COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0}
NAMES: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}

#: Options shared by the steps with a model.
MODEL_OPTIONS: Mapping[str, Any] = {
    "model": {"type": "string", "description": "One of the pipeline's models."},
    "inputs": {"type": "integer", "minimum": 1, "description": "Number of inputs of a row."},
    "outputs": {**NAMES, "description": "Names of the outputs, in the model's order unless the model has names."},
    "noise": {**COUNT, "description": "Random numbers per input row; default 0."},
    "stream": {
        "type": "string",
        "description": "Key column that distinguishes several rows with the same id (0 to 4294967295).",
    },
    "variables": VARIABLES,
    "name": {"type": "string", "description": "Name of the step; default: the table."},
}


class FillsTable:
    """A step that writes whole columns into one table, and is named after the table unless it has a name of its own."""

    table: str

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Any:
        """Make a step from the options of a pipeline file, with lists as tuples."""
        named = {"name": options["table"], **options}
        return cls(**{option: tuple(value) if isinstance(value, list) else value for option, value in named.items()})

    @property
    def tables(self) -> tuple[str, ...]:
        """The single table that the step fills."""
        return (self.table,)

    def writes_rows(self, _: Workspace) -> bool:
        """Return False: the step writes whole columns."""
        return False
