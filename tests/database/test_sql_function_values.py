"""Every SQL function of ours has values that were computed without it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Any

import apsw
import numpy as np
import pytest

from sqlamarr.native.library import library_path
from sqlamarr.native.random import active

KEY = 0x0123456789ABCDEF

#: Functions without a number: two are the library's own and answer nobody else, one gives a text.
NOT_NUMERIC = {"sqlamarr_sink", "sqlamarr_required", "sqlamarr_version"}

# -- the random numbers once more, from the paper: Salmon et al., SC11, Philox4x32-10 ------------------

UNIFORM_AT, NORMAL_AT, CATEGORY_AT, SEQUENTIAL = (0xFFFFFF01 + i for i in range(4))  # streams, as in src/philox.h


def philox(identity: int, draw: int, stream: int) -> list[int]:
    """Four words for a counter of (id, draw, stream) and the key of these tests."""
    c = [identity & 0xFFFFFFFF, identity >> 32 & 0xFFFFFFFF, draw, stream]
    k = [KEY & 0xFFFFFFFF, KEY >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & 0xFFFFFFFF, a >> 32 ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def uniform(*counter: int) -> float:
    """The middle of one of 2^52 equal parts of (0, 1)."""
    word = philox(*counter)
    return ((word[1] << 32 | word[0]) // 4096 + 0.5) / 2**52


def normal(*counter: int) -> float:
    """Box and Muller: radius from the first two words, angle from the others."""
    word = philox(*counter)
    radius = math.sqrt(-2 * math.log(((word[1] << 32 | word[0]) + 0.5) / 2**64))
    return radius * math.cos(2 * math.pi * (((word[3] << 32 | word[2]) // 4096 + 0.5) / 2**52 - 0.5))


def category(u: float, *probabilities: float) -> int:
    """The first whose cumulated probability exceeds u."""
    return int(np.searchsorted(np.cumsum(probabilities), u, side="right"))


# -- values ----------------------------------------------------------------------------------------


def largest_factor(*correlations: float) -> float:
    """The first of 1, 0.99, 0.98, ... at which the least eigenvalue is positive."""
    matrix = np.eye(5)
    pairs = [(i, j) for j in range(5) for i in range(j)]
    for (i, j), value in zip(pairs, correlations):
        matrix[i, j] = matrix[j, i] = value
    steps = (step / 100 for step in range(100, 0, -1))
    return next(s for s in steps if np.linalg.eigvalsh(np.eye(5) + s * (matrix - np.eye(5)))[0] > 1e-5)


MIXED = (0.9, -0.8, 0.7, 0.5, -0.95, 0.1, 0.6, 0.3, -0.4, 0.85)

#: By function: arguments, and what they give. Triangles of whole sides and closed forms; others as noted.
VALUES: dict[str, Sequence[tuple[tuple[Any, ...], Any]]] = {
    "norm2": [((2, -3, 6), 7.0), ((0, 0, 0), 0.0)],
    "polar": [((3, 4, 5), math.pi / 4), ((0, 0, -1), math.pi), ((0, 2, 0), math.pi / 2)],
    "azimuthal": [((-1, 1, 7), 3 * math.pi / 4), ((1, -math.sqrt(3), 0), -math.pi / 3)],
    # asinh(12 / 5) = ln(12/5 + 13/5)
    "pseudorapidity": [((3, 4, 12), math.log(5)), ((3, 4, -12), -math.log(5)), ((0, 0, 1), None)],
    # minimum of (3 + dz/2)^2 + (4 + dz/4)^2 at dz = -8
    "z_closest_to_beam": [((3, 4, 10, 0.5, 0.25), 2.0), ((3, 4, 10, 0, 0), 10.0)],
    "slopes_to_cartesian": [((axis, 13, 3 / 12, 4 / 12), value) for axis, value in enumerate((3.0, 4.0, 12.0))],
    # (0, 8, 5) becomes (3, 8, 4): the squares of the parts across y stay 25
    "kicked_slope": [((0, 0, 8, 5, 3), 0.75), ((1, 0, 8, 5, 3), 2.0), ((0, 0, 8, 5, 6), None)],
    # p, Omega- (sss), Delta++ (uuu), Pb208, gamma, B~0 (b d~), u
    "propagation_charge": [((2212,), 1), ((3334,), -1), ((2224,), 2), ((1000822080,), 82), ((22,), 0), ((-511,), 0),
                           ((2,), None)],
    "portable_exp": [((1,), math.e), ((-745.0,), 5e-324), ((0,), 1.0)],
    "portable_log": [((math.e,), 1.0), ((2,), 0.6931471805599453), ((0,), None)],
    "portable_log10": [((1000,), 3.0), ((0.01,), -2.0), ((-1,), None)],
    "portable_pow": [((2, 0.5), math.sqrt(2)), ((7, -2), 1 / 49), ((10, 15), 1e15)],
    "portable_atan2": [((1, -1), 3 * math.pi / 4), ((-1, 0), -math.pi / 2)],
    # all equal to -1/2: 1 - 4 s/2 > 0
    "correlation_shrink": [((0.0,) * 10, 1.0), ((-0.5,) * 10, 0.49), (MIXED, largest_factor(*MIXED))],
    "uniform_at": [((id_, draw), uniform(id_, draw, UNIFORM_AT)) for id_, draw in ((5, 0), (-5, 7), (10**9 + 7, 3))],
    "normal_at": [((id_, draw), normal(id_, draw, NORMAL_AT)) for id_, draw in ((5, 0), (-5, 7), (10**9 + 7, 3))],
    "category_at": [((id_, 2, 0.2, 0.3), category(uniform(id_, 2, CATEGORY_AT), 0.2, 0.3)) for id_ in range(20)],
    # the first call of a step
    "random_uniform": [((), uniform(0, 0, SEQUENTIAL))],
    "random_normal": [((), normal(0, 0, SEQUENTIAL))],
    "random_category": [((p, 0.05), category(uniform(0, 0, SEQUENTIAL), p, 0.05)) for p in (0.1, 0.6, 0.9)],
}  # fmt: skip


def connect() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension(str(library_path()), "sqlite3_sqlamarr_init")
    return connection


@pytest.fixture
def db() -> Iterator[apsw.Connection]:
    connection = connect()
    with active(connection.sqlite3_pointer(), KEY):
        yield connection


def test_every_function_has_values():
    """A new function needs a line in VALUES."""
    listed = "SELECT name FROM pragma_function_list"
    builtin = {name for (name,) in apsw.Connection(":memory:").execute(listed)}
    ours = {name for (name,) in connect().execute(listed)} - builtin
    assert set(VALUES) == ours - NOT_NUMERIC
    assert all(VALUES.values())


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [(name, arguments, expected) for name, values in VALUES.items() for arguments, expected in values],
)
def test_a_function_gives_what_was_computed_without_it(db, function, arguments, expected):
    marks = ", ".join("?" * len(arguments))
    (found,) = db.execute(f"SELECT {function}({marks})", arguments).fetchone()
    assert type(found) is type(expected)
    if isinstance(expected, float):
        assert found == pytest.approx(expected, rel=4e-16, abs=5e-324)
    else:
        assert found == expected


def test_the_reference_of_random_numbers_is_random():
    """It would not help if both were wrong in the same way: these are normal and uniform numbers."""
    drawn = sorted(normal(id_, 0, NORMAL_AT) for id_ in range(2000))
    flat = [NormalDist().cdf(value) for value in drawn]
    assert max(abs(value - (i + 0.5) / 2000) for i, value in enumerate(flat)) < 1.95 / math.sqrt(2000)
    mean = sum(uniform(id_, 0, UNIFORM_AT) for id_ in range(2000)) / 2000
    assert abs(mean - 0.5) < 5 / math.sqrt(12 * 2000)


def test_categories_of_the_values_are_not_all_the_same():
    for function in ("category_at", "random_category"):
        assert len({expected for _, expected in VALUES[function]}) > 1, function
