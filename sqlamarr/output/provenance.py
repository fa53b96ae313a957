"""What an output file says about its making."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

from sqlamarr.database.connection import Database
from sqlamarr.models.files import sha256
from sqlamarr.native import library
from sqlamarr.output.summary import RunSummary
from sqlamarr.pipeline.definition import Pipeline
from sqlamarr.registries.used import Used, joined
from sqlamarr.sources.base import Source
from sqlamarr.steps.workspace import Workspace

PLAIN = ("pipeline_text", "pipeline", "pipeline_file")  # entries of the provenance that are never JSON


def before(
    pipeline: Pipeline, workspace: Workspace, options: Mapping[str, Any], inputs: Sequence[str], used: Used
) -> dict[str, Any]:
    """Entries that are known when a run begins.

    :param options: what the run was asked for
    :param inputs: names of all its inputs
    :param used: what was used of other packages so far, beside what the pipeline has noted
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
    """Entries that are known when a run has ended."""
    return {
        "status": "complete",
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "inputs": source.inputs(),
        "weight_names": list(source.weight_names),
        "collisions": source.collisions,
        "summary": summary.as_dict(),
    }


def as_read(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries as :func:`read` would give them back."""
    return {key: value if key in PLAIN else _decoded(encoded(value)) for key, value in entries.items()}


def encoded(value: Any) -> str:
    """The text that is stored: of structured entries JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def read(db: Database) -> dict[str, Any]:
    """The provenance of an output file, structured entries decoded."""
    rows = db.execute("SELECT key, value FROM Provenance")
    return {str(key): str(value) if key in PLAIN else _decoded(str(value)) for key, value in rows}


def unfinished(made: Mapping[str, Any]) -> str:
    """A sentence about a run that did not come to its end; empty for others."""
    status = made["status"]
    return "" if status == "complete" else f"The run is not complete: its status is {status}."


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
