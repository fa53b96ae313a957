"""What an output file says about how it was made."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

from sqlamarr.database.connection import Database
from sqlamarr.errors import OutputError, SqlError
from sqlamarr.models.files import sha256
from sqlamarr.native import library
from sqlamarr.output.summary import RunSummary
from sqlamarr.pipeline.definition import Pipeline
from sqlamarr.registries.used import Used, joined
from sqlamarr.sources.base import Source
from sqlamarr.steps.workspace import Workspace

#: What entries of the provenance are, where they are there. Those of type str are never JSON.
KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("status", "sqlamarr", "platform", "started", "finished", "pipeline", "pipeline_file"), (str,)),
    **dict.fromkeys(("pipeline_text", "collisions", "collisions_asked", "generator"), (str,)),
    **dict.fromkeys(("templates", "data", "conditions", "models", "code", "packages", "summary", "tuple"), (dict,)),
    **dict.fromkeys(("inputs", "inputs_given", "weight_names", "parts"), (list,)),
    **dict.fromkeys(("seed", "first_event", "skip_events"), (int,)),
    "max_events": (int, type(None)),
    "cross_section": (list, type(None)),
}


def before(
    pipeline: Pipeline, workspace: Workspace, options: Mapping[str, Any], inputs: Sequence[str], used: Used
) -> dict[str, Any]:
    """The entries that are known when a run starts.

    :param options: the options of the run
    :param inputs: names of all its inputs
    :param used: what was used of other packages so far, besides what the pipeline has recorded
    """
    models = {name: workspace.model_file(name).record() for name in pipeline.models}
    return {
        "status": "incomplete",
        "sqlamarr": str(library.version),
        "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "pipeline": pipeline.name,
        "pipeline_file": str(pipeline.path),
        "pipeline_text": pipeline.text,
        "templates": {name: workspace.templates.source(name) for name in workspace.templates.used},
        "data": {name: (pipeline.folder / file).read_text() for name, file in pipeline.data.items()},
        "conditions": dict(pipeline.conditions),
        "models": models,
        **({"code": code} if (code := _code(pipeline)) else {}),
        "other_packages": joined(pipeline.packages, used),
        "packages": {name: version(name) for name in ("apsw", "numpy", "pyhepmc")},
        "inputs_given": [name.replace("\\", "/").rsplit("/", 1)[-1] for name in inputs],
        **options,
    }


def _code(pipeline: Pipeline) -> dict[str, str]:
    """Checksums of the files with the user's own code, by step."""
    files = {step.name: step.source(pipeline.folder) for step in pipeline.steps}
    return {name: sha256(file) for name, file in files.items() if file and file.is_file()}


def after(source: Source, summary: RunSummary) -> dict[str, Any]:
    """The entries that are known when a run has ended."""
    return {
        "status": "complete",
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "inputs": source.inputs(),
        "weight_names": list(source.weight_names),
        "collisions": source.collisions,
        "summary": summary.as_dict(),
    }


def as_read(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries as :func:`read` would return them."""
    return {key: _decoded(key, encoded(value)) for key, value in entries.items()}


def encoded(value: Any) -> str:
    """The text that is stored; JSON for structured entries."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


class Entries(dict[str, Any]):
    """Entries of a provenance, or of one of its entries. Reading a missing one raises OutputError.

    :param where: the file
    """

    def __init__(self, content: Mapping[str, Any], where: str) -> None:
        super().__init__(content)
        self._where = where

    def __missing__(self, key: str) -> Any:
        raise _unreadable(self._where, f"it has no entry {key!r}")


def texts(db: Database) -> dict[str, str]:
    """The provenance of an output file as it is stored: structured entries are JSON.

    :raises OutputError: it cannot be read
    """
    found: dict[str, str] = {}
    try:
        for key, value in db.execute("SELECT key, value FROM Provenance"):
            if not isinstance(key, str) or not isinstance(value, str):
                raise _unreadable(db.path, f"the entry {key!r} is not a text")
            found[key] = value
    except SqlError as error:
        raise _unreadable(db.path, str(error).partition("\n")[0]) from error
    return found


def read(db: Database) -> Entries:
    """The provenance of an output file, structured entries decoded.

    :raises OutputError: it cannot be read, or an entry is not of its kind; or later, when one is asked for that is
        missing
    """
    found = {key: _decoded(key, value, db.path) for key, value in texts(db).items()}
    for key, value in found.items():
        if not isinstance(value, KINDS.get(key, (object,))):
            names = " or ".join(_JSON_NAMES[kind] for kind in KINDS[key])
            raise _unreadable(db.path, f"the entry {key!r} is not a {names}")
    return Entries(found, db.path)


_JSON_NAMES = {dict: "JSON object", list: "JSON list", int: "integer", str: "text", type(None): "null"}


def _unreadable(path: str, why: str) -> OutputError:
    return OutputError(
        f"The provenance of {path} cannot be used: {why}. The file is damaged, or was changed after it was written. "
        f"'sqlamarr verify {path}' reports all damage; if the file was copied, copy it again."
    )


def unfinished(made: Mapping[str, Any]) -> str:
    """A sentence about a run that did not finish; empty for others."""
    status = made["status"]
    return "" if status == "complete" else f"The run is not complete: its status is {status}."


def _decoded(key: str, value: str, where: str = "") -> Any:
    if str in KINDS.get(key, ()):
        return value
    try:
        return json.loads(value, object_hook=lambda entry: Entries(entry, where))
    except (ValueError, RecursionError):
        return value
