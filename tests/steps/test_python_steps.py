"""Steps that are functions of the user's."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import sqlamarr
from sqlamarr.errors import DataError, PipelineError

CREATES = (
    "creates: {{{table}: {{columns: {{mcparticle_id: INTEGER, event_id: INTEGER, x: REAL}}, key: [mcparticle_id]}}}}"
)


def pipeline_of(make_pipeline, *steps, **options):
    """A pipeline with steps (name, module:function) that fill a table of their name."""
    lines = [
        f'  - python: {{name: {name}, function: "{function}", arguments: {{table: {name}}}, '
        + CREATES.format(table=name)
        + "}"
        for name, function in steps
    ]
    tables = ", ".join(["MCParticles", *(name for name, _ in steps)])
    text = "\n".join(["name: test", "steps:", "  - find_primary_vertices: {}", "  - select_particles: {}", *lines])
    return make_pipeline(f"{text}\noutput: {{tables: [{tables}]}}\n", **options)


@pytest.mark.parametrize(
    "change",
    ["m['pz'] += 1", "m['pz'][0] = 1", "m['production_vertex'][:] = 1", "m['mcparticle_id'].sort()"],
)
def test_a_table_is_not_changed_by_accident(make_pipeline, example, tmp_path, change):
    (tmp_path / "in_place.py").write_text(f"def f(batch, table):\n    m = batch.columns('MCParticles')\n    {change}\n")
    pipeline = pipeline_of(make_pipeline, ("A", "in_place:f"))
    message = (
        r"in_place:f raised ValueError: .*read-only\n.*, line 3: .*\nArrays of .* cannot be changed in place. Make new "
    )
    with pytest.raises(PipelineError, match=message):
        sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, events=1)


def test_an_integer_column_with_nulls_cannot_be_changed_either(db):
    from sqlamarr.steps.batch import Batch

    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, s TEXT)")
    batch = Batch(db, {}, 1)
    batch.write("t", sqlamarr.Columns({"id": [1, 2], "n": [None, 5], "s": ["a", None]}))
    given = batch.columns("t")
    for change in (
        lambda: given["n"].__setitem__(0, 1),
        lambda: given["n"].__setitem__(1, np.ma.masked),
        lambda: given["n"].mask.__setitem__(0, False),
        lambda: given["s"].__setitem__(0, "b"),
    ):
        with pytest.raises(ValueError, match="read-only"):
            change()
    assert batch.columns("t")["n"].tolist() == [None, 5]
    assert batch.columns("t")["s"].tolist() == ["a", None]


NOISE = """
def direct(batch, table):
    m = batch.columns("MCParticles")
    noise = batch.rng("smear").normal(m["mcparticle_id"], 1)[:, 0]
    batch.write(table, {"mcparticle_id": m["mcparticle_id"], "event_id": m["event_id"], "x": noise})

def in_sql(batch, table):
    with batch.random_functions("smear"):
        noise = "SELECT mcparticle_id, event_id, normal_at(mcparticle_id, 0) FROM MCParticles"
        batch.execute(f"INSERT INTO {table} {noise}")
"""


@pytest.mark.parametrize("function", ["direct", "in_sql"])
def test_two_steps_with_one_function_have_different_random_numbers(make_pipeline, example, tmp_path, function):
    (tmp_path / "noise.py").write_text(NOISE)
    pipeline = pipeline_of(make_pipeline, ("one", f"noise:{function}"), ("two", f"noise:{function}"))
    sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, events=10)
    with sqlamarr.open(tmp_path / "out.db") as db:
        both = db.arrays("SELECT one.x AS a, two.x AS b FROM one JOIN two USING (mcparticle_id)")
    assert len(both["a"]) > 1000
    assert abs(np.corrcoef(both["a"], both["b"])[0, 1]) < 5 / np.sqrt(len(both["a"]))


def test_the_random_numbers_of_a_step_are_those_of_its_name_and_the_given_one(make_pipeline, example, tmp_path):
    from sqlamarr.native.random import Random, stream_key

    (tmp_path / "noise.py").write_text(NOISE)
    sqlamarr.run(pipeline_of(make_pipeline, ("one", "noise:direct")), example, tmp_path / "out.db", seed=7, events=1)
    with sqlamarr.open(tmp_path / "out.db") as db:
        found = db.arrays("SELECT mcparticle_id, x FROM one ORDER BY 1")
    expected = Random(stream_key(7, "one\0smear")).normal(found["mcparticle_id"], 1)[:, 0]
    assert np.array_equal(found["x"], expected)


STEP = "from helping import VALUE\ndef f(batch, table):\n    m = batch.columns('MCParticles')\n"
STEP += "    ids = {name: m[name] for name in ('mcparticle_id', 'event_id')}\n"
STEP += "    batch.write(table, {**ids, 'x': m['pz'] * 0 + VALUE})\n"


@pytest.fixture
def value_of(example, tmp_path):
    """Run a pipeline in a folder, with this value in a helper of its step, and tell what the step wrote."""

    def run(folder, value, lazily=False):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        (place / "own_steps.py").write_text(STEP if not lazily else STEP[STEP.index("def") :].replace(
            "m =", "from helping import VALUE; m =", 1))  # fmt: skip
        (place / "helping.py").write_text(f"VALUE = {value}\n")

        def make(text, **_):
            (place / "pipeline.yaml").write_text(text)
            return place / "pipeline.yaml"

        pipeline = pipeline_of(make, ("A", "own_steps:f"))
        sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, events=1, overwrite=True)
        with sqlamarr.open(tmp_path / "out.db") as db:
            low, high = db.execute("SELECT min(x), max(x) FROM A").fetchone()
        assert low == high
        return low

    return run


@pytest.fixture
def clean_modules(monkeypatch):
    """What a test imports is forgotten behind it."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize("lazily", [False, True], ids=["at once", "when called"])
def test_a_module_beside_a_pipeline_is_this_pipelines_and_as_its_file_is_now(value_of, clean_modules, lazily):
    given = [("one", 1), ("two", 2), ("one", 1), ("two", 3), ("two", 4), ("one", 1)]
    assert [value_of(folder, value, lazily) for folder, value in given] == [value for _, value in given]


def test_a_module_of_the_current_folder_does_not_hide_one_beside_the_pipeline(
    value_of, clean_modules, tmp_path, monkeypatch
):
    assert value_of("here", 1) == 1
    monkeypatch.setattr(sys, "path", [str(tmp_path / "here"), *sys.path])
    import own_steps

    assert own_steps.VALUE == 1
    assert value_of("there", 2) == 2


def test_an_unchanged_module_is_not_run_again(make_pipeline, example, tmp_path, clean_modules):
    (tmp_path / "counting.py").write_text("import sys\nsys.counted += 1\n" + NOISE)
    pipeline = pipeline_of(make_pipeline, ("one", "counting:direct"), ("two", "counting:in_sql"))
    sys.counted = 0
    for _ in range(2):
        sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, events=1, overwrite=True)
    assert sys.counted == 1
    del sys.counted


def test_modules_that_are_not_beside_a_pipeline_stay_as_they_are(value_of, clean_modules, tmp_path_factory):
    of_tests = str(tmp_path_factory.getbasetemp())  # other tests' pipelines, which are left
    files = {name: str(getattr(module, "__file__", None)) for name, module in sys.modules.items()}
    before = {name: sys.modules[name] for name, file in files.items() if not file.startswith(of_tests)}
    value_of("one", 1)
    value_of("two", 2)
    assert {name: sys.modules.get(name) for name in before} == before


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "'event_id': m['event_id'] + 1, 'x': m['pz']",
            r"f wrote a row of A with event_id = 1, which is not an event of th",
        ),
        ("'event_id': [None] * n, 'x': m['pz']", r"Step 'A': mistaken:f wrote a row of A with event_id = NULL, which"),
        (
            "'event_id': m['event_id']",
            r"Table 'A' is written without its column x\. Give it, with NaN or None where it d",
        ),
        ("'x': m['pz']", r"Table 'A' is written without its column event_id\. .*declare the table without it"),
    ],
)
def test_what_a_step_writes_belongs_to_events_and_is_complete(make_pipeline, example, tmp_path, written, message):
    (tmp_path / "mistaken.py").write_text(
        "def f(batch, table):\n    m = batch.columns('MCParticles')\n    n = m.rows\n"
        f"    batch.write(table, {{'mcparticle_id': m['mcparticle_id'], {written}}})\n"
    )
    pipeline = pipeline_of(make_pipeline, ("A", "mistaken:f"))
    with pytest.raises((PipelineError, DataError), match=message):
        sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, events=1)


def test_what_does_not_apply_may_be_missing(make_pipeline, example, tmp_path):
    (tmp_path / "missing.py").write_text(
        "import numpy as np\ndef f(batch, table):\n    m = batch.columns('MCParticles')\n"
        "    ids = {name: m[name] for name in ('mcparticle_id', 'event_id')}\n"
        "    batch.write(table, {**ids, 'x': np.full(m.rows, np.nan)})\n"
    )
    sqlamarr.run(pipeline_of(make_pipeline, ("A", "missing:f")), example, tmp_path / "out.db", seed=1, events=1)
    with sqlamarr.open(tmp_path / "out.db") as db:
        rows, given = db.execute("SELECT count(*), count(x) FROM A").fetchone()
    assert rows > 100
    assert given == 0
