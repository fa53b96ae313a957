"""An entry of a pipeline's ``models``: the file of a model, its kind and its checksum."""

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
    "description": "Checksum that the file must have; required for a URL.",
}


def schema(entry: object) -> Mapping[str, Any]:
    """Return the JSON schema of an entry: the kinds of sqlamarr, and those of installed packages that it names.

    Kinds that it does not name are not imported. :func:`check` makes sure that it names exactly one.
    """
    named = set(entry) if isinstance(entry, Mapping) else set()
    kinds = dict(KINDS.own()) | {str(name): KINDS.get(str(name)) for name in named if name in KINDS}
    properties: dict[str, Any] = {name: {"type": "string", "description": kind.HELP} for name, kind in kinds.items()}
    properties["sha256"] = _SHA256
    for name in sorted(kinds, key=lambda name: name in named):  # the schemas of the kind that is named take precedence
        properties |= kinds[name].OPTIONS
    return {"type": "object", "properties": properties, "additionalProperties": False}


def kinds_of(entry: Mapping[str, Any]) -> list[str]:
    """Return the kinds that an entry names."""
    return [name for name in KINDS.names() if name in entry]


def check(entry: Mapping[str, Any]) -> None:
    """Check what the schema cannot express.

    :raises PipelineError: the entry names no model, several models, or a download without a checksum
    """
    kinds = kinds_of(entry)
    if len(kinds) != 1:
        raise PipelineError(f"expected one of {', '.join(KINDS.names())}, found {', '.join(kinds) or 'none'}.")
    (name,) = kinds
    kind = KINDS.get(name)
    for key in entry:
        if key not in (name, "sha256", *kind.OPTIONS):
            others = ", ".join(other for other, one in KINDS.own() if key in one.OPTIONS)
            raise PipelineError(f"{key!r} is an option of models of the kind {others}, not of the kind {name}.")
    kind.check(entry[name], entry)


def is_remote(entry: Mapping[str, Any]) -> bool:
    """Return whether the model is downloaded."""
    return any(URL.match(entry[kind]) for kind in kinds_of(entry))


def parse(text: str) -> dict[str, Any]:
    """Make an entry from one word of the command line; relative paths start at the current folder.

    :param text: ``plugins:NAME``, the path of a file whose suffix determines the kind (``.so``, ``.onnx`` ...),
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
    """Return an entry whose relative paths start at the current folder, as in :func:`parse`.

    :param entry: checked by the schema and :func:`check`
    """
    (kind,) = kinds_of(entry)
    return {**entry, kind: KINDS.get(kind).here(entry[kind])}


def find(entry: Mapping[str, Any], folder: Path) -> ModelFile:
    """Find the file of an entry (download it if it is a URL) and compare its checksum.

    :param entry: checked by the schema and :func:`check`
    :param folder: folder that relative paths start from
    :raises ModelError: there is no such file, or its checksum differs
    """
    (kind,) = kinds_of(entry)
    return ModelFile(entry, folder, kind, KINDS.get(kind).find(str(entry[kind]), folder, entry.get("sha256")))


def describe(record: Mapping[str, Any]) -> str:
    """Describe a recorded model in a few words, its kind first; see :meth:`~sqlamarr.models.kind.ModelFile.record`."""
    name = str(next(iter(record.values())))
    short = name if "python" in record and ".py:" not in name else Path(name).name
    return short + (f", sha256 {record['sha256'][:16]}..." if "sha256" in record else "")


__all__ = ["ModelFile", "check", "describe", "find", "with_absolute_paths", "is_remote", "kinds_of", "parse", "schema"]
