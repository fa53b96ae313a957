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
    :ivar steps: in their order
    :ivar output: tables to keep
    :ivar views: template with the views of the output file
    :ivar advice: sentences for the end of a run (``say``), each with its condition (``if``)
    :ivar packages: what it took from installed packages when it was loaded: itself, its kinds of steps
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
        """Where its templates and data are."""
        return self.path.parent

    def with_conditions(self, changes: Mapping[str, Any]) -> Pipeline:
        """The same with other conditions.

        :raises PipelineError: a condition that the pipeline has not, or a value it does not allow
        """
        for name, value in changes.items():
            if name not in self.conditions:
                raise PipelineError(_unknown(self.path, "condition", name, self.conditions))
            check_allowed(self.path, self.allowed, name, value)
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
            check_model(str(self.path), name, changed[name])
            changed[name] = model_entry.with_absolute_paths(changed[name])
        return replace(self, models={**self.models, **changed})


def check_model(file: str, name: str, model: Mapping[str, Any]) -> None:
    """Refuse an entry of ``models`` that is none.

    :param file: where it is, for the message
    :raises PipelineError: naming the place and what is wrong
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
    """Refuse a value that a condition may not have.

    :raises PipelineError: naming the values that it may have
    """
    choices = allowed.get(name)
    if choices is not None and value not in choices:
        switches = any(isinstance(choice, bool) for choice in choices)
        misread = value in ("on", "off", "yes", "no") if switches else isinstance(value, bool)
        raise PipelineError(
            f"{path}: condition {name} = {value!r} is not available; there are: {', '.join(map(str, choices))}."
            + " In YAML, on, off, yes and no without quotes are true and false." * misread
        )
