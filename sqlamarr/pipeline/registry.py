"""Pipelines by name: those of this package, and those of other installed packages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlamarr.errors import PipelineError
from sqlamarr.native.library import pipelines_folder
from sqlamarr.registries.entry import OURS, Entry
from sqlamarr.registries.paths import existing_file
from sqlamarr.registries.registry import Registry

GROUP = "pipelines"
FILE = "pipeline.yaml"


def _ours() -> Iterator[Entry]:
    for path in pipelines_folder().glob(f"*/{FILE}"):
        yield Entry(GROUP, path.parent.name, OURS, str(path), lambda path=path: path)  # type: ignore[misc]


PIPELINES: Registry[Path] = Registry(
    GROUP, "pipeline", attribute="PIPELINE", check=existing_file("YAML file", FILE), error=PipelineError,
    find_ours=_ours,
)  # fmt: skip
