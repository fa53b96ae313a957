"""Reading and validating the YAML files of pipelines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlamarr.checking.yaml_schema import read_yaml, suggest, validate, with_integers
from sqlamarr.errors import PipelineError
from sqlamarr.pipeline.advice import SCHEMA as ADVICE
from sqlamarr.pipeline.definition import Pipeline, check_allowed, check_model
from sqlamarr.pipeline.registry import FILE, PIPELINES
from sqlamarr.registries.used import collected, joined
from sqlamarr.steps.protocol import Step
from sqlamarr.steps.registry import KINDS

SCHEMA_VERSION = 1

_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_NAMES = {"type": "array", "items": {"type": "string"}}

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "Name of the pipeline."},
        "description": {"type": "string", "description": "What it simulates, in a sentence."},
        "version": {"const": SCHEMA_VERSION, "description": "Version of this format."},
        "conditions": {
            "type": "object",
            "additionalProperties": _SCALAR,
            "description": "Values that templates and steps may use, e.g. period and polarity.",
        },
        "allowed": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": _SCALAR},
            "description": "Allowed values of a condition, by its name.",
        },
        "models": {
            "type": "object",
            "description": "Models, by name or by NAME.FUNCTION for one function of a model.",
            "additionalProperties": {"type": "object"},
        },
        "schema": {"type": "string", "description": "Template with the CREATE TABLE statements of the result tables."},
        "data": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Tables of constants: table name and CSV file.",
        },
        "advice": ADVICE,
        "steps": {"type": "array", "items": {"type": "object"}, "description": "The steps in their order."},
        "output": {
            "type": "object",
            "properties": {
                "tables": {**_NAMES, "description": "Tables to keep."},
                "views": {"type": "string", "description": "Template with the CREATE VIEW statements for the output."},
            },
            "required": ["tables"],
            "additionalProperties": False,
        },
    },
    "required": ["name", "steps", "output"],
    "additionalProperties": False,
}


def load(name: str | Path) -> Pipeline:
    """Read and validate a pipeline.

    :param name: the name of a pipeline of this package (``lhcb_run2``) or of an installed one, or the path of a
        YAML file
    :raises PipelineError: not found, not YAML, or not a pipeline; the message names the place
    """
    with collected() as used:
        path = _find(name)
        try:
            text = path.read_text()
        except (UnicodeDecodeError, OSError) as error:
            raise PipelineError(
                f"{path} cannot be read as a pipeline ({error}). "
                "On the command line, the pipeline comes first, then the inputs."
            ) from error
        pipeline = build(read_yaml(text, str(path), PipelineError), path, text)
    return replace(pipeline, packages=joined(used, pipeline.packages))


def build(content: Any, path: Path, text: str = "") -> Pipeline:
    """Make a pipeline from the content of its file; see :func:`load`."""
    validate(content, SCHEMA, str(path), "", PipelineError)
    with collected() as used:
        steps = tuple(_steps(content["steps"], path))
    _check_names(steps, path)
    pipeline = Pipeline(
        path=path,
        text=text,
        name=content["name"],
        steps=steps,
        output=tuple(content["output"]["tables"]),
        views=content["output"].get("views"),
        conditions=content.get("conditions", {}),
        allowed=content.get("allowed", {}),
        models=content.get("models", {}),
        schema=content.get("schema"),
        data=content.get("data", {}),
        advice=tuple(content.get("advice", ())),
        packages=used,
    )
    for name, model in pipeline.models.items():
        check_model(str(path), name, model)
    for name, value in pipeline.conditions.items():
        check_allowed(path, pipeline.allowed, name, value)
    return pipeline


def _find(name: str | Path) -> Path:
    """Find the file of a pipeline: by its name, else by its path."""
    if str(name) in PIPELINES:
        return PIPELINES.get(str(name))
    path = Path(name)
    if path.is_dir() and (path / FILE).is_file():
        return path / FILE
    if path.is_file():
        return path
    known = PIPELINES.names()
    raise PipelineError(
        f"There is no pipeline {str(name)!r}: it is neither a file nor the name of a pipeline ({', '.join(known)})"
        + suggest(str(name), known)
    )


def _steps(entries: list[Any], path: Path) -> Iterator[Step]:
    for index, entry in enumerate(entries):
        place = f"steps[{index}]"
        if len(entry) != 1:
            raise PipelineError(f"{path}: {place}: expected one 'kind: options', found {', '.join(map(str, entry))}.")
        ((kind, options),) = entry.items()
        found = KINDS.get(str(kind), place=f"{path}: {place}: ")
        options = options or {}
        validate(options, found.SCHEMA, str(path), f"{place}.{kind}", PipelineError)
        yield found.from_options(with_integers(options, found.SCHEMA))


def _check_names(steps: tuple[Step, ...], path: Path) -> None:
    seen: set[str] = set()
    for step in steps:
        if step.name in seen:
            raise PipelineError(
                f"{path}: two steps are named {step.name!r}. Names key the random numbers: give one a 'name'."
            )
        seen.add(step.name)
    _check_random_names(steps, path)


def _check_random_names(steps: tuple[Step, ...], path: Path) -> None:
    """Refuse two steps that would draw the same random numbers, whatever rows they draw them for."""
    owners = {step.name: step.name for step in steps}
    for step in steps:
        try:
            names = step.random_names()
        except PipelineError as error:
            raise PipelineError(f"{path}: {error}") from error
        for name in names:
            owner = owners.setdefault(name, step.name)
            if owner != step.name:
                raise PipelineError(
                    f"{path}: the steps {owner!r} and {step.name!r} would both draw the random numbers {name!r}, so "
                    "their results would be correlated. Change the name of one of them, or its 'random'."
                )
