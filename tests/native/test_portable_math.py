"""Elementary functions of src/core/portable_math.h: accuracy, special cases, equal bits however compiled."""

from __future__ import annotations

import ctypes
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HEADER = Path(__file__).parents[2] / "src" / "core" / "portable_math.h"
COMPILER = shutil.which("gcc") or shutil.which("cc") or ""
pytestmark = pytest.mark.skipif(not COMPILER or not HEADER.exists(), reason="needs a C compiler and src/")

ONE = ["exp", "log", "log10", "log1p", "sin", "cos", "atan", "tanh", "asinh", "erf", "erfc",
       "normal_cdf", "normal_quantile"]  # fmt: skip
SOURCE = """
#include "portable_math.h"
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
#define V1(T, f) void v_##f(size_t n, const T *x, T *o) { for (size_t i = 0; i < n; ++i) o[i] = f(x[i]); }
#define V2(f) void v_##f(size_t n, const double *x, const double *y, double *o) \\
    { for (size_t i = 0; i < n; ++i) o[i] = f(x[i], y[i]); }
static inline float pmf_sin(float x) { float s, c; pmf_sincos(x, &s, &c); return s; }
static inline float pmf_cos(float x) { float s, c; pmf_sincos(x, &s, &c); return c; }
%s
V2(pm_pow) V2(pm_atan2) V1(float, pmf_exp) V1(float, pmf_log) V1(float, pmf_sin) V1(float, pmf_cos)
#ifdef __cplusplus
}
#endif
""".replace("%s", " ".join(f"V1(double, pm_{name})" for name in ONE))

Call = Callable[..., Any]


def build(folder: Path, name: str, *options: str) -> Call:
    (folder / "shim.c").write_text(SOURCE)
    library = folder / f"{name}.so"
    command = [COMPILER, *options, "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
               f"-I{HEADER.parent}", str(folder / "shim.c"), "-o", str(library), "-lm"]  # fmt: skip
    subprocess.run(command, check=True)
    loaded = ctypes.CDLL(str(library))

    def call(function: str, *arguments: Any) -> Any:
        dtype = np.float32 if function.startswith("pmf_") else np.float64
        arrays = [np.ascontiguousarray(a, dtype) for a in arguments]
        out = np.empty_like(arrays[0])
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (*arrays, out)]
        getattr(loaded, f"v_{function}")(ctypes.c_size_t(len(out)), *pointers)
        return out

    return call


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    return build(tmp_path_factory.mktemp("math"), "c", "-std=c11", "-O3")


RNG = np.random.default_rng(2024)
WIDE = 10 ** RNG.uniform(-300, 300, 20_000)
UNIT = RNG.uniform(-1, 1, 20_000)
extended = pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs a long double wider than double")


def worst_ulp(got: Any, reference: Any) -> float:
    """The largest error in units of the last place of the result."""
    unit = np.spacing(np.abs(reference.astype(got.dtype)))
    return float(np.max(np.abs(got.astype(np.longdouble) - reference) / unit))


@extended
@pytest.mark.parametrize(
    ("name", "x", "limit"),
    [("exp", UNIT * 700, 1), ("exp", UNIT, 1), ("log", WIDE, 1), ("log", 1 + UNIT / 2, 1), ("log10", WIDE, 1),
     ("log10", 1 + UNIT / 2, 1), ("log1p", UNIT, 1.5), ("log1p", UNIT * 1e-8, 1), ("sin", UNIT * 10, 1),
     ("cos", UNIT * 10, 1), ("sin", UNIT * 9e4, 1), ("cos", UNIT * 9e4, 1), ("atan", UNIT * 5, 1.5),
     ("atan", WIDE, 1.5),
     ("tanh", UNIT * 20, 1.5), ("tanh", UNIT, 1.5), ("asinh", UNIT * 10, 2)],
)  # fmt: skip
def test_accuracy_in_units_of_the_last_place(call: Call, name: str, x: Any, limit: float) -> None:
    function = {"atan": "arctan", "asinh": "arcsinh"}.get(name, name)
    assert worst_ulp(call(f"pm_{name}", x), getattr(np, function)(x.astype(np.longdouble))) < limit


@extended
def test_accuracy_of_two_arguments(call: Call) -> None:
    x, y = WIDE, UNIT * 600 / np.log(WIDE)
    assert worst_ulp(call("pm_pow", x, y), x.astype(np.longdouble) ** y.astype(np.longdouble)) < 1.2
    a, b = UNIT, UNIT[::-1].copy()
    assert worst_ulp(call("pm_atan2", a, b), np.arctan2(a.astype(np.longdouble), b.astype(np.longdouble))) < 2


@pytest.mark.parametrize(
    ("x", "sine"),  # sin by 200-bit arithmetic; the first is the double closest to a multiple of pi/2
    [(6381956970095103 * 2.0**797, 1.0), (1e22, -0.8522008497671888), (1e300, -0.8178819121159085)],
)
def test_sine_of_large_arguments(call: Call, x: float, sine: float) -> None:
    assert call("pm_sin", [x, -x]).tolist() == [sine, -sine]


def test_error_function_and_normal_distribution(call: Call) -> None:
    from scipy import special, stats

    x = RNG.uniform(-8, 8, 20_000)
    assert np.allclose(call("pm_erf", x), special.erf(x), rtol=1e-15, atol=0)
    assert np.allclose(call("pm_erfc", x * 3), special.erfc(x * 3), rtol=2e-13, atol=0)
    assert np.allclose(call("pm_normal_cdf", x * 4), stats.norm.cdf(x * 4), rtol=2e-13, atol=0)
    p = np.concatenate([RNG.uniform(0, 1, 10_000), 10 ** RNG.uniform(-300, 0, 10_000)])
    assert np.allclose(call("pm_normal_quantile", p), special.ndtri(p), rtol=4e-15, atol=1e-16)
    x = RNG.uniform(-37, 5, 10_000)
    assert np.allclose(call("pm_normal_quantile", call("pm_normal_cdf", x)), x, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "x", "limit"),
    [
        ("exp", UNIT * 87, 1.5),
        ("log", 10 ** (UNIT * 37), 1.5),
        ("log", 1 + UNIT / 2, 1.5),
        ("sin", UNIT, 2.5),
        ("cos", UNIT, 2.5),
    ],
)
def test_accuracy_of_float_functions(call: Call, name: str, x: Any, limit: float) -> None:
    x = x.astype(np.float32).astype(float)
    got = call(f"pmf_{name}", x)
    turns = 2 * np.pi if name in ("sin", "cos") else 1.0
    reference = getattr(np, name)(x * turns)
    keep = np.abs(reference) > 1e-6
    assert worst_ulp(got[keep], reference[keep]) < limit


INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [("exp", [0.0, -0.0, INF, -INF, NAN, 710, -746, -745.1], [1, 1, INF, 0, NAN, INF, 0, 5e-324]),
     ("log", [0.0, -0.0, INF, -1, NAN, 1, 5e-324], [-INF, -INF, INF, NAN, NAN, 0, -744.4400719213812]),
     ("log10", [0.0, INF, -1, 1000, 1e-5], [-INF, INF, NAN, 3, -5]),
     ("log1p", [-0.0, -1, -2, INF, 1e-300], [-0.0, -INF, NAN, INF, 1e-300]),
     ("sin", [0.0, -0.0, INF, NAN, 5e-324], [0.0, -0.0, NAN, NAN, 5e-324]),
     ("cos", [0.0, INF, NAN], [1, NAN, NAN]),
     ("tanh", [-0.0, INF, -INF, NAN, 1e-300], [-0.0, 1, -1, NAN, 1e-300]),
     ("erf", [-0.0, INF, -INF, NAN], [-0.0, 1, -1, NAN]),
     ("erfc", [0.0, INF, -INF, NAN], [1, 0, 2, NAN]),
     ("normal_cdf", [0.0, INF, -INF, NAN], [0.5, 1, 0, NAN]),
     ("normal_quantile", [0.0, 0.5, 1, -1, 2, NAN], [-INF, 0, INF, NAN, NAN, NAN])],
)  # fmt: skip
def test_special_cases(call: Call, name: str, x: list[float], expected: list[float]) -> None:
    got, want = call(f"pm_{name}", x), np.array(expected, float)
    assert np.array_equal(got, want, equal_nan=True)
    numbers = ~np.isnan(want)
    assert np.array_equal(np.signbit(got[numbers]), np.signbit(want[numbers]))


def test_special_cases_of_two_arguments(call: Call) -> None:
    values = np.array([0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 1e300, 5e-324])
    y, x = (grid.ravel() for grid in np.meshgrid(values, values))
    got, want = call("pm_atan2", y, x), np.arctan2(y, x)
    assert np.allclose(got, want, rtol=1e-15, atol=0, equal_nan=True)
    assert np.array_equal(np.signbit(got[~np.isnan(want)]), np.signbit(want[~np.isnan(want)]))
    base = np.abs(x)
    with np.errstate(all="ignore"):
        assert np.allclose(call("pm_pow", base, y), base**y, rtol=1e-15, atol=0, equal_nan=True)


def test_special_cases_of_float_functions(call: Call) -> None:
    assert np.array_equal(call("pmf_exp", [0, INF, -INF, NAN, 89, -110]), np.float32([1, INF, 0, NAN, INF, 0]), True)
    assert np.array_equal(call("pmf_log", [0, INF, -INF, NAN, -1, 1]), np.float32([-INF, INF, NAN, NAN, NAN, 0]), True)
    assert call("pmf_log", [1e-45])[0] == pytest.approx(-103.27893, rel=1e-6)


def test_same_bits_however_compiled(call: Call, tmp_path: Path) -> None:
    variants = [("-x", "c++", "-std=c++20", "-O0"), ("-std=c11", "-O0"), ("-std=c11", "-O2")]
    if platform.machine() == "x86_64" and "avx2" in Path("/proc/cpuinfo").read_text():
        variants.append(("-std=c11", "-O3", "-mavx2", "-mfma"))
    for number, options in enumerate(variants):
        other = build(tmp_path, f"v{number}", *options)
        for name in [*(f"pm_{n}" for n in ONE), "pmf_exp", "pmf_log", "pmf_sin", "pmf_cos"]:
            for x in (UNIT * 30, UNIT, WIDE):
                with np.errstate(over="ignore", under="ignore"):
                    assert call(name, x).tobytes() == other(name, x).tobytes(), (name, options)
        for name in ("pm_pow", "pm_atan2"):
            assert call(name, WIDE, UNIT).tobytes() == other(name, WIDE, UNIT).tobytes(), (name, options)
