"""Compile graphs in tests, and call them in every way that there is."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sqlamarr.compiler.build import build
from sqlamarr.compiler.evaluate import evaluate
from sqlamarr.compiler.function import ModelSource
from sqlamarr.compiler.ir import Graph
from sqlamarr.models.compiled import CompiledModel

needs_compiler = pytest.mark.skipif(
    not any(shutil.which(name) for name in ("cc", "gcc", "clang")), reason="no C compiler here"
)
# Numbers of rows at and around the borders of blocks (48, 16) and of going row by row (6).
COUNTS = (1, 2, 6, 7, 15, 16, 17, 32, 33, 47, 48, 49, 96, 101)


def source_of(graph: Graph, low: float = -3.0, high: float = 3.0) -> ModelSource:
    """A source whose original is the graph itself, computed with numpy."""
    n = len(graph.input_names)
    return ModelSource(graph, lambda x, z: evaluate(graph, x, z), np.full(n, low), np.full(n, high), "a test")


def compile_graphs(graphs: Mapping[str, Graph], path: Path, **options: Any) -> Path:
    return build({name: source_of(graph) for name, graph in graphs.items()}, path, rows=256, **options).path


def paths_of_this_processor() -> list[str]:
    """The instruction sets that can be forced here."""
    if platform.machine() != "x86_64":
        return ["baseline"]
    flags = Path("/proc/cpuinfo").read_text()
    return ["baseline", *(["avx2"] if "avx2" in flags else []), *(["avx512"] if "avx512dq" in flags else [])]


def load_with(library: Path, isa: str, function: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> CompiledModel:
    """A copy of a library, which has asked for its instruction set under this environment."""
    copy = folder / f"{isa}-{library.name}"
    if not copy.exists():
        shutil.copy(library, copy)
    monkeypatch.setenv("SQLAMARR_ISA", isa)
    return CompiledModel(copy, function)


def assert_same_bits_for_every_count(model: CompiledModel, x: Any, noise: Any, outputs: int) -> np.ndarray:
    """Row i of the result is the same whatever the number of rows, and as from f."""
    whole = model(x, noise, outputs)
    for n in COUNTS:
        part = model(x[:n], None if noise is None else noise[:n], outputs)
        assert part.tobytes() == whole[:n].tobytes(), f"{n} rows"
    single = model(x[:20], None if noise is None else noise[:20], outputs, batched=False)
    assert single.tobytes() == whole[:20].tobytes(), "row by row"
    return whole
