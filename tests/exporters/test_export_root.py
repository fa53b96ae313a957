"""What goes into a ROOT file comes out of it again: every column of every table, flat and by event."""

from __future__ import annotations

import json

import awkward as ak
import numpy as np
import pytest
import uproot
from export_tools import tiny_output
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_tools import command_line

import sqlamarr
from sqlamarr.errors import DataError, InterruptedRunError, OutputError, SqlamarrError
from sqlamarr.exporters.export_file import export
from sqlamarr.exporters.format import FORMATS
from sqlamarr.native.columns import FLOAT64, INT64, TEXT
from sqlamarr.output.file import BOOKKEEPING

NULL = -999
HITS = [
    [(None, 1, 1.5, "a"), (0, None, None, None)],
    [],
    [(None, 3, -2.5, "b"), (0, 4, 0.25, "ü"), (1, 5, 8.0, "")],
]


@pytest.fixture(scope="module", params=[False, True], ids=["TTree", "RNTuple"])
def exported(request, everything, tmp_path_factory):
    """Whether it holds RNTuples, the file and the database."""
    path = tmp_path_factory.mktemp("root") / "out.root"
    export(everything, path, rntuple=request.param, rows=1000)
    with uproot.open(path) as file, sqlamarr.open(everything) as db:
        yield request.param, file, db


def expected(values, column, rntuple):
    """What a reader should see of a column of the database."""
    if rntuple and column.type != FLOAT64:
        return list(values.tolist())
    if column.type == INT64:
        return np.ma.filled(values, NULL).tolist()
    return ["" if value is None else value for value in values] if column.type == TEXT else values


def test_every_column_of_every_table_and_view_comes_back(exported):
    rntuple, file, db = exported
    for name in [name for name in db if name not in BOOKKEEPING]:
        table = db[name]
        arrays = file[name].arrays()
        assert len(arrays) == len(table)
        for column in table.columns.values():
            want, found = expected(table[column.name], column, rntuple), arrays[column.name]
            if column.type == FLOAT64:
                np.testing.assert_array_equal(ak.to_numpy(found), want)
            else:
                assert found.tolist() == want, (name, column.name)


def test_every_row_comes_back_in_its_event(exported):
    rntuple, file, db = exported
    arrays = file["EventTree"].arrays()
    assert arrays.event_id.tolist() == db["Events"]["event_id"].tolist()
    for name in ("GenParticles", "MCParticles", "Tracks", "TrackStates", "PID", "BremPhotons", "GenWeights"):
        by_event = db[name].by_event()
        assert arrays[f"n{name}"].tolist() == ak.num(by_event, axis=1).tolist()
        for column in db[name].columns.values():
            if column.name == "event_id" or column.type == TEXT:
                continue
            found, want = arrays[f"{name}_{column.name}"], by_event[column.name]
            if column.type == INT64 and not rntuple:
                want = ak.fill_none(want, NULL)
            if column.type == FLOAT64:
                np.testing.assert_array_equal(ak.flatten(found), ak.flatten(want))
            else:
                assert found.tolist() == want.tolist(), (name, column.name)
    np.testing.assert_array_equal(arrays.RecSummary_nTracks, db["RecSummary"]["nTracks"])


def test_types_are_those_of_the_schema(exported):
    _, file, db = exported
    kinds = {INT64: "int64", FLOAT64: "double", TEXT: "string"}
    for name in ("Tracks", "TrackStates", "DataSources", "Particles"):
        for column in db[name].columns.values():
            field = file[name][column.name]
            typename = field.typename.removeprefix("std::optional<").removesuffix(">").removeprefix("std::")
            kind = {"char*": "string"}.get(typename, typename).removesuffix("_t")
            assert kind == kinds[column.type], (name, column.name, typename)


def test_every_tree_has_number_and_weight_of_the_event(exported):
    _, file, _ = exported
    for name in ("Tracks", "Particles", "MCVertices", "EventTree", "RejectedEvents"):
        arrays = file[name].arrays(["event_id", "eventNumber", "runNumber", "eventWeight"])
        assert (arrays.eventNumber == arrays.event_id // 1_000_000).tolist() == [True] * len(arrays)
        assert set(arrays.eventWeight.tolist()) <= {1.0}
    assert "eventNumber" not in file["DataSources"].keys()  # noqa: SIM118


def test_places_of_related_rows_lead_to_them(exported):
    _, file, _ = exported
    e = file["EventTree"].arrays()
    assert (e.MCParticles_mcparticle_id[e.Tracks_mcparticle_idx] == e.Tracks_mcparticle_id).tolist() == [
        [True] * n for n in e.nTracks
    ]
    have = e.MCParticles_mother_idx >= 0
    ids = e.MCParticles_mcparticle_id[e.MCParticles_mother_idx[have]]
    assert ids.tolist() == e.MCParticles_mother[have].tolist()
    assert ak.any(have)
    assert not ak.any(e.TrackStates_track_idx < 0)


def test_units_are_in_the_titles_of_branches(exported):
    rntuple, file, _ = exported
    if rntuple:
        assert file["Tracks"]["p"].description == "momentum [MeV]"
        return
    assert file["Tracks"].title == "reconstructed tracks at their closest approach to the beam line"
    assert file["Tracks"]["p"].title == "momentum [MeV]"
    assert file["EventTree"]["Tracks_z"].title == "[mm]"
    assert file["EventTree"]["MCParticles_mother"].title == "NULL from the collision itself; -999: none"
    assert file["EventTree"]["TrackStates_location"].title == "0 ClosestToBeam, 1 EndT; -1: none"


def test_the_provenance_is_in_strings(exported):
    _, file, _ = exported
    assert file["Provenance"].classnames()["seed;1"] == "TObjString"
    assert str(file["Provenance/seed"]) == "42"
    assert json.loads(str(file["Provenance/conditions"]))["period"] == 2016
    assert "select_particles" in str(file["Provenance/pipeline_text"])
    assert str(file["Provenance/exported_by"]).startswith(f"sqlamarr {sqlamarr.__version__}, uproot")


floats = st.none() | st.floats(allow_nan=False, allow_infinity=True)
integers = st.none() | st.integers(-(2**63), 2**63 - 1).filter(lambda n: n != NULL)
texts = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300)
hits = st.lists(st.tuples(st.none(), integers, floats, texts), max_size=4)


@given(st.lists(hits, min_size=1, max_size=5), st.integers(1, 6), st.booleans())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_survives(tmp_path_factory, events, rows, rntuple):
    folder = tmp_path_factory.mktemp("any")
    tiny_output(folder / "out.db", events).close()
    export(folder / "out.db", folder / "out.root", rntuple=rntuple, rows=rows, tables="Hits")
    flat = [row for event in events for row in event]
    with uproot.open(folder / "out.root") as file:
        arrays, tree = file["Hits"].arrays(), file["EventTree"].arrays()
    null, empty = (None, None) if rntuple else (NULL, "")
    n = [[null if row[1] is None else row[1] for row in event] for event in events]
    assert arrays.n.tolist() == [value for event in n for value in event]
    assert tree.Hits_n.tolist() == n
    assert arrays.kind.tolist() == [empty if row[3] is None else row[3] for row in flat]
    want = np.array([np.nan if row[2] is None else row[2] for row in flat])
    np.testing.assert_array_equal(ak.to_numpy(arrays.e), want)
    np.testing.assert_array_equal(ak.to_numpy(ak.flatten(tree.Hits_e)), want)


def test_rejected_events_are_no_entries(tmp_path):
    with tiny_output(tmp_path / "out.db", [HITS[0], [], HITS[2]], rejected=(1,)) as db:
        export(db, tmp_path / "out.root", rows=1)
    with uproot.open(tmp_path / "out.root") as file:
        assert file["EventTree"]["eventNumber"].array().tolist() == [0, 2]
        assert file["Events"]["status"].array().tolist() == ["simulated", "rejected", "simulated"]


def test_rows_of_a_table_without_row_for_an_event_are_missing(tmp_path):
    with tiny_output(tmp_path / "out.db", HITS) as db:
        export(db, tmp_path / "out.root")
    with uproot.open(tmp_path / "out.root") as file:
        tree = file["EventTree"].arrays()
    np.testing.assert_array_equal(ak.to_numpy(tree.Sums_total), [1.5, np.nan, 5.75])
    assert tree.Sums_label.tolist() == ["event 0", "", "event 2"]
    assert tree.Hits_kind.tolist() == [[1, -1], [], [2, 3, 0]]  # "" a b ü
    assert tree.Hits_mother_idx.tolist() == [[-1, 0], [], [-1, 0, 1]]


def test_the_weight_of_an_event_is_the_product_over_its_collisions(tmp_path):
    extra = "".join(
        f"INSERT INTO GenEvents (genevent_id, event_id, weight) VALUES ({e * 1_000_000 + c}, {e * 1_000_000}, {w});"
        for e, c, w in [(0, 0, "0.5"), (0, 1, "-3.0"), (0, 2, "NULL"), (2, 0, "4.0")]
    )
    with tiny_output(tmp_path / "out.db", HITS, extra=extra) as db:
        export(db, tmp_path / "out.root", rows=1)
    with uproot.open(tmp_path / "out.root") as file:
        assert file["EventTree"]["eventWeight"].array().tolist() == [-1.5, 1.0, 4.0]
        assert file["Hits"]["eventWeight"].array().tolist() == [-1.5, -1.5, 4.0, 4.0, 4.0]
        assert set(file["Hits"]["runNumber"].array().tolist()) == {17}
        assert file["GenEvents"]["weight"].array().tolist()[:2] == [0.5, -3.0]


def test_a_number_that_stands_for_null_and_for_itself_is_refused(tmp_path):
    with tiny_output(tmp_path / "out.db", HITS) as db:
        with pytest.raises(DataError, match="Hits.n has NULLs and also the value 3, .* Choose another"):
            export(db, tmp_path / "out.root", null_integer=3)
        assert not list(tmp_path.glob("*.root"))
        assert not list(tmp_path.glob(".*"))
        export(db, tmp_path / "out.root", null_integer=-7, tables="Hits")
    with uproot.open(tmp_path / "out.root") as file:
        assert file["Hits"]["n"].array().tolist() == [1, -7, 3, 4, 5]
        assert file.keys(recursive=False, cycle=False) == ["Hits", "EventTree", "Provenance"]


def test_a_real_in_an_integer_column_is_refused(tmp_path):
    tiny_output(tmp_path / "out.db", HITS, extra="UPDATE Hits SET n = 1.5 WHERE n = 1").close()
    with pytest.raises(DataError, match='Column "n", row 1: expected INTEGER or NULL, found a REAL value'):
        export(tmp_path / "out.db", tmp_path / "out.root")


@pytest.mark.parametrize("compression", ["zstd", "zstd:9", "lz4", "zlib:1", "lzma:1", "none"])
def test_compressions(tmp_path, compression):
    with tiny_output(tmp_path / "out.db", HITS) as db:
        export(db, tmp_path / "out.root", compression=compression)
    with uproot.open(tmp_path / "out.root") as file:
        assert file["Hits"]["n"].array().tolist() == [1, NULL, 3, 4, 5]
        kind = {"none": "None"}.get(compression, compression.partition(":")[0].upper())
        assert kind in repr(file.file.compression)


def test_layouts(tmp_path):
    with tiny_output(tmp_path / "out.db", HITS) as db:
        for layout, keys in {"flat": ["Hits", "Scaled"], "event": ["EventTree"]}.items():
            export(db, tmp_path / "out.root", layout=layout, tables=["Hits", "Scaled"], overwrite=True)
            with uproot.open(tmp_path / "out.root") as file:
                assert file.keys(recursive=False, cycle=False) == [*keys, "Provenance"]
        assert export(db, tmp_path / "all.root").notes == []
        summary = export(db, tmp_path / "kinds.root", tables=["PerKind", "Hits"])
        assert summary.notes == ["PerKind has no column event_id and is not in the event tree."]
        with uproot.open(tmp_path / "out.root") as file:
            assert "Scaled_e_gev" in file["EventTree"].keys()  # noqa: SIM118


def test_errors_of_the_call(tmp_path):
    with tiny_output(tmp_path / "out.db", HITS) as db:
        for options, message in [
            ({"tables": ["Hit"]}, "There is no table or view 'Hit' to export; .* Did you mean 'Hits'?"),
            ({"compression": "zip"}, "Unknown compression 'zip'; expected zstd, lz4, zlib, lzma or none"),
            ({"layout": "jagged"}, "layout must be one of flat, event, both, found 'jagged'"),
            (
                {"format": "rot"},
                f"There is no format of export 'rot'; there are: {', '.join(FORMATS.ours())}. Did you mean 'root'?",
            ),
            ({"rows": 0}, "rows must be at least 1"),
            ({"null_integer": 2**63}, "must be a 64-bit integer"),
        ]:
            with pytest.raises(SqlamarrError, match=message):
                export(db, tmp_path / "out.root", **options)
        with pytest.raises(
            SqlamarrError, match="the format cannot be recognised from the name; expected a name ending in"
        ):
            export(db, tmp_path / "out.txt")
        assert not list(tmp_path.glob("*out.root*"))


def test_files_are_not_overwritten_by_accident(tmp_path):
    with tiny_output(tmp_path / "out.db", HITS) as db:
        export(db, tmp_path / "out.root")
        with pytest.raises(
            OutputError, match="out.root exists. Choose another name, or use --overwrite to replace it."
        ):
            export(db, tmp_path / "out.root")
        with pytest.raises(OutputError, match="is not an exported file"):
            export(db, tmp_path / "out.db", format="root", overwrite=True)
        with pytest.raises(OutputError, match="does not exist; make it first"):
            export(db, tmp_path / "no" / "out.root")
        before = (tmp_path / "out.root").read_bytes()
        with pytest.raises(DataError):
            export(db, tmp_path / "out.root", null_integer=3, overwrite=True)
        assert (tmp_path / "out.root").read_bytes() == before


def test_progress_counts_every_row(tmp_path):
    seen = []
    with tiny_output(tmp_path / "out.db", HITS) as db:
        export(db, tmp_path / "out.root", rows=1, tables="Hits", layout="flat", progress=seen.append)
    assert seen == [2, 0, 3]


def test_the_command_line(everything, tmp_path, capsys):
    assert command_line("export", everything, tmp_path / "out.root", "--table", "Tracks", "--table", "PID") == 0
    out = capsys.readouterr().out
    assert "out.root: root," in out
    assert "EventTree" in out
    assert command_line("export", everything, tmp_path / "out.root") == 1
    assert "out.root exists" in capsys.readouterr().err


def test_an_export_is_not_resumed_and_what_to_do_is_said(example, tmp_path, capsys):
    out = tmp_path / "x.root"
    arguments = ("run", "lhcb_run2", example, "-o", out, "--seed", 1, "-n", 2, "--resume", "--quiet")
    assert command_line(*arguments) == 0  # begins it
    content = out.read_bytes()
    assert command_line(*arguments) == 1
    message = capsys.readouterr().err
    assert f"{out} exists, but a run writes it only at its end, so there is nothing to resume." in message
    other = tmp_path / "x.db"
    assert f"'-o {other} --resume' and export it with 'sqlamarr export {other} {out}'." in message
    (tmp_path / "x.root.db").touch()
    assert command_line(*arguments) == 1
    assert f"with '-o {out}.db --resume', then run 'sqlamarr export {out}.db {out}" in capsys.readouterr().err
    assert out.read_bytes() == content


def test_an_interrupted_run_is_resumed_and_ends_in_its_export(example, tmp_path):
    out = tmp_path / "x.root"
    options = {"seed": 1, "events": 4, "batch_size": 2}

    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError):
        sqlamarr.run("lhcb_run2", example, f"{out}.db", **options, progress=interrupt)
    assert command_line("run", "lhcb_run2", example, "-o", out, "--seed", 1, "-n", 4, "--resume", "--quiet") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["x.root"]
    assert uproot.open(out)["EventTree"].num_entries == 4


def test_a_run_may_end_in_a_root_file(example, tmp_path, capsys):
    output = tmp_path / "out.root"
    assert command_line("run", "lhcb_run2", example, "-o", output, "--seed", 42, "-n", 3, "--quiet") == 0
    assert [file.name for file in tmp_path.iterdir()] == ["out.root"]
    with uproot.open(output) as file:
        assert file["EventTree"].num_entries == 3
    assert command_line("run", "lhcb_run2", example, "-o", output, "--seed", 42, "-n", 3) == 1
    assert "out.root exists" in capsys.readouterr().err
    assert command_line("run", "lhcb_run2", example, "-o", tmp_path / "a.parquet") == 2
    assert "a parquet file holds only one table" in capsys.readouterr().err


def test_a_format_without_a_mark_does_not_open_files_to_the_others(reference, tmp_path, monkeypatch):
    monkeypatch.setattr(type(FORMATS.get("parquet")), "MARK", b"")
    mine = tmp_path / "mine.root"
    mine.write_text("not an export")
    with pytest.raises(OutputError, match="is not an exported file .* and is not overwritten"):
        export(reference[0], mine, overwrite=True)
    assert mine.read_text() == "not an export"
