"""Shared libraries of models by name: those built with this package, and those of other installed packages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlamarr.errors import ModelError
from sqlamarr.native.library import native_folder
from sqlamarr.registries.entry import OURS, Entry
from sqlamarr.registries.paths import existing_file
from sqlamarr.registries.registry import Registry

GROUP = "libraries"


def _ours() -> Iterator[Entry]:
    for path in (native_folder() / "plugins").glob("*.so"):
        yield Entry(GROUP, path.stem, OURS, str(path), lambda path=path: path)  # type: ignore[misc]


LIBRARIES: Registry[Path] = Registry(
    GROUP, "model library", attribute="LIBRARY", check=existing_file("shared library"), error=ModelError,
    find_ours=_ours,
)  # fmt: skip
