"""Tables of particles: Parquet, ROOT, CSV and frames in memory give the same events, or a clear error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import uproot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_tools import TRUTH, hashes

import sqlamarr
from sqlamarr.errors import InputError
from sqlamarr.sources.inputs import as_arguments, open_inputs
from sqlamarr.sources.tables import files as frames_files

#: A B+ at (0.1, 0.2, 30) that decays to J/psi K+ 4 mm on, the J/psi there to two muons; and a pion of its own.
FIRST = pd.DataFrame(
    {
        "event": 7,
        "pid": [521, 443, 321, 13, -13, 211],
        "px": [3.0, 2.0, 1.0, 1.5, 0.5, 0.3],
        "py": [0.0, 0.5, -0.5, 0.25, 0.25, 0.1],
        "pz": [60.0, 40.0, 20.0, 25.0, 15.0, 5.0],
        "m": [5.279, 3.097, 0.494, 0.106, 0.106, 0.14],
        "x": [0.1, 0.3, 0.3, 0.3, 0.3, 0.1],
        "y": [0.2, 0.2, 0.2, 0.2, 0.2, 0.2],
        "z": [30.0, 34.0, 34.0, 34.0, 34.0, 30.0],
        "mother": [-1, 0, 0, 1, 1, -1],
        "weight": 0.5,
    }
)
SECOND = pd.DataFrame(
    {
        "event": 9, "pid": [2212], "px": [0.1], "py": [0.2], "pz": [9.0], "m": [0.938],
        "x": [0.0], "y": [0.0], "z": [1.0], "mother": [-1], "weight": 2.0,
    }
)  # fmt: skip
EVENTS = pd.concat([FIRST, SECOND], ignore_index=True)
UNITS = {"momentum": "GeV"}


@pytest.fixture
def pipeline(tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_text(TRUTH)
    return path


def parsed(source, batch_size: int = 1000):
    return [chunk.parse() for chunk in open_inputs(as_arguments(source), seed=1).chunks(batch_size)]


def table(frame, **options):
    return {"table": {"data": frame, "units": UNITS, **options}}


def write(folder: Path, kind: str, frame: pd.DataFrame) -> Path:
    path = folder / f"events.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(path, row_group_size=2)
    else:
        with uproot.recreate(path) as file:
            file.mktree("particles", {name: str(dtype) for name, dtype in frame.dtypes.items()})
            file["particles"].extend({name: frame[name].to_numpy() for name in frame})
    return path


# -- what events are made of them ---------------------------------------------------------------------


def test_rows_become_particles_with_vertices():
    (chunk,) = parsed(table(EVENTS))
    assert not chunk.rejected
    events, vertices, particles = (chunk.tables[name] for name in ("GenEvents", "GenVertices", "GenParticles"))
    assert events["event_number"].tolist() == [7, 9]
    assert events["weight"].tolist() == [0.5, 2.0]
    assert particles["production_vertex"].tolist() == [0, 1, 1, 2, 2, 0, 1_000_000]
    assert particles["end_vertex"].tolist() == [1, 2, None, None, None, None, None]
    assert particles["status"].tolist() == [2, 2, 1, 1, 1, 1, 1]
    assert particles["px"].tolist() == [3000, 2000, 1000, 1500, 500, 300, 100]
    assert particles["pe"][0] == np.sqrt(3000.0**2 + 60000.0**2 + 5279.0**2)
    places = list(zip(*(vertices[name].tolist() for name in ("genvertex_id", "x", "y", "z", "t"))))
    assert places == [(0, 0.1, 0.2, 30, 0), (1, 0.3, 0.2, 34, 0), (2, 0.3, 0.2, 34, 0), (1_000_000, 0, 0, 1, 0)]


def test_energy_and_mass_make_up_for_one_another():
    row = {"event": [0, 0], "pid": [321, 22], "px": [3.0, 1.0], "py": [0.0, 2.0], "pz": [4.0, 2.0]}
    from_energy = parsed({**row, "e": [13.0, 3.0]})[0].tables["GenParticles"]
    assert from_energy["m"].tolist() == [12.0, 0.0]
    from_mass = parsed({**row, "m": [12.0, 0.0]})[0].tables["GenParticles"]
    assert from_mass["pe"].tolist() == [13.0, 3.0]
    neither = parsed(row)[0].tables["GenParticles"]
    assert neither["m"].tolist() == [pytest.approx(493.677, abs=0.02), 0.0]


def test_units_are_converted():
    row = {"event": [0], "pid": [321], "px": [1.0], "py": [0.0], "pz": [2.0], "x": [3.0], "t": [0.5]}
    units = {"momentum": "TeV", "length": "cm", "time": "ns"}
    (chunk,) = parsed({"table": {"data": row, "units": units}})
    assert chunk.tables["GenParticles"]["pz"].tolist() == [2e6]
    assert chunk.tables["GenVertices"]["x"].tolist() == [30.0]
    assert chunk.tables["GenVertices"]["t"].tolist() == [0.5 * 299.792458]


def test_columns_have_the_names_that_the_table_gives_them():
    names = {"event": "evt", "pid": "PDG", "px": "P X"}
    (chunk,) = parsed(table(EVENTS.rename(columns=names), columns=names))
    assert chunk.tables["GenParticles"]["pid"].tolist() == EVENTS["pid"].tolist()


@pytest.mark.parametrize("kind", ["csv", "parquet", "root"])
def test_a_file_is_the_same_as_the_frame(tmp_path, pipeline, kind, monkeypatch):
    monkeypatch.setattr(frames_files, "ROWS", 4)  # events straddle the blocks
    monkeypatch.setattr(frames_files, "_ROOT_BYTES", 4)
    path = write(tmp_path, kind, EVENTS)
    description = tmp_path / "table.yaml"
    description.write_text(f"table: {{file: {path.name}, units: {{momentum: GeV}}}}")
    sqlamarr.run(pipeline, [description], tmp_path / "file.db", seed=1, batch_size=1)
    sqlamarr.run(pipeline, table(EVENTS), tmp_path / "frame.db", seed=1)
    file, memory = (hashes(tmp_path / f"{name}.db") for name in ("file", "frame"))
    for table_name in ("GenEvents", "MCParticles", "MCVertices"):
        assert file[table_name] == memory[table_name]


def test_a_table_is_an_input_by_itself(tmp_path, pipeline):
    path = write(tmp_path, "root", EVENTS)
    sqlamarr.run(pipeline, [path, EVENTS], tmp_path / "out.db", seed=1)
    with sqlamarr.open(tmp_path / "out.db") as db:
        assert db.execute("SELECT count(*) FROM GenEvents").fetchone() == (4,)
        formats = db.execute("SELECT format FROM DataSources").fetchall()
    assert formats == [("ROOT",), ("table in memory",)]


@pytest.mark.parametrize("kind", ["memory", "parquet", "root"])
def test_lists_are_events(tmp_path, kind):
    names = [name for name in EVENTS if name not in ("event", "weight")]
    lists = {name: [FIRST[name].tolist(), [], SECOND[name].tolist()] for name in names}
    source = {"table": {"data": lists, "units": UNITS}}
    if kind == "parquet":
        arrow = pytest.importorskip("pyarrow")
        path = tmp_path / "lists.parquet"
        arrow.parquet = pytest.importorskip("pyarrow.parquet")
        arrow.parquet.write_table(arrow.table(lists), path)
        source = {"table": {"file": str(path), "units": UNITS}}
    elif kind == "root":
        ak = pytest.importorskip("awkward")
        path = tmp_path / "lists.root"
        with uproot.recreate(path) as file:
            arrays = {name: ak.Array(values) for name, values in lists.items()}
            file.mktree("t", {name: a.type.content for name, a in arrays.items()})
            file["t"].extend(arrays)
        source = {"table": {"file": str(path), "units": UNITS}}
    (chunk,) = parsed(source)
    flat = parsed(table(EVENTS))[0].tables["GenParticles"]
    made = chunk.tables["GenParticles"]
    assert chunk.tables["GenEvents"].rows == 3
    assert made["pid"].tolist() == flat["pid"].tolist()
    assert made["event_id"].tolist() == [0] * 6 + [2_000_000]
    assert made["px"].tolist() == flat["px"].tolist()


@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=12),
    batch=st.integers(1, 7),
    rows=st.integers(1, 9),
    data=st.data(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_neither_blocks_nor_batches_matter(sizes, batch, rows, data, monkeypatch):
    number = np.repeat(
        np.cumsum(data.draw(st.lists(st.integers(1, 3), min_size=len(sizes), max_size=len(sizes)))), sizes
    )
    mothers = [data.draw(st.integers(-1, i - 1)) for size in sizes for i in range(size)]
    frame = pd.DataFrame(
        {"event": number, "pid": 211, "px": 1.0, "py": 0.0, "pz": np.arange(len(number)), "mother": mothers}
    )

    def blocks(names):
        for begin in range(0, len(frame), rows):
            yield {name: frame[name].to_numpy()[begin : begin + rows] for name in names}

    monkeypatch.setattr(
        "sqlamarr.sources.tables.tables.of_memory", lambda d, n: frames_files.TableFile(n, "test", list(frame), blocks)
    )
    small = parsed({"table": {"data": frame}}, batch)
    monkeypatch.undo()
    (whole,) = parsed({"table": {"data": frame}})
    for name, columns in whole.tables.items():
        for column in columns:
            together = np.ma.concatenate([chunk.tables[name][column] for chunk in small])
            assert repr(together.tolist()) == repr(columns[column].tolist())


def test_split_chunks_are_the_events_of_the_whole():
    (chunk,) = open_inputs(as_arguments(table(EVENTS)), seed=1).chunks(10)
    first, second = chunk.split()
    assert first.parse().tables["GenParticles"].rows == 6
    assert second.parse().tables["GenParticles"]["genparticle_id"].tolist() == [1_000_000]


# -- what is wrong with a table --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pid": None}, r"has no column 'pid'; its columns: .* If it has another name, give it"),
        ({"event": None}, "no column 'event', which shows which particles belong together"),
        ({"px": ["a"] * 7}, r"column 'px' \(px\) holds something that is not a number, such as 'a'; expected numbers"),
        ({"pid": [1.5] + [1.0] * 6}, r"column 'pid' \(pid\) must hold integers, found 1.5"),
        ({"pid": [np.nan] + [1.0] * 6}, r"column 'pid' \(pid\) must hold integers, found nan"),
        ({"event": [7, 7, 9, 9, 7, 7, 7]}, "row 4: event 7 comes after event 9. Sort the table"),
    ],
)
def test_a_wrong_table_is_refused(change, message):
    frame = EVENTS.copy()
    for name, values in change.items():
        frame = frame.drop(columns=name) if values is None else frame.assign(**{name: values})
    with pytest.raises(InputError, match=message):
        parsed(table(frame))


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (1, "1 (of type int)"),
        (np.float64(3), f"{np.float64(3)!r} (of type float64)"),
        (None, "None (of type NoneType)"),
        ("1.5", "'1.5' (of type str)"),
        (np.array(3.0), "array(3.) (of type ndarray)"),
        (np.zeros((1, 1)), "array([[0.]]) (of type ndarray)"),
        ({0: 1}, "{0: 1} (of type dict)"),
    ],
)
def test_a_column_that_is_no_array_is_refused(values, found):
    columns = {"event": [0], "pid": [13], "px": values, "py": [0.0], "pz": [1e4]}
    with pytest.raises(InputError) as error:
        parsed(columns)
    assert f"column 'px' must be an array with one value per particle, found {found}." in str(error.value)


@pytest.mark.parametrize("kind", [float, object, "int64"])
def test_a_table_without_rows_has_no_events(kind):
    source = open_inputs(as_arguments(table(EVENTS.iloc[:0].astype(kind))), seed=1)
    assert list(source.chunks(10)) == []
    assert "contains no events: it has columns, but no rows" in source.warnings[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"px": "P_X"}}, "has no column 'P_X'"),
        ({"columns": {"pX": "px"}}, "unknown key 'pX'; known are: event, pid"),
        ({"units": {"momentum": "Gev"}}, "'Gev' is not one of"),
        ({"file": "x.parquet"}, "'file' or, from Python, 'data', but not both"),
    ],
)
def test_a_wrong_description_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        parsed({"table": {"data": EVENTS, **options}})


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("px", 2, np.nan, "Row 2 of the table: px is not a finite number"),
        ("m", 6, np.inf, "Row 6 of the table: m is not a finite number"),
        ("mother", 1, 6, "Row 1 of the table: the mother is not one of the rows of its event"),
        ("mother", 0, 0, "Row 0 of the table: the particle is its own mother"),
        ("z", 4, 35.0, "Row 4 of the table: z differs from that of the mother's other daughters"),
    ],
)
def test_a_bad_row_rejects_its_event_alone(column, row, value, message):
    frame = EVENTS.astype({"px": float, "m": float, "z": float})
    frame.loc[row, column] = value
    (chunk,) = parsed(table(frame))
    (rejected,) = chunk.rejected
    assert message in rejected.message
    assert rejected.event_id == (1_000_000 if row == 6 else 0)
    assert chunk.tables["GenEvents"]["event_id"].tolist() == [1_000_000 - rejected.event_id]


def test_files_that_are_no_tables_are_refused(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "b.root").write_bytes(b"root but not really")
    for file, message in {"a.txt": "is not recognised as a table", "b.root": "cannot be read as a ROOT file"}.items():
        with pytest.raises(InputError, match=message):
            parsed({"table": {"file": str(tmp_path / file)}})
    path = write(tmp_path, "root", EVENTS)
    with pytest.raises(InputError, match="has no tree 'events'; its trees: particles"):
        parsed({"table": {"file": str(path), "tree": "events"}})


def test_a_damaged_parquet_file_is_refused(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        parsed(str(tmp_path / "a.parquet"))
