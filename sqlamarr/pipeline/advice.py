"""A pipeline's advice to its users at the end of a run: sentences with a condition each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sqlamarr.checking.yaml_schema import suggest
from sqlamarr.errors import PipelineError
from sqlamarr.events.counters import Counters
from sqlamarr.pipeline.definition import Pipeline

SCHEMA: Mapping[str, Any] = {
    "type": "array",
    "description": "Sentences for the end of a run, each with the condition under which it is printed.",
    "items": {
        "type": "object",
        "properties": {
            "if": {
                "type": "string",
                "description": "Jinja2 expression on the run's counts and conditions, e.g. counts.mcparticles == 0.",
            },
            "say": {"type": "string", "description": "The sentence, including what to do."},
        },
        "required": ["if", "say"],
        "additionalProperties": False,
    },
}


class Advice:
    """The advice of a pipeline, with its conditions compiled.

    :raises PipelineError: a condition cannot be evaluated; the message names it
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._conditions = _Conditions(pipeline.conditions)
        environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
        self._entries: list[tuple[Callable[..., Any], str]] = []
        for place, entry in enumerate(pipeline.advice):
            try:
                applies = environment.compile_expression(entry["if"], undefined_to_none=False)
                bool(applies(counts=defaultdict(int), conditions=self._conditions))
            except (jinja2.TemplateError, ArithmeticError, TypeError, ValueError) as error:
                raise PipelineError(
                    f"{pipeline.path}: advice[{place}].if, {entry['if']!r}: {error}. Expected an expression on "
                    "counts.NAME and conditions.NAME."
                ) from error
            self._entries.append((applies, entry["say"]))

    def sentences(self, counts: Counters) -> list[str]:
        """Return the sentences whose condition holds; a counter that nothing was added to is 0."""
        numbers = defaultdict(int, {key: count.number for key, count in counts.items()})
        said = []
        for applies, say in self._entries:
            try:
                if applies(counts=numbers, conditions=self._conditions):
                    said.append(say)
            except (jinja2.TemplateError, ArithmeticError, TypeError, ValueError) as error:  # the run itself is done
                said.append(f"it could not be determined whether this advice of the pipeline applies ({error}): {say}")
        return said


class _Conditions(dict[str, Any]):
    """The pipeline's conditions; looking up an unknown one is an error that lists the known ones."""

    def __missing__(self, name: str) -> Any:
        raise jinja2.UndefinedError(
            f"there is no condition {name!r}; there are: {', '.join(self)}{suggest(name, self)}"
        )
