"""Packages of others for tests: a folder as ``pip install`` leaves it, put into ``sys.path``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

Install = Callable[..., Path]


def write_package(
    folder: Path, name: str, points: Mapping[str, Mapping[str, str]], modules: Mapping[str, str], version: str = "1.0"
) -> None:
    """A distribution with entry points by group, and modules by name."""
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = [
        f"[sqlamarr.{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
        for group, entries in points.items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(groups))
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """``install(name, {group: {entry: value}}, {module: text}, version)`` for the rest of the test."""
    before = set(sys.modules)
    count = 0

    def installed(
        name: str, points: Mapping[str, Mapping[str, str]], modules: Mapping[str, str] = {}, version: str = "1.0"
    ) -> Path:
        nonlocal count
        count += 1
        folder = tmp_path / f"site{count}"
        write_package(folder, name, points, modules, version)
        monkeypatch.syspath_prepend(str(folder))
        return folder

    yield installed
    for module in set(sys.modules) - before:
        file = getattr(sys.modules[module], "__file__", None)
        if file and str(tmp_path) in file:
            del sys.modules[module]
