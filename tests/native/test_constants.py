"""Numbers that SQL, Python, C and C++ share are the same everywhere, and each is written once."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sqlamarr import Database
from sqlamarr.events.event import ROWS_PER_EVENT
from sqlamarr.models.compiled import CompiledModel
from sqlamarr.native.library import native_folder
from sqlamarr.particles import codes, constants
from sqlamarr.sources.gun import decay_plan
from sqlamarr.steps.templates import Templates

ROOT = Path(__file__).parents[2]
MACROS, PLUGINS, SRC = ROOT / "pipelines" / "macros", ROOT / "plugins", ROOT / "src"
COMPILER = shutil.which("cc") or shutil.which("gcc") or ""
needs_compiler = pytest.mark.skipif(not COMPILER, reason="needs a C compiler")
pytestmark = pytest.mark.skipif(not SRC.exists(), reason="needs the source tree")

# -- values as each language sees them -------------------------------------------------------------


def in_sql(folder: Path, file: str) -> dict[str, float]:
    """What the names of a macro file become in a query."""
    names = re.findall(r"\{% set (\w+) =", (MACROS / file).read_text())
    text = ", ".join(f"{{{{ it.{name} }}}} AS {name}" for name in names)
    (folder / "all.sql").write_text(f"{{% import '{file}' as it %}}SELECT {text}")
    sql, bound = Templates(folder, MACROS).render("all.sql", {})
    assert not bound, "a number of a macro file is text of the query, not a bound value"
    with Database() as db:
        return dict(zip(names, db.execute(sql).fetchone()))


def in_c(folder: Path, header: str, *expressions: str) -> list[float]:
    """Values of C expressions after a header of plugins/."""
    lines = "".join(f'    printf("%a\\n", (double)({expression}));\n' for expression in expressions)
    (folder / "print.c").write_text(f'#include <stdio.h>\n#include "{header}"\nint main(void) {{\n{lines}}}\n')
    command = [COMPILER, "-std=c11", f"-I{PLUGINS}", f"-I{SRC}", f"-I{SRC / 'core'}", "print.c", "-o", "print", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    shown = subprocess.run([folder / "print"], capture_output=True, text=True, check=True).stdout
    return [float.fromhex(line) for line in shown.split()]


def in_cpp(name: str) -> float:
    """A constant of the native library."""
    texts = [path.read_text() for path in sorted(SRC.rglob("*")) if path.suffix in {".h", ".cpp"}]
    found = [value for text in texts for value in re.findall(rf"constexpr [^;]*\b{name} = ([\d.']+)", text)]
    assert len(found) == 1, f"{name} is defined {len(found)} times in src/"
    return float(found[0].replace("'", ""))


# -- agreement -------------------------------------------------------------------------------------


@needs_compiler
def test_the_detector_of_compiled_models_is_that_of_the_queries(tmp_path):
    names = re.findall(r"#define LHCB_(\w+) ", (PLUGINS / "lhcb" / "detector.h").read_text())
    values = in_c(tmp_path, "lhcb/detector.h", *(f"LHCB_{name}" for name in names))
    sql = in_sql(tmp_path, "detector.sql")
    assert len(names) > 20
    assert dict(zip(names, values)) == {name: sql[name.lower()] for name in names}


@needs_compiler
def test_regions_of_the_calorimeter_are_whole_cells(tmp_path):
    """The models count the regions in cells, the queries know their sizes."""
    sql = in_sql(tmp_path, "detector.sql")
    regions = ("inner_", "middle_", "")
    sizes = [(f"REGION[{i}].half_{axis} * REGION[{i}].cell", f"ecal_{region}half_{axis}")
             for i, region in enumerate(regions) for axis in "xy"]  # fmt: skip
    values = in_c(tmp_path, "lhcb_run2_calo/calorimeter.h", *(expression for expression, _ in sizes))
    assert values == pytest.approx([sql[name] for _, name in sizes], rel=1e-12)
    splits = [sql[f"ecal_{region}_position_split"] for region in ("inner", "middle", "outer")]
    cells = in_c(tmp_path, "lhcb_run2_calo/calorimeter.h", *(f"REGION[{i}].cell" for i in range(3)))
    assert splits == pytest.approx([0.09 * cell for cell in cells], rel=1e-12)


@needs_compiler
def test_codes_of_the_queries_are_those_of_python_and_of_compiled_models(tmp_path):
    sql = in_sql(tmp_path, "codes.sql")
    header = (PLUGINS / "lhcb" / "codes.h").read_text()
    names = re.findall(r"\b([A-Z_]+) = \d+", header)
    compiled = dict(zip(names, in_c(tmp_path, "lhcb/codes.h", *names)))
    assert compiled == {name: sql[name.lower()] for name in names}
    assert (sql.pop("rows_per_event"), sql.pop("last_row")) == (ROWS_PER_EVENT, ROWS_PER_EVENT - 1)
    alone = {"outer_region", "middle_region", "inner_region"}  # compiled models count the regions from the inside
    hits = {name.lower() for name in names if name.endswith("_HIT")}  # Python never sees them
    shared = {name: value for name, value in sql.items() if name not in alone | hits}
    assert len(shared) == 14
    assert shared == {name: getattr(codes, name.upper()) for name in shared}


def test_tracks_and_clusters_have_the_codes_that_the_schema_tells():
    """The comments of the schema are what users read."""
    schema = (ROOT / "pipelines" / "lhcb_run2" / "schema.sql").read_text()
    classes = ", ".join(f"{code} {name}" for code, name in codes.TRACK_CLASSES.items())
    assert f"type INTEGER NOT NULL,  -- {classes}" in schema
    clusters = (codes.PHOTON_CLUSTER, codes.MERGED_CLUSTER, codes.SPLIT_CLUSTER, codes.CHARGED_CLUSTER)
    words = ("photon", "merged pi0", "one of the two photons of a merged pi0", "charged")
    assert f"-- {', '.join(f'{code} {word}' for code, word in zip(clusters, words))}" in schema


@pytest.mark.parametrize(
    ("name", "value"),
    [("beam", codes.BEAM), ("documentation", codes.DOCUMENTATION), ("system", codes.SYSTEM),
     ("rows_per_event", ROWS_PER_EVENT), ("widths_of_first", decay_plan.WIDTHS_OF_FIRST)],
)  # fmt: skip
def test_the_native_library_has_pythons_constants(name, value):
    assert in_cpp(name) == value


@needs_compiler
def test_masses_of_compiled_models_are_pythons_to_eight_digits(tmp_path):
    species = ("ELECTRON", "MUON", "PION", "KAON", "PROTON")
    found = in_c(tmp_path, "lhcb_run2_pid/particle.h", *(f"MASS[{name}]" for name in species))
    assert found == [float(f"{getattr(constants, f'{name}_MASS'):.8g}") for name in species]


def test_masses_are_those_of_the_particle_data_group():
    particle = pytest.importorskip("particle")
    for name in ("ELECTRON", "MUON", "PION", "KAON", "PROTON", "PI0"):
        mass = particle.Particle.from_pdgid(getattr(codes, name)).mass
        assert getattr(constants, f"{name}_MASS") == pytest.approx(mass, rel=3e-6), name


def test_constants_of_nature_follow_from_the_definitions_of_si():
    metre_per_second, joule_second, elementary_charge = 299_792_458, 6.62607015e-34, 1.602176634e-19
    assert constants.SPEED_OF_LIGHT == pytest.approx(metre_per_second * 1e3 / 1e9, rel=1e-15)
    mev = 1e6 * elementary_charge
    hbar_c = joule_second / (2 * np.pi) * metre_per_second / mev * 1e3
    assert constants.HBAR_C == pytest.approx(hbar_c, rel=1e-9)


def test_photons_convert_alike_in_both_modes_of_the_calorimeter(tmp_path):
    """calorimeter=event draws the conversion in SQL, calorimeter=signal has it in the model's efficiency."""
    z = np.array([-100.0, 0, 300, 769, 800, 1000, 2000, 2300, 2600, 2701])
    (tmp_path / "q.sql").write_text(
        "{% from 'material.sql' import conversion_probability %}"
        "SELECT {{ conversion_probability('value') }} FROM json_each(?) ORDER BY key"
    )
    sql, _ = Templates(tmp_path, MACROS).render("q.sql", {})
    with Database() as db:
        in_query = [row[0] for row in db.execute(sql, (str(z.tolist()),)).fetchall()]
    rows = np.zeros((len(z), 9), np.float32)
    rows[:, :3], rows[:, 7] = (1000, 1000, 4.0), z
    model = CompiledModel(native_folder() / "plugins" / "lhcb_run2_calo.so", "ecal_efficiency")
    no_noise = np.zeros((len(z), 0), np.float32)
    seen = 1 - np.asarray(model(rows, no_noise, 3), np.float64)[:, 0]
    assert in_query[0] == pytest.approx(1 - np.exp(-7 / 9 * 0.27))
    assert in_query[-1] == 0
    np.testing.assert_allclose(1 - seen / seen[-1], in_query, atol=1e-6)


# -- each number is written once -------------------------------------------------------------------

DETECTOR = {"pipelines/macros/detector.sql", "plugins/lhcb/detector.h"}
STATUSES = {"sqlamarr/particles/codes.py"}
SPECIES = {"sqlamarr/particles/codes.py", "pipelines/macros/codes.sql"}
MASSES = {"sqlamarr/particles/constants.py"}
ROWS = {"sqlamarr/events/event.py", "pipelines/macros/codes.sql", "src/hepmc/record.h"}

# Numbers that nothing else here is likely to mean, and the files that they belong in.
HOMES: dict[float, set[str]] = {
    **dict.fromkeys([770, 990, 2165, 2485, 2700], DETECTOR),
    **dict.fromkeys([1230, 5212.38, 406.609, 1102.35, 498.039, 9410, 8600, 3010, 2322], DETECTOR),
    **dict.fromkeys([12490, 3878.4, 3151.2, 323.2, 1939.2, 1212, 969.6, 727.2], DETECTOR),
    **dict.fromkeys([777, 888, 889, 999], STATUSES),
    **dict.fromkeys([211, 321, 2212], SPECIES),
    **dict.fromkeys([0.51099895, 105.6583755, 139.57039, 493.677, 938.27208943, 134.9768], MASSES),
    **dict.fromkeys([299.792458, 299792458, 1.973269804e-10], MASSES),
    **dict.fromkeys([1_000_000, 999_999], ROWS),
}

# Where such a number means something else, or must stand by itself.
EXCEPTIONS: dict[tuple[str, float], str] = {
    ("src/truth/species.cpp", 990): "the pomeron, and the first digits of diffractive states",
    ("src/core/pdg.cpp", 990): "the pomeron, and the first digits of diffractive states",
    ("src/core/pdg.cpp", 999): "a code for tracking in the PDG's numbering scheme",
    ("sqlamarr/report/tracks.py", 2700): "an edge of a histogram",
    ("sqlamarr/exporters/formats/root.py", 999): "-999 stands for NULL in TTrees",
    **{
        ("plugins/lhcb_run2_pid/particle.h", mass): "rounded to eight digits, as the models were tuned; compared above"
        for mass in (0.51099895, 139.57039, 493.677)
    },
}

NUMBER = re.compile(r"(?<![\w.])(?:\d[\d_']*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?=[fFlLuU]*(?![\w.]))")
C_NOISE = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
SQL_NOISE = re.compile(r"--[^\n]*|\{#.*?#\}", re.DOTALL)


def numbers(text: str) -> Iterator[float]:
    """The numbers of a text; 1e6 is a factor and no 1000000 rows."""
    for found in NUMBER.findall(text):
        value = float(found.replace("_", "").replace("'", ""))
        if not (value in (1_000_000, 999_999) and re.search(r"[.eE]", found)):
            yield value


def numbers_of_python(path: Path) -> Iterator[float]:
    """Also those in texts, for these hold SQL; but not in docstrings."""
    tree = ast.parse(path.read_text())
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docs:
            if isinstance(node.value, str):
                yield from numbers(node.value)
            elif isinstance(node.value, (int, float)):
                yield from numbers(ast.get_source_segment(path.read_text(), node) or "")


def numbers_in(path: Path) -> Iterator[float]:
    if path.suffix == ".py":
        yield from numbers_of_python(path)
    else:
        yield from numbers((SQL_NOISE if path.suffix == ".sql" else C_NOISE).sub(" ", path.read_text()))


def sources() -> Iterator[Path]:
    """The product. Tests and examples write numbers out: they look at it from outside."""
    for folder in ("sqlamarr", "pipelines", "plugins", "src"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".sql", ".c", ".h", ".cpp"} and "_native" not in path.parts:
                yield path


def name_of(path: Path) -> str:
    """Path below the root; in src/ the file's name counts, wherever it lies."""
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, float], int]:
    """How often each of the numbers stands in each file."""
    count: dict[tuple[str, float], int] = {}
    for path in sources():
        for value in numbers_in(path):
            if value in HOMES:
                count[name_of(path), value] = count.get((name_of(path), value), 0) + 1
    return count


def test_a_number_that_has_a_name_is_written_at_home_only(found):
    strays = sorted((file, value) for file, value in found if file not in HOMES[value])
    wrong = [place for place in strays if place not in EXCEPTIONS]
    assert not wrong, f"numbers that have a name (see HOMES for where it is): {wrong}"
    assert not set(EXCEPTIONS) - set(strays), "an exception that is none any more"


def test_at_home_a_number_stands(found):
    """Otherwise the number has changed, and the test above looks for one that means nothing."""
    assert {value for value in HOMES if value != 299792458} <= {value for file, value in found if file in HOMES[value]}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [("a.sql", "-- 770\n{# 990 #}SELECT 12490.0 - z, 1e6, 2.770, x770", [12490, 2.77]),
     ("a.c", "/* 770 */ f(12490., .395, 1'000'000, 3878.4f, \"990\"); // 2485", [12490, 0.395, 1_000_000, 3878.4]),
     ("a.py", '"""770"""\nx = f("z > 12490.0 {y}", 1_000_000, 1e6)  # 990', [12490, 1_000_000])],
)  # fmt: skip
def test_numbers_are_found_in_code_and_not_in_comments(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text)
    assert list(numbers_in(tmp_path / name)) == expected
