"""The C file of a library: its functions for every instruction set, and their descriptions."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from sqlamarr.compiler.constants import ALIGNMENT, Constants
from sqlamarr.compiler.emit import FunctionWriter
from sqlamarr.compiler.fuse import fuse
from sqlamarr.compiler.information import FunctionDescription, information
from sqlamarr.compiler.ir import Graph
from sqlamarr.native.library import native_folder

LEVELS = ("baseline", "avx2", "avx512")
WEIGHTS = "weights.bin"

WEIGHTS_FROM_FILE = """
/* The numbers, from the file beside this one. */
__asm__(".section .rodata\\n"
        ".balign {alignment}\\n"
        "sqlamarr_weights: .incbin \\"{file}\\"\\n"
        ".previous\\n");
extern const unsigned char sqlamarr_weights[] __attribute__((visibility("hidden")));
"""

WEIGHTS_AS_TEXT = """
/* The numbers, as the words that make them up. */
static const uint32_t sqlamarr_weights[] __attribute__((aligned({alignment}))) = {{
{words}
}};
"""

FUNCTION = """
TARGET static void ISA_FN({name}_block)(const size_t B, const size_t rows, const float *in, const float *random,
                                        float *out, char *work) {{
    (void)random;
{body}
}}
TARGET static void ISA_FN({name}_rows)(size_t n, float *out, const float *in, const float *random, char *work) {{
    while (n > 0) {{
        const size_t B = n > 2 * SMALL_BLOCK ? BLOCK : n > SINGLE_ROWS ? SMALL_BLOCK : 1, rows = n < B ? n : B;
        ISA_FN({name}_block)(B, rows, in, random, out, work);
        n -= rows;
        in += rows * {n_in};
        random += rows * {n_random};
        out += rows * {n_out};
    }}
}}
"""

ENTRY = """
static int {name}_dispatch(size_t n, float *out, const float *in, const float *random) {{
    _Alignas({alignment}) char small[{small}];
    const size_t size = (size_t){size} * (n > 2 * SMALL_BLOCK ? BLOCK : n > SINGLE_ROWS ? SMALL_BLOCK : 1);
    char *memory = NULL, *work = small;
    if (size > sizeof small) {{
        memory = malloc(size + {alignment});
        if (memory == NULL) return -1;
        work = memory + ({alignment} - (uintptr_t)memory % {alignment});
    }}
    switch (instruction_set()) {{
#if ON_X86
    case 2:
        {name}_rows_on_avx512(n, out, in, random, work);
        break;
    case 1:
        {name}_rows_on_avx2(n, out, in, random, work);
        break;
#endif
    default:
        {name}_rows_on_baseline(n, out, in, random, work);
    }}
    free(memory);
    return 0;
}}
SQLAMARR_EXPORT int {name}_batch(size_t n, float *out, const float *in, const float *random)
    __asm__(SYMBOL("{function}_batch"));
SQLAMARR_EXPORT float *{name}_row(float *out, const float *in{random_parameter}) __asm__(SYMBOL("{function}"));
int {name}_batch(size_t n, float *out, const float *in, const float *random) {{
    return n > 0 ? {name}_dispatch(n, out, in, random != NULL ? random : in) : 0;
}}
float *{name}_row(float *out, const float *in{random_parameter}) {{
    return {name}_dispatch(1, out, in, {random_argument}) == 0 ? out : NULL;
}}
"""

STACK = 1 << 15  # bytes of working memory that a call takes from the stack before it asks for more


@dataclass(frozen=True)
class LibrarySource:
    """The text of a library, and its weights if they are in a file of their own."""

    text: str
    weights: bytes | None


def write_library(
    graphs: Mapping[str, Graph], descriptions: Mapping[str, FunctionDescription], *, as_text: bool
) -> LibrarySource:
    """Write functions as C.

    :param graphs: the graph of each function, by name
    :param descriptions: the description of each function, by name
    :param as_text: put the weights into the C file instead of a file beside it
    """
    graphs = {name: fuse(graph) for name, graph in graphs.items()}
    constants = Constants()
    kernels: dict[str, set[str]] = {"f32": set(), "f64": set()}
    writers = {name: FunctionWriter(graph, constants, kernels) for name, graph in graphs.items()}
    bodies = {name: writer.body() for name, writer in writers.items()}
    code = [_runtime("prologue.h"), _runtime("functions.h"), _weights(constants, as_text), _DATA]
    for level, isa in enumerate(LEVELS):
        functions = [_function(number, bodies[name], graphs[name]) for number, name in enumerate(graphs)]
        code.append(_one_level(level, isa, kernels, functions))
    code += [_entry(number, name, graphs[name], writers[name].layout.size) for number, name in enumerate(graphs)]
    text = "\n".join([
        _HEAD, _shared("include", "sqlamarr_plugin.h"), "#ifndef SQLAMARR_INFORMATION_ONLY",
        _shared("include", "portable_math.h"), *code, "#endif /* SQLAMARR_INFORMATION_ONLY */",
        "#ifndef SQLAMARR_CODE_ONLY",
        *(information(number, name, graphs[name], descriptions[name]) for number, name in enumerate(graphs)),
        "#endif /* SQLAMARR_CODE_ONLY */\n",
    ])  # fmt: skip
    return LibrarySource(text, None if as_text else constants.blob())


def has_incbin() -> bool:
    """Return whether the assembler of this system can include a file, as assemblers for ELF can."""
    return sys.platform.startswith("linux")


_HEAD = """/* Compiled models, written by 'sqlamarr compile'. Compile with
 *     cc -O3 -std=gnu11 -ffp-contract=off -fno-math-errno -fno-strict-aliasing -fvisibility=hidden -fPIC \\
 *        -shared model.c -lm
 * in this folder. SQLAMARR_CODE_ONLY and SQLAMARR_INFORMATION_ONLY compile a part of it.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* The functions keep their names in the library, and have others here, where a name may mean something else. */
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define SYMBOL(name) TEXT(__USER_LABEL_PREFIX__) name
"""

_DATA = "#define DATA(type, offset) ((const type *)(const void *)((const char *)sqlamarr_weights + (offset)))\n"


def _runtime(name: str) -> str:
    return (files("sqlamarr.compiler") / "runtime" / name).read_text()


def _shared(*parts: str) -> str:
    return native_folder().joinpath(*parts).read_text()


def _weights(constants: Constants, as_text: bool) -> str:
    if not as_text:
        return WEIGHTS_FROM_FILE.format(file=WEIGHTS, alignment=ALIGNMENT)
    import numpy as np

    words = [f"0x{word:x}" for word in np.frombuffer(constants.blob(), np.uint32).tolist()]
    lines = [",".join(words[i : i + 12]) for i in range(0, len(words), 12)]
    return WEIGHTS_AS_TEXT.format(words=",\n".join(lines), alignment=ALIGNMENT)


def _one_level(level: int, isa: str, kernels: Mapping[str, set[str]], functions: list[str]) -> str:
    """Return the code for one instruction set."""
    parts = [f"\n/* ==== {isa} ==== */", "#if ON_X86" if level else "#if 1"]
    parts += ["#undef ISA", "#undef LEVEL", f"#define ISA {isa}", f"#define LEVEL {level}"]
    for precision, needed in kernels.items():
        parts += ["#undef DOUBLE", f"#define DOUBLE {int(precision == 'f64')}", _runtime("vectors.h")]
        parts += [_runtime("kernels.h"), *sorted(needed)]
    return "\n".join([*parts, *functions, "#endif"])


def _function(number: int, body: str, graph: Graph) -> str:
    return FUNCTION.format(name=f"model{number}", body=body, **_sizes(graph))


def _sizes(graph: Graph) -> dict[str, Any]:
    noise = graph.noise.width if graph.noise else 0
    return {"n_in": len(graph.input_names), "n_out": graph.output.width, "n_random": noise}


def _entry(number: int, function: str, graph: Graph, size: int) -> str:
    random = graph.noise is not None
    return ENTRY.format(
        name=f"model{number}", function=function, alignment=ALIGNMENT,
        size=max(size, 1), small=min(STACK, max(size, ALIGNMENT)),
        random_parameter=", const float *random" if random else "", random_argument="random" if random else "in",
    )  # fmt: skip
