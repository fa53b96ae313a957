"""Functions of compiled models: accurate to 4 units of the last place, right at the ends, fused sums exact."""

from __future__ import annotations

import ctypes
import math
import shutil
import subprocess
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from compiler_tools import needs_compiler

from sqlamarr.compiler.toolchain import OPTIONS
from sqlamarr.native.library import native_folder

pytestmark = needs_compiler
RNG = np.random.Generator(np.random.Philox(9))
SINGLE = ("exp", "expm1", "log", "log1p", "tanh", "sigmoid", "softplus", "sqrt", "log2", "log10", "sin", "cos", "tan",
          "arctan", "arcsinh", "sinh", "cosh", "cbrt", "erf")  # fmt: skip
DOUBLE = ("expm1", "log2", "sinh", "cosh", "cbrt", "sigmoid", "softplus", "tan")


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Call one of the functions on an array."""
    folder = tmp_path_factory.mktemp("functions")
    loops = [f"LOOP(float, m32_{n})" for n in (*SINGLE, "floor", "ceil", "rint")]
    loops += [f"LOOP(double, m64_{n})" for n in (*DOUBLE, "floor", "ceil", "rint")]
    (folder / "shim.c").write_text(
        '#include "portable_math.h"\n#include "functions.h"\n#include <stddef.h>\n'
        "#define LOOP(T, f) void loop_##f(size_t n, const T *x, T *o)"
        " { for (size_t i = 0; i < n; ++i) o[i] = f(x[i]); }\n"
        + "\n".join(loops)
        + "\nvoid fma32(size_t n, const float *a, const float *b, const float *c, float *o)"
        " { for (size_t i = 0; i < n; ++i) o[i] = emulated_fmaf(a[i], b[i], c[i]); }\n"
        "void pow64(size_t n, const double *a, const double *b, double *o)"
        " { for (size_t i = 0; i < n; ++i) o[i] = m64_pow(a[i], b[i]); }\n"
    )
    options = [option for option in OPTIONS if option != "-fvisibility=hidden"]
    include = [f"-I{native_folder() / 'include'}", f"-I{files('sqlamarr.compiler') / 'runtime'}"]
    compiler = next(name for name in ("cc", "gcc", "clang") if shutil.which(name))
    command = [compiler, *options, *include, "-shared", "shim.c", "-o", "shim.so", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    library = ctypes.CDLL(str(folder / "shim.so"))

    def run(name, *arguments):
        dtype = np.float32 if "32" in name else np.float64
        arrays = [np.ascontiguousarray(a, dtype) for a in arguments]
        out = np.empty_like(arrays[0])
        function = getattr(library, name if name in ("fma32", "pow64") else f"loop_{name}")
        function(ctypes.c_size_t(len(out)), *(ctypes.c_void_p(a.ctypes.data) for a in (*arrays, out)))
        return out

    return run


def reference(name, x):
    """In the longest floating-point type that there is."""
    x = x.astype(np.longdouble)
    with np.errstate(all="ignore"):
        if name == "sigmoid":
            return np.where(x >= 0, 1, np.exp(-np.abs(x))) / (1 + np.exp(-np.abs(x)))
        if name == "softplus":
            return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
        if name == "erf":
            return np.array([math.erf(float(v)) for v in x], np.longdouble)
        return getattr(np, name)(x)


def arguments(name, dtype):
    wide = np.concatenate([RNG.uniform(-1, 1, 20_000), RNG.uniform(-12, 12, 20_000), RNG.uniform(-85, 85, 20_000)])
    tiny = RNG.choice([-1, 1], 20_000) * 10.0 ** RNG.uniform(-30, 0, 20_000)
    x = np.concatenate([wide, tiny]).astype(dtype)
    if name in ("log", "log2", "log10", "sqrt"):
        return np.abs(np.concatenate([x, 1 + x[:20_000] / 4]))
    return np.where(x <= -1, np.abs(x), x) if name == "log1p" else x


def worst(got, want, dtype):
    unit = np.maximum(np.spacing(np.abs(want).astype(dtype)), np.finfo(dtype).tiny).astype(np.longdouble)
    return float(np.max(np.abs(got.astype(np.longdouble) - want) / unit))


@pytest.mark.parametrize("name", SINGLE)
def test_single_precision_within_four_units_of_the_last_place(call, name):
    x = arguments(name, np.float32)
    with np.errstate(all="ignore"):
        assert worst(call(f"m32_{name}", x), reference(name, x), np.float32) <= 4


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs 80-bit floating-point numbers for reference")
@pytest.mark.parametrize("name", DOUBLE)
def test_double_precision_within_four_units_of_the_last_place(call, name):
    x = arguments(name, np.float64)
    assert worst(call(f"m64_{name}", x), reference(name, x), np.float64) <= 4


INF, NAN = math.inf, math.nan
ENDS = {
    "exp": [INF, 0, NAN, 1, 1], "expm1": [INF, -1, NAN, 0.0, -0.0], "log": [INF, NAN, NAN, -INF, -INF],
    "log1p": [INF, NAN, NAN, 0.0, -0.0], "tanh": [1, -1, NAN, 0.0, -0.0], "sigmoid": [1, 0, NAN, 0.5, 0.5],
    "softplus": [INF, 0, NAN, math.log(2), math.log(2)], "sqrt": [INF, NAN, NAN, 0.0, -0.0],
    "cbrt": [INF, -INF, NAN, 0.0, -0.0], "sinh": [INF, -INF, NAN, 0.0, -0.0], "cosh": [INF, INF, NAN, 1, 1],
    "floor": [INF, -INF, NAN, 0.0, -0.0], "rint": [INF, -INF, NAN, 0.0, -0.0],
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_ends_and_zeros(call, name):
    found = call(f"m32_{name}", [INF, -INF, NAN, 0.0, -0.0])
    expected = np.array(ENDS[name], np.float32)
    assert np.allclose(found, expected, rtol=1e-6, atol=0, equal_nan=True)
    assert np.array_equal(np.signbit(found[3:]), np.signbit(expected[3:]))


@pytest.mark.parametrize("kind", ["m32", "m64"])
@pytest.mark.parametrize("name", ["floor", "ceil", "rint"])
def test_whole_numbers(call, kind, name):
    x = np.concatenate([np.arange(-5, 5, 0.25), [1e10, -1e10, 8388607.5, 4503599627370495.5, -0.3, 0.3, 1e300]])
    x = x.astype(np.float32 if kind == "m32" else np.float64) if kind == "m64" else x[:-1].astype(np.float32)
    assert np.array_equal(call(f"{kind}_{name}", x), getattr(np, name)(x))


def test_powers_of_negative_numbers(call):
    base, exponent = np.array([-2.0, -2.0, -2.0, -2.0, 0.0, -0.5, 9.0]), np.array([3.0, 2.0, -1.0, 0.5, 0.0, -2.0, 0.5])
    assert np.array_equal(call("pow64", base, exponent), [-8, 4, -0.5, NAN, 1, 4, 3], equal_nan=True)


def test_the_emulated_fused_sum_is_rounded_once(call):
    def numbers(n):
        return (RNG.normal(size=n) * 2.0 ** RNG.integers(-70, 60, n)).astype(np.float32)

    a, b = numbers(4000), numbers(4000)
    c = np.where(RNG.uniform(size=4000) < 0.5, numbers(4000), -(a * b) * (1 + RNG.normal(size=4000) * 1e-7))
    c = c.astype(np.float32)
    found = call("fma32", a, b, c)
    for x, y, z, got in zip(a.tolist(), b.tolist(), c.tolist(), found.tolist()):
        exact = Fraction(x) * Fraction(y) + Fraction(z)
        assert got == nearest(exact), (x, y, z)
    with np.errstate(all="ignore"):
        special = call("fma32", [INF, 1, 3e38, 1], [1, NAN, 10, 1], [1, 1, 0, -INF])
    assert np.array_equal(special, [INF, NAN, INF, -INF], equal_nan=True)


def nearest(exact: Fraction) -> float:
    """The float32 nearest to a fraction, ties to even."""
    near = np.float32(float(exact))
    choices = [near, np.nextafter(near, np.float32(-INF)), np.nextafter(near, np.float32(INF))]
    return min((float(v) for v in choices), key=lambda v: (abs(Fraction(v) - exact), np.float32(v).view(np.uint32) & 1))


def test_functions_are_part_of_the_package():
    assert (Path(str(files("sqlamarr.compiler"))) / "runtime" / "functions.h").is_file()
