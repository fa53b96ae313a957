"""``f_info`` as C: sizes, names, ranges, origin, verification and the rows of a self-test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.compiler.ir import Graph

INFORMATION = """
#ifndef {macro}_DEVIATION
#define {macro}_DEVIATION NAN
#define {macro}_TOLERANCE NAN
#define {macro}_ROWS 0
#endif
SQLAMARR_EXPORT const sqlamarr_model_info *{name}_info(void) __asm__(SYMBOL("{function}_info"));
SQLAMARR_EXPORT const sqlamarr_model_verification *{name}_verification(void) __asm__(SYMBOL("{function}_verification"));
const sqlamarr_model_info *{name}_info(void) {{
{arrays}
    static const sqlamarr_model_info info = {{
        SQLAMARR_PLUGIN_ABI, {n_in}, {n_out}, {n_random}, in_names, out_names, {origin}, {low}, {high}}};
    return &info;
}}
const sqlamarr_model_verification *{name}_verification(void) {{
{tests}
    static const sqlamarr_model_verification verification = {{
        {macro}_DEVIATION, {macro}_TOLERANCE, {macro}_ROWS, {n_test}, test_in, {test_random}, test_out}};
    return &verification;
}}
"""


@dataclass(frozen=True)
class FunctionDescription:
    """The contents of ``f_info`` besides sizes and names.

    :param origin: where the model came from, in one line
    :param low: (inputs,) lower ends of the valid ranges; NaN where unknown
    :param high: (inputs,) upper ends; NaN where unknown
    :param inputs: (rows, inputs) of a self-test
    :param noise: (rows, noise) of the self-test
    :param outputs: (rows, outputs), the results of the original
    """

    origin: str
    low: NDArray[Any]
    high: NDArray[Any]
    inputs: NDArray[Any]
    noise: NDArray[Any]
    outputs: NDArray[Any]


def information(number: int, function: str, graph: Graph, about: FunctionDescription) -> str:
    """The definition of ``FUNCTION_info``."""
    noise = graph.noise.width if graph.noise else 0
    known = not (np.isnan(about.low).any() or np.isnan(about.high).any())
    arrays = [_strings("in_names", graph.input_names), _strings("out_names", graph.output_names)]
    if known:
        arrays += [_floats("in_min", about.low), _floats("in_max", about.high)]
    tests = [_floats("test_in", about.inputs), _floats("test_out", about.outputs)]
    if noise:
        tests.append(_floats("test_random", about.noise))
    return INFORMATION.format(
        macro=f"MODEL{number}", name=f"model{number}", function=function, arrays="\n".join(arrays),
        tests="\n".join(tests),
        n_in=len(graph.input_names), n_out=graph.output.width, n_random=noise, origin=_string(about.origin),
        low="in_min" if known else "NULL", high="in_max" if known else "NULL",
        n_test=len(about.inputs), test_random="test_random" if noise else "NULL",
    )  # fmt: skip


def _string(text: str) -> str:
    """Return a string literal that is valid in C and JSON; non-ASCII letters stay as they are."""
    return json.dumps(text, ensure_ascii=False)


def _strings(name: str, values: Sequence[str]) -> str:
    return f"    static const char *const {name}[] = {{{', '.join(_string(v) for v in values)}}};"


def _floats(name: str, values: NDArray[Any]) -> str:
    numbers = [_float(v) for v in np.asarray(values, np.float32).ravel().tolist()]
    return f"    static const float {name}[] = {{{', '.join(numbers) or '0'}}};"


def _float(x: float) -> str:
    if x != x:
        return "NAN"
    return ("-" if x < 0 else "") + "INFINITY" if x in (float("inf"), float("-inf")) else f"{x.hex()}f"
