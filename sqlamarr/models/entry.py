"""An entry of a pipeline's ``models``: which file, of which kind, with which checksum."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlamarr.errors import PipelineError
from sqlamarr.models.files import SHIPPED, URL
from sqlamarr.models.kind import KINDS, ModelFile
from sqlamarr.models.kinds.python import model_kind as python
from sqlamarr.registries.suffixes import by_suffix

_SHA256: Mapping[str, Any] = {
    "type": "string",
    "pattern": "^[0-9a-f]{64}$",
    "description": "Checksum to insist on; a URL must have one.",
}


def schema(entry: object) -> Mapping[str, Any]:
    """JSON schema of an entry: our kinds, and those of installed packages that it names; others are not imported.

    That exactly one of the kinds is there :func:`check` makes sure.
    """
    named = set(entry) if isinstance(entry, Mapping) else set()
    kinds = dict(KINDS.own()) | {str(name): KINDS.get(str(name)) for name in named if name in KINDS}
    properties: dict[str, Any] = {name: {"type": "string", "description": kind.HELP} for name, kind in kinds.items()}
    properties["sha256"] = _SHA256
    for name in sorted(kinds, key=lambda name: name in named):  # the schemas of the kind that is named count
        properties |= kinds[name].OPTIONS
    return {"type": "object", "properties": properties, "additionalProperties": False}


def kinds_of(entry: Mapping[str, Any]) -> list[str]:
    """The kinds that an entry names."""
    return [name for name in KINDS.names() if name in entry]


def check(entry: Mapping[str, Any]) -> None:
    """What the schema cannot say.

    :raises PipelineError: the entry names no model, or several, or a download without checksum
    """
    kinds = kinds_of(entry)
    if len(kinds) != 1:
        raise PipelineError(f"expected one of {', '.join(KINDS.names())}, found {', '.join(kinds) or 'none'}.")
    (name,) = kinds
    kind = KINDS.get(name)
    for key in entry:
        if key not in (name, "sha256", *kind.OPTIONS):
            others = ", ".join(other for other, one in KINDS.own() if key in one.OPTIONS)
            raise PipelineError(f"{key!r} belongs to a model of the kind {others}; a {name} is given as it is called.")
    kind.check(entry[name], entry)


def is_remote(entry: Mapping[str, Any]) -> bool:
    """Whether the model is fetched from the network."""
    return any(URL.match(entry[kind]) for kind in kinds_of(entry))


def parse(text: str) -> dict[str, Any]:
    """An entry from one word of the command line; relative paths start at the current folder.

    :param text: ``plugins:NAME``, the path of a file whose suffix tells the kind (``.so``, ``.onnx`` ...),
        ``module:function`` or ``file.py:function``, or a URL followed by ``#sha256=`` and the checksum
    """
    if URL.match(text):
        url, _, checksum = text.partition("#sha256=")
        return {by_suffix(KINDS, url)[0] or "library": url, **({"sha256": checksum} if checksum else {})}
    if text.startswith(SHIPPED):
        return {"library": text}
    if python.names_function(text):
        return {"python": python.here(text)}
    kind = by_suffix(KINDS, text)[0] or "library"
    return {kind: KINDS.get(kind).here(text)}


def with_absolute_paths(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry whose relative paths start at the current folder, as those of :func:`parse` do.

    :param entry: checked by the schema and :func:`check`
    """
    (kind,) = kinds_of(entry)
    return {**entry, kind: KINDS.get(kind).here(entry[kind])}


def find(entry: Mapping[str, Any], folder: Path) -> ModelFile:
    """Find the file of an entry (fetch it, if it is a URL) and compare its checksum.

    :param entry: checked by the schema and :func:`check`
    :param folder: where relative paths start
    :raises ModelError: there is no such file, or it is another one
    """
    (kind,) = kinds_of(entry)
    return ModelFile(entry, folder, kind, KINDS.get(kind).find(str(entry[kind]), folder, entry.get("sha256")))


def describe(record: Mapping[str, Any]) -> str:
    """A recorded model in a few words, its kind stands first: see :meth:`~sqlamarr.models.kind.ModelFile.record`."""
    name = str(next(iter(record.values())))
    short = name if "python" in record and ".py:" not in name else Path(name).name
    return short + (f", sha256 {record['sha256'][:16]}..." if "sha256" in record else "")


__all__ = ["ModelFile", "check", "describe", "find", "with_absolute_paths", "is_remote", "kinds_of", "parse", "schema"]
