"""Pipelines: YAML files read, validated and turned into steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlamarr.checking.yaml_schema import read_yaml, suggest, validate, with_integers
from sqlamarr.errors import PipelineError
from sqlamarr.models import entry as model_entry
from sqlamarr.native.library import native_folder
from sqlamarr.steps import KINDS, Step

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
            "description": "For a condition, the values that it may have.",
        },
        "models": {
            "type": "object",
            "description": "Models by name, or by NAME.FUNCTION for one function of a model.",
            "additionalProperties": model_entry.SCHEMA,
        },
        "schema": {"type": "string", "description": "Template with CREATE TABLE statements of result tables."},
        "data": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Tables of constants: name and CSV file.",
        },
        "steps": {"type": "array", "items": {"type": "object"}, "description": "The steps in their order."},
        "output": {
            "type": "object",
            "properties": {
                "tables": {**_NAMES, "description": "Tables to keep."},
                "views": {"type": "string", "description": "Template with CREATE VIEW statements for the output."},
            },
            "required": ["tables"],
            "additionalProperties": False,
        },
    },
    "required": ["name", "steps", "output"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Pipeline:
    """A validated pipeline.

    :ivar path: its YAML file
    :ivar text: the file's text
    :ivar steps: in their order
    :ivar output: tables to keep
    :ivar views: template with the views of the output file
    """

    path: Path
    text: str
    name: str
    steps: tuple[Step, ...]
    output: tuple[str, ...]
    views: str | None
    conditions: Mapping[str, Any]
    allowed: Mapping[str, list[Any]]
    models: Mapping[str, Mapping[str, Any]]
    schema: str | None
    data: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Where its templates and data are."""
        return self.path.parent

    def with_conditions(self, changes: Mapping[str, Any]) -> Pipeline:
        """The same with other conditions.

        :raises PipelineError: a condition that the pipeline has not, or a value it does not allow
        """
        for name, value in changes.items():
            if name not in self.conditions:
                raise PipelineError(_unknown(self.path, "condition", name, self.conditions))
            _check_allowed(self.path, self.allowed, name, value)
        return replace(self, conditions={**self.conditions, **changes})

    def parse_conditions(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Conditions given as text, each as the type that the pipeline's own value has.

        :raises PipelineError: a condition that the pipeline has not, or a text that is no such value
        """
        values: dict[str, Any] = {}
        for name, text in texts.items():
            if name not in self.conditions:
                raise PipelineError(_unknown(self.path, "condition", name, self.conditions))
            try:
                values[name] = _parse(text, self.conditions[name])
            except ValueError:
                kind = type(self.conditions[name]).__name__
                raise PipelineError(f"{self.path}: condition {name} is of type {kind}, found {text!r}.") from None
        return values

    def with_models(self, changes: Mapping[str, str | Mapping[str, Any]]) -> Pipeline:
        """The same with other models.

        :param changes: by the model's name, or ``NAME.FUNCTION`` for one function of it: an entry as in the
            pipeline file, or in one word as on the command line. Relative paths start at the current folder
        :raises PipelineError: a model that the pipeline has not, or an entry that is none
        """
        changed = {}
        for name, change in changes.items():
            if name not in self.models and name.partition(".")[0] not in self.models:
                raise PipelineError(_unknown(self.path, "model", name, self.models))
            changed[name] = model_entry.parse(change) if isinstance(change, str) else change
            _check_model(str(self.path), name, changed[name])
            changed[name] = model_entry.here(changed[name])
        return replace(self, models={**self.models, **changed})


def _check_model(file: str, name: str, model: Mapping[str, Any]) -> None:
    validate(model, model_entry.SCHEMA, file, f"models.{name}", PipelineError)
    try:
        model_entry.check(model)
    except PipelineError as error:
        raise PipelineError(f"{file}: models.{name}: {error}") from error


def _parse(text: str, like: Any) -> Any:
    if isinstance(like, bool):
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    if isinstance(like, int):
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    return float(text) if isinstance(like, float) else text


def _unknown(path: Path, kind: str, name: str, known: Mapping[str, Any]) -> str:
    return f"{path}: there is no {kind} {name!r}; there are: {', '.join(known) or 'none'}{suggest(name, known)}"


def shipped() -> list[str]:
    """The names of the pipelines that come with the package."""
    return sorted(path.parent.name for path in (native_folder() / "pipelines").glob("*/pipeline.yaml"))


def load(name: str | Path) -> Pipeline:
    """Read a pipeline.

    :param name: the name of a shipped one (``lhcb_run2``), or the path of a YAML file
    :raises PipelineError: not found, not YAML, or not a pipeline; the message names the place
    """
    path = _find(name)
    try:
        text = path.read_text()
    except (UnicodeDecodeError, OSError) as error:
        raise PipelineError(
            f"{path} cannot be read as a pipeline ({error}). "
            "The pipeline comes first on the command line, then the inputs."
        ) from error
    return build(read_yaml(text, str(path), PipelineError), path, text)


def build(content: Any, path: Path, text: str = "") -> Pipeline:
    """A pipeline from the content of its file; see :func:`load`."""
    validate(content, SCHEMA, str(path), "", PipelineError)
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
    )
    for name, model in pipeline.models.items():
        _check_model(str(path), name, model)
    for name, value in pipeline.conditions.items():
        _check_allowed(path, pipeline.allowed, name, value)
    return pipeline


def _find(name: str | Path) -> Path:
    if str(name) in shipped():
        return native_folder() / "pipelines" / str(name) / "pipeline.yaml"
    path = Path(name)
    if path.is_dir() and (path / "pipeline.yaml").is_file():
        return path / "pipeline.yaml"
    if path.is_file():
        return path
    raise PipelineError(
        f"There is no pipeline {str(name)!r}: neither a file nor one of the shipped ones ({', '.join(shipped())})"
        + suggest(str(name), shipped())
    )


def _steps(entries: list[Any], path: Path) -> Iterator[Step]:
    for index, entry in enumerate(entries):
        place = f"steps[{index}]"
        if len(entry) != 1:
            raise PipelineError(f"{path}: {place}: expected one 'kind: options', found {', '.join(map(str, entry))}.")
        ((kind, options),) = entry.items()
        if kind not in KINDS:
            raise PipelineError(
                f"{path}: {place}: there is no kind of step {kind!r}; there are: {', '.join(sorted(KINDS))}"
                + suggest(str(kind), KINDS)
            )
        options = options or {}
        validate(options, KINDS[kind].SCHEMA, str(path), f"{place}.{kind}", PipelineError)
        yield KINDS[kind].from_options(with_integers(options, KINDS[kind].SCHEMA))


def _check_names(steps: tuple[Step, ...], path: Path) -> None:
    seen: set[str] = set()
    for step in steps:
        if step.name in seen:
            raise PipelineError(
                f"{path}: two steps are named {step.name!r}. Names key the random numbers: give one a 'name'."
            )
        seen.add(step.name)


def _check_allowed(path: Path, allowed: Mapping[str, list[Any]], name: str, value: Any) -> None:
    choices = allowed.get(name)
    if choices is not None and value not in choices:
        switches = any(isinstance(choice, bool) for choice in choices)
        misread = value in ("on", "off", "yes", "no") if switches else isinstance(value, bool)
        raise PipelineError(
            f"{path}: condition {name} = {value!r} is not available; there are: {', '.join(map(str, choices))}."
            + " In YAML, on, off, yes and no without quotes are true and false." * misread
        )
