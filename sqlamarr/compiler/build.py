"""Building a shared library from functions: write C, compile, verify, move it into place."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from sqlamarr.compiler import toolchain
from sqlamarr.compiler.function import ModelSource
from sqlamarr.compiler.information import FunctionDescription
from sqlamarr.compiler.library import WEIGHTS, has_incbin, write_library
from sqlamarr.compiler.verify import ROWS, SELF_TEST_ROWS, TOLERANCE, TrialRows, Verification, compare, make_rows
from sqlamarr.errors import CompilerError
from sqlamarr.files import whole_files
from sqlamarr.models.compiled import CompiledModel


@dataclass(frozen=True)
class Compiled:
    """The result of building a library.

    :param path: the library
    :param functions: per function, how well it agrees with the original
    :param sizes: per function, numbers of inputs, outputs and random numbers
    :param seconds: time that the C compiler took
    """

    path: Path
    functions: Mapping[str, Verification]
    sizes: Mapping[str, tuple[int, int, int]]
    seconds: float


def build(
    sources: Mapping[str, ModelSource],
    path: Path,
    *,
    tolerance: float = TOLERANCE,
    samples: Mapping[str, NDArray[Any]] | None = None,
    rows: int = ROWS,
    weights_as_text: bool | None = None,
    keep_source: Path | None = None,
) -> Compiled:
    """Compile functions into one library and verify each against its original.

    :param sources: the source that a front end made of each model, by function name
    :param path: the library to write
    :param tolerance: largest deviation, relative to the spread of an output
    :param samples: per function, real inputs (rows, inputs) to verify on
    :param rows: number of random rows to verify on otherwise
    :param weights_as_text: put weights into the C file instead of a file beside it (default: only if the assembler
    cannot include files)
    :param keep_source: folder in which the C file and its weights are kept
    :raises CompilerError: there is no C compiler, a name is not valid, or a function differs from its original
    """
    for name in sources:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise CompilerError(
                f"{name!r} is not a valid name of a C function; expected letters, digits and underscores."
            )
    if not sources:
        raise CompilerError("There is nothing to compile: name at least one function.")
    as_text = not has_incbin() if weights_as_text is None else weights_as_text
    known = {name: make_rows(name, s, rows, (samples or {}).get(name)) for name, s in sources.items()}
    graphs = {name: source.graph for name, source in sources.items()}
    source = write_library(graphs, {n: _describe(s, known[n]) for n, s in sources.items()}, as_text=as_text)
    with tempfile.TemporaryDirectory(prefix="sqlamarr-") as name:
        folder = Path(name)
        (folder / "model.c").write_text(source.text, encoding="utf-8")
        if source.weights is not None:
            (folder / WEIGHTS).write_bytes(source.weights)
        start = time.perf_counter()
        toolchain.run([*toolchain.options(), "-DSQLAMARR_CODE_ONLY", "-c", "model.c", "-o", "code.o"], folder)
        _link(folder, {})
        seconds = time.perf_counter() - start
        verified = {n: _verify(folder / "model.so", n, s, known[n], tolerance) for n, s in sources.items()}
        _link(folder, dict(enumerate(verified.values())))
        if keep_source is not None:
            _keep(folder, keep_source)
        _install(folder / "model.so", path)
    sizes = {n: (len(g.input_names), g.output.width, g.noise.width if g.noise else 0) for n, g in graphs.items()}
    return Compiled(path, verified, sizes, seconds)


def _describe(source: ModelSource, rows: TrialRows) -> FunctionDescription:
    test = slice(0, SELF_TEST_ROWS)
    return FunctionDescription(
        source.origin, source.low, source.high, rows.inputs[test], rows.noise[test], rows.outputs[test]
    )  # fmt: skip


def _link(folder: Path, verified: Mapping[int, Verification]) -> None:
    """Compile the descriptions of the functions, and link everything."""
    told = []
    for number, found in verified.items():
        values = (("DEVIATION", found.deviation.hex()), ("TOLERANCE", found.tolerance.hex()), ("ROWS", found.rows))
        told += [f"-DMODEL{number}_{key}={value}" for key, value in values]
    toolchain.run(
        [*toolchain.options(), "-DSQLAMARR_INFORMATION_ONLY", *told, "-c", "model.c", "-o", "information.o"], folder
    )
    toolchain.run(["-shared", "code.o", "information.o", "-o", "model.so", "-lm"], folder)


def _verify(library: Path, name: str, source: ModelSource, rows: TrialRows, tolerance: float) -> Verification:
    model = CompiledModel(library, name)
    noise = rows.noise if source.graph.noise else None
    outputs = model(rows.inputs, noise, source.graph.output.width)
    return compare(name, source.graph, rows, outputs, tolerance)


def _keep(folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in ("model.c", WEIGHTS):
        if (folder / name).exists():
            whole_files.copy(folder / name, target / name)


def _install(library: Path, path: Path) -> None:
    """Replace the library atomically: a process that has loaded the old one keeps it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CompilerError(f"The library {path} cannot be written: {error.strerror}.") from error
    with whole_files.replacing(path, mode=0o755) as part:
        part.write_bytes(library.read_bytes())
