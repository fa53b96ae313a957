"""A pipeline: its steps, conditions and models, validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlamarr.checking.yaml_schema import suggest, validate
from sqlamarr.errors import PipelineError
from sqlamarr.models import entry as model_entry
from sqlamarr.registries.used import Used
from sqlamarr.steps.protocol import Step


@dataclass(frozen=True)
class Pipeline:
    """A validated pipeline.

    :ivar path: its YAML file
    :ivar text: the file's text
    :ivar steps: the steps, in their order
    :ivar output: tables to keep
    :ivar views: template with the views of the output file
    :ivar advice: sentences for the end of a run (``say``), each with its condition (``if``)
    :ivar packages: what was loaded from installed packages: the pipeline itself, its kinds of steps
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
    advice: tuple[Mapping[str, str], ...] = ()
    packages: Used = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder with its templates and data."""
        return self.path.parent

    def with_conditions(self, changes: Mapping[str, Any]) -> Pipeline:
        """Return the same pipeline with other conditions.

        :raises PipelineError: the pipeline has no such condition, or does not allow the value
        """
        for name, value in changes.items():
            if name not in self.conditions:
                raise PipelineError(_unknown(self.path, "condition", name, self.conditions))
            check_allowed(self.path, self.allowed, name, value)
        return replace(self, conditions={**self.conditions, **changes})

    def parse_conditions(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Convert conditions given as text, each to the type of the pipeline's own value.

        :raises PipelineError: the pipeline has no such condition, or the text is not of its type
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
        """Return the same pipeline with other models.

        :param changes: entries by the model's name, or by ``NAME.FUNCTION`` for one function of it: as in the
            pipeline file, or as one word as on the command line. Relative paths start at the current folder
            :raises PipelineError: the pipeline has no such model, or an entry is not valid
        """
        changed = {}
        for name, change in changes.items():
            if name not in self.models and name.partition(".")[0] not in self.models:
                raise PipelineError(_unknown(self.path, "model", name, self.models))
            changed[name] = model_entry.parse(change) if isinstance(change, str) else change
            check_model(str(self.path), name, changed[name])
            changed[name] = model_entry.with_absolute_paths(changed[name])
        return replace(self, models={**self.models, **changed})


def check_model(file: str, name: str, model: Mapping[str, Any]) -> None:
    """Refuse an entry of ``models`` that is not valid.

    :param file: the pipeline's file, for the message
    :raises PipelineError: the entry is not valid; the message names the place and the fault
    """
    validate(model, model_entry.schema(model), file, f"models.{name}", PipelineError)
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


def check_allowed(path: Path, allowed: Mapping[str, list[Any]], name: str, value: Any) -> None:
    """Refuse a value that a condition does not allow.

    :raises PipelineError: the value is not allowed; the message lists the allowed values
    """
    choices = allowed.get(name)
    if choices is not None and value not in choices:
        switches = any(isinstance(choice, bool) for choice in choices)
        misread = value in ("on", "off", "yes", "no") if switches else isinstance(value, bool)
        raise PipelineError(
            f"{path}: condition {name} = {value!r} is not available; there are: {', '.join(map(str, choices))}."
            + " In YAML, unquoted on, off, yes and no mean true and false." * misread
        )
