"""What decides the content of an output file: equal in the parts of a production, and in a run that is resumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: Entries of the provenance that decide the content, and their names for people.
DECISIVE = {
    "sqlamarr": "the version of sqlamarr",
    "pipeline_text": "the pipeline file",
    "templates": "template",
    "data": "data table",
    "conditions": "condition",
    "models": "model",
    "code": "the code of step",
    "other_packages": "the package that brings the",
    "seed": "the seed",
    "generator": "--generator",
    "weights": "--weights",
    "keep_tmp": "--keep-tmp",
}

#: What decides beside that where a run begins and what it reads.
RANGE = {
    "first_event": "--first-event",
    "skip_events": "--events (its beginning)",
    "max_events": "--events (its end)",
    "collisions_asked": "--collisions",
    "inputs_given": "the inputs",
}

_LONG = ("pipeline_text", "templates", "data", "models", "code")  # where the values would not help


def differences(stored: Mapping[str, Any], now: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """What differs between two provenances, each as a phrase such as ``the seed (1 there, 2 here)``."""
    stored, now = _comparable(stored, now)
    return [
        phrase
        for key, name in names.items()
        if _decisive(key, stored.get(key)) != _decisive(key, now.get(key))
        for phrase in _phrases(key, name, stored.get(key), now.get(key))
    ]


def _comparable(stored: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both, with what was used of other packages as names in the text of messages.

    A step or a model belongs to a package or does not. Of anything else the versions must be the same where both use
    it: parts of a production may read different kinds of inputs, and a pipeline may be named by its path.
    """
    one, other = (_flat(made.get("other_packages", {})) for made in (stored, now))
    for mine, theirs in ((one, other), (other, one)):
        for key in [key for key in mine if key not in theirs and key.split()[0] not in ("step", "model")]:
            del mine[key]
    return {**stored, "other_packages": one}, {**now, "other_packages": other}


def _flat(used: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    nouns = {"steps": "step", "models": "model", "libraries": "library", "pipelines": "pipeline", "sources": "source"}
    return {
        f"{nouns.get(group, group)} {name}": package for group, names in used.items() for name, package in names.items()
    }


def _decisive(key: str, value: Any) -> Any:
    """Models are what their files hold, wherever these are."""
    if key == "models" and isinstance(value, Mapping):
        files = {name: [entry.get("sha256"), entry.get("external")] for name, entry in value.items()}
        return {name: held if held[0] else value[name] for name, held in files.items()}
    return value


def _phrases(key: str, name: str, stored: Any, now: Any) -> Iterator[str]:
    if not (isinstance(stored, Mapping) and isinstance(now, Mapping)):
        yield name if key in _LONG else f"{name} ({_short(stored)} there, {_short(now)} here)"
        return
    one, other = _decisive(key, stored), _decisive(key, now)
    for part in sorted({*one, *other}):
        if one.get(part) != other.get(part):
            told = "" if key in _LONG else f" ({_short(one.get(part))} there, {_short(other.get(part))} here)"
            yield f"{name} {part}{told}"


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value[:3])) + (f" and {len(value) - 3} more" if len(value) > 3 else "")
    return str(value)
