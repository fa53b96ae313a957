"""SQL functions: kinematics, portable mathematics, correlation_shrink, and random numbers by id."""

from __future__ import annotations

import math
from collections.abc import Iterator

import apsw
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlamarr.native.library import library_path
from sqlamarr.native.random import active


def connect() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension(str(library_path()), "sqlite3_sqlamarr_init")
    return connection


DB = connect()


def call(function: str, *arguments: object) -> object:
    marks = ", ".join("?" * len(arguments))
    return DB.execute(f"SELECT {function}({marks})", arguments).fetchone()[0]


@pytest.fixture
def db() -> Iterator[apsw.Connection]:
    connection = connect()
    connection.execute(
        "CREATE TABLE ids AS WITH RECURSIVE s(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s LIMIT 100000) "
        "SELECT value FROM s"
    )
    with active(connection.sqlite3_pointer(), 0x0123456789ABCDEF):
        yield connection


# ---- kinematics ----------------------------------------------------------------------------------

components = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)
slopes = st.floats(-0.5, 0.5).filter(lambda x: x == 0 or abs(x) > 1e-9)
NUMERIC = {"norm2": 3, "pseudorapidity": 3, "azimuthal": 3, "polar": 3, "z_closest_to_beam": 5,
           "slopes_to_cartesian": 4, "kicked_slope": 5, "propagation_charge": 1, "portable_log10": 1, "portable_log": 1,
           "portable_exp": 1, "portable_pow": 2, "portable_atan2": 2, "correlation_shrink": 10}  # fmt: skip


@settings(deadline=None)
@given(components, components, components)
def test_vector_functions_agree_with_their_definitions(x: float, y: float, z: float) -> None:
    assert call("norm2", x, y, z) == pytest.approx(math.hypot(x, y, z), rel=1e-15)
    assert call("azimuthal", x, y, z) == pytest.approx(math.atan2(y, x), rel=1e-15)
    assert call("polar", x, y, z) == pytest.approx(math.atan2(math.hypot(x, y), z), rel=1e-15)
    pt = math.hypot(x, y)
    if pt:
        assert call("pseudorapidity", x, y, z) == pytest.approx(math.asinh(z / pt), rel=1e-15)


def test_polar_takes_the_square_root() -> None:
    assert call("polar", 3.0, 4.0, 5.0) == pytest.approx(math.pi / 4, rel=1e-15)


@pytest.mark.parametrize("z", [1.0, -1.0, 0.0])
def test_pseudorapidity_along_the_beam_is_not_applicable(z: float) -> None:
    assert call("pseudorapidity", 0.0, 0.0, z) is None


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_norm_neither_overflows_nor_underflows(scale: float) -> None:
    assert call("norm2", 2 * scale, 3 * scale, 6 * scale) == pytest.approx(7 * scale, rel=1e-15)


@settings(deadline=None)
@given(components, components, components, slopes, slopes)
def test_closest_to_beam_is_the_minimum(x: float, y: float, z: float, tx: float, ty: float) -> None:
    closest = call("z_closest_to_beam", x, y, z, tx, ty)
    assert isinstance(closest, float)
    if tx == ty == 0:
        assert closest == z
        return
    step = 1 + abs(closest - z) * 1e-3

    def distance(at: float) -> float:
        return math.hypot(x + (at - z) * tx, y + (at - z) * ty)

    assert distance(closest) <= min(distance(closest - step), distance(closest + step)) * (1 + 1e-9)


@settings(deadline=None)
@given(st.floats(1, 1e6), slopes, slopes)
def test_slopes_to_cartesian_has_norm_and_slopes(norm: float, tx: float, ty: float) -> None:
    x, y, z = (call("slopes_to_cartesian", coord, norm, tx, ty) for coord in range(3))
    assert isinstance(x, float) and isinstance(y, float) and isinstance(z, float)
    assert math.hypot(x, y, z) == pytest.approx(norm, rel=1e-14)
    assert (x / z, y / z) == pytest.approx((tx, ty), rel=1e-14)


@settings(deadline=None)
@given(components, components, st.floats(1, 1e6), st.floats(-5e3, 5e3))
def test_a_kick_changes_px_and_leaves_py_and_the_magnitude(px: float, py: float, pz: float, kick: float) -> None:
    square = pz * pz + px * px - (px + kick) ** 2
    tx, ty = (call("kicked_slope", coord, px, py, pz, kick) for coord in range(2))
    if abs(square) < 1e-3 * (px * px + pz * pz):
        return  # nearly turned back: rounding decides
    if square < 0:
        assert tx is None and ty is None
        return
    assert (tx, ty) == pytest.approx(((px + kick) / math.sqrt(square), py / math.sqrt(square)), rel=1e-9)


def test_what_flies_backwards_has_no_slopes_behind_a_kick() -> None:
    assert call("kicked_slope", 0, 1.0, 1.0, -5.0, 1.0) is None
    with pytest.raises(apsw.SQLError, match=r"kicked_slope: coord must be 0 \(x\) or 1 \(y\), found 2"):
        call("kicked_slope", 2, 1.0, 1.0, 5.0, 1.0)


@pytest.mark.parametrize(("function", "others"), [("slopes_to_cartesian", 3), ("kicked_slope", 4)])
def test_a_coordinate_is_an_integer(function: str, others: int) -> None:
    for wrong, found in (("x", "the text 'x'"), (1.0, "1.0")):
        with pytest.raises(apsw.SQLError, match=f"{function}: coord must be an integer, found {found}"):
            call(function, wrong, *["text"] * others)
        assert call(function, wrong, *[1.0] * (others - 1), None) is None


@pytest.mark.parametrize("coord", [-1, 3])
def test_unknown_coordinate_is_an_error(coord: int) -> None:
    with pytest.raises(apsw.SQLError, match=rf"slopes_to_cartesian: coord must be 0 \(x\).*found {coord}"):
        call("slopes_to_cartesian", coord, 1.0, 0.0, 0.0)


@pytest.mark.parametrize(("code", "charge"), [(211, 1), (-2212, -1), (22, 0), (2, None), (0, None), (9902210, 1)])
def test_propagation_charge(code: int, charge: int | None) -> None:
    assert call("propagation_charge", code) == charge


@pytest.mark.parametrize(("function", "count"), NUMERIC.items())
def test_null_in_null_out_and_text_is_an_error(function: str, count: int) -> None:
    for position in range(count):
        arguments: list[object] = [1] * count
        arguments[position] = None
        assert call(function, *arguments) is None
        arguments[position] = "1"
        with pytest.raises(apsw.SQLError, match=f"{function}: .* must be an? .*, found the text '1'"):
            call(function, *arguments)


def test_kinematic_functions_work_in_an_index_and_a_view(db: apsw.Connection) -> None:
    db.execute(
        "CREATE TABLE t(x, y, z); CREATE INDEX i ON t(norm2(x, y, z)); CREATE VIEW v AS SELECT polar(x, y, z) FROM t"
    )
    assert db.execute("SELECT * FROM v").fetchall() == []


# ---- portable mathematics ------------------------------------------------------------------------


@settings(deadline=None)
@given(st.floats(1e-300, 1e300), st.floats(-2, 2))
def test_portable_functions_agree_with_the_library(x: float, y: float) -> None:
    assert call("portable_log", x) == pytest.approx(math.log(x), rel=1e-15)
    assert call("portable_log10", x) == pytest.approx(math.log10(x), rel=1e-15)
    assert call("portable_exp", y * 300) == pytest.approx(math.exp(y * 300), rel=1e-15)
    assert call("portable_atan2", y, x) == pytest.approx(math.atan2(y, x), rel=1e-15)
    assert call("portable_pow", x, y / 2.1) == pytest.approx(x ** (y / 2.1), rel=1e-15)


@pytest.mark.parametrize("sql", ["portable_log(0)", "portable_log10(-1)", "portable_pow(-2, 2)", "portable_exp(1000)",
                                 "portable_pow(0, -1)", "portable_log(9e999)", "norm2(9e999, 0, 0)"])  # fmt: skip
def test_what_has_no_finite_value_is_null(sql: str) -> None:
    assert DB.execute(f"SELECT {sql}").fetchone() == (None,)


# ---- correlation_shrink --------------------------------------------------------------------------


def matrix(r: list[float], scale: float = 1.0) -> np.ndarray:
    out = np.eye(5)
    pairs = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3), (0, 4), (1, 4), (2, 4), (3, 4)]
    for (i, j), value in zip(pairs, r):
        out[i, j] = out[j, i] = value * scale
    return out


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=10, max_size=10))
def test_correlation_shrink_is_the_largest_step_that_works(r: list[float]) -> None:
    scale = call("correlation_shrink", *r)
    assert isinstance(scale, float) and 0.2 <= scale <= 1
    assert np.diag(np.linalg.cholesky(matrix(r, scale))).min() ** 2 >= 0.999e-6
    if scale < 1:
        eigen = np.linalg.eigvalsh(matrix(r, scale + 0.01))
        assert eigen.min() < 1e-6 * 1.001


def test_correlation_shrink_known_values() -> None:
    assert call("correlation_shrink", *[0.0] * 10) == 1.0
    assert call("correlation_shrink", *[1.0] * 10) == 0.99
    assert call("correlation_shrink", *[-1.0] * 10) == 0.24  # 1 - 4 s > 0
    with pytest.raises(apsw.SQLError, match="not correlations"):
        call("correlation_shrink", *[1e6] * 10)


# ---- random numbers ------------------------------------------------------------------------------


def test_golden_values(db: apsw.Connection) -> None:
    row = db.execute(
        "SELECT uniform_at(5, 0), uniform_at(-5, 7), normal_at(5, 0), normal_at(1000000007, 3), "
        "category_at(5, 0, 0.2, 0.3), category_at(6, 0, 0.2, 0.3), category_at(8, 0, 0.2, 0.3)"
    ).fetchone()
    assert row == GOLDEN


# Frozen: files made with a seed must come out the same from later versions.
GOLDEN = (0.58664945070282, 0.5279363577981756, -0.5773004046912705, -0.14527044839851103, 2, 1, 2)


def test_random_functions_need_a_step() -> None:
    for sql in ("uniform_at(1, 0)", "normal_at(1, 0)", "category_at(1, 0, 0.5)", "random_uniform()", "random_normal()",
                "random_category(0.5)"):  # fmt: skip
        with pytest.raises(apsw.SQLError, match="exist only inside a pipeline step"):
            DB.execute(f"SELECT {sql}").fetchone()


def test_active_ends_with_its_block() -> None:
    connection = connect()
    with active(connection.sqlite3_pointer(), 1):
        connection.execute("SELECT uniform_at(1, 0)").fetchone()
    with pytest.raises(apsw.SQLError, match="uniform_at: .*inside a pipeline step"):
        connection.execute("SELECT uniform_at(1, 0)").fetchone()


@pytest.mark.parametrize(
    ("sql", "message"),
    [("uniform_at(NULL, 0)", "uniform_at: id must be an integer, found NULL"),
     ("normal_at(1, NULL)", "normal_at: draw must be an integer, found NULL"),
     ("normal_at(1, 0.5)", "draw must be an integer, found 0.5"),
     ("normal_at(1.0, 0)", "id must be an integer, found 1.0"),
     ("uniform_at(1, -1)", "draw must be between 0 and 2.32 - 1, found -1"),
     ("uniform_at(1, 4294967296)", "draw must be between 0 and"),
     ("category_at(1, 0)", "expected at least 3 arguments, found 2"),
     ("category_at(1, 0, 0.5, NULL)", "category_at: probability 1 must be a number, found NULL"),
     ("category_at(1, 0, '0.5')", "probability 0 must be a number, found the text '0.5'"),
     ("category_at(1, 0, -0.1)", "probability 0 must be between 0 and 1, found -0.1"),
     ("category_at(1, 0, 1.1)", "probability 0 must be between 0 and 1, found 1.1"),
     ("category_at(1, 0, 0.6, 0.6)", "sum to more than 1: 0.6, 0.6"),
     ("random_category(NULL)", "random_category: probability 0 must be a number, found NULL"),
     ("random_category()", "expected at least 1 arguments, found 0")],
)  # fmt: skip
def test_wrong_arguments_are_named(db: apsw.Connection, sql: str, message: str) -> None:
    with pytest.raises(apsw.SQLError, match=message):
        db.execute(f"SELECT {sql}").fetchone()


def test_probabilities_may_exceed_1_by_rounding(db: apsw.Connection) -> None:
    for values in ((0.1,) * 10, (1 + 1e-16,), (1.0000005,), (-5e-7, 1.0), (0.7, 0.3000004)):
        marks = ", ".join("?" * len(values))
        rows = db.execute(f"SELECT max(category_at(value, 0, {marks})) FROM ids WHERE value <= 1000", values)
        assert rows.fetchone()[0] < len(values)


def test_many_categories(db: apsw.Connection) -> None:
    marks = ", ".join(["0.01"] * 90)
    sql = f"SELECT category_at(value, 0, {marks}) c, count(*) FROM ids GROUP BY c"
    counts = dict(db.execute(sql).fetchall())
    assert sorted(counts) == list(range(91))
    assert abs(counts[90] - 10_000) < 6 * 95 and all(abs(counts[c] - 1000) < 6 * 32 for c in range(90))


def test_a_view_or_trigger_cannot_call_them(db: apsw.Connection) -> None:
    db.execute("CREATE VIEW v AS SELECT uniform_at(1, 0)")
    with pytest.raises(apsw.SQLError, match="unsafe use of uniform_at"):
        db.execute("SELECT * FROM v")


def test_distributions_and_independence(db: apsw.Connection) -> None:
    from scipy import stats

    names = ("uniform_at(value, 0)", "uniform_at(value, 1)", "normal_at(value, 0)", "normal_at(value, 1)",
             "category_at(value, 0, 0.3, 0.5)", "random_uniform()", "random_normal()")  # fmt: skip
    x = np.array(db.execute(f"SELECT {', '.join(names)} FROM ids").fetchall())
    for column in (0, 1, 5):
        assert stats.kstest(x[:, column], "uniform").pvalue > 1e-6
    for column in (2, 3, 6):
        assert stats.kstest(x[:, column], "norm").pvalue > 1e-6
    fractions = np.bincount(x[:, 4].astype(int)) / len(x)
    assert np.abs(fractions - [0.3, 0.5, 0.2]).max() < 6 * 0.5 / math.sqrt(len(x))
    correlations = np.corrcoef(x.T) - np.eye(x.shape[1])
    assert np.abs(correlations).max() < 6 / math.sqrt(len(x))
    squares = np.corrcoef(((x - x.mean(0)) ** 2).T) - np.eye(x.shape[1])
    assert np.abs(squares).max() < 8 / math.sqrt(len(x))


def test_order_and_grouping_do_not_matter_and_the_key_does(db: apsw.Connection) -> None:
    sql = "SELECT normal_at(value, 2) FROM ids WHERE value <= 100"
    forward = db.execute(sql).fetchall()
    assert db.execute(sql + " ORDER BY value DESC").fetchall() == forward[::-1]
    with active(db.sqlite3_pointer(), 1):
        assert not set(db.execute(sql).fetchall()) & set(forward)


def test_sequential_numbers_start_again_with_the_step() -> None:
    connection = connect()
    runs = []
    for _ in range(2):
        with active(connection.sqlite3_pointer(), 9):
            runs.append(connection.execute("SELECT random_uniform(), random_uniform(), random_normal()").fetchone())
    assert runs[0] == runs[1] and len(set(runs[0])) == 3
