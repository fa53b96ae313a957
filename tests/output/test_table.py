"""Tables of an output file, as analysts read them from Python."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from export_tools import tiny_output

import sqlamarr
from sqlamarr.errors import DataError, SqlamarrError, SqlError
from sqlamarr.native.columns import INT64
from sqlamarr.output.tables.event_blocks import Reader

HITS = [
    [(None, 1, 1.5, "a"), (0, None, None, None)],
    [],
    [(None, 3, -2.5, "b"), (0, 4, 0.25, "ü"), (1, 5, 8.0, "")],
]


@pytest.fixture
def tiny(tmp_path):
    with tiny_output(tmp_path / "out.db", HITS) as db:
        yield db


def test_a_table_is_read_by_its_name(reference):
    with sqlamarr.open(reference[0]) as db:
        tracks = db["Tracks"]
        assert len(tracks) == tracks.num_entries == 957
        assert "p" in tracks
        assert tracks.keys()[:2] == ["track_id", "event_id"]
        assert tracks.units["p"] == "MeV"
        np.testing.assert_array_equal(tracks["p"], db.arrays("SELECT p FROM Tracks")["p"])
        assert repr(tracks).startswith("<Table Tracks: 957 rows, 24 columns: track_id, event_id,")
        assert "Tracks" in db
        assert "Particles" in list(db)


def test_integers_with_nulls_are_masked_and_texts_have_none(tiny):
    hits = tiny["Hits"]
    assert hits["n"].tolist() == [1, None, 3, 4, 5]
    assert np.isnan(hits["e"][1])
    assert hits["kind"].tolist() == ["a", None, "b", "ü", ""]


def test_expressions_and_cuts(tiny):
    arrays = tiny["Hits"].arrays(["n", "e / 1000 AS e_gev"], cut="e > 0")
    assert {name: values.tolist() for name, values in arrays.items()} == {
        "n": [1, 4, 5],
        "e_gev": [0.0015, 0.00025, 0.008],
    }


def test_filters_are_combined(tiny):
    chosen = tiny["Hits"].filter("e > 0").filter("n > 1 -- or not\n")
    assert len(chosen) == 2
    assert chosen["n"].tolist() == [4, 5]
    assert "where (e > 0) AND (n > 1" in repr(chosen)
    assert len(tiny["Hits"].filter("n = 1 OR n = 3").filter("e < 0")) == 1


def test_a_table_without_rows_is_there(tiny):
    assert tiny["RejectedEvents"]
    assert len(tiny["RejectedEvents"]) == 0


def test_an_event_is_a_list_of_records(tiny):
    hits = tiny["Hits"].by_event()
    assert hits.n.tolist() == [[1, None], [], [3, 4, 5]]
    assert hits.kind.tolist() == [["a", None], [], ["b", "ü", ""]]
    assert tiny["Hits"].filter("n > 3").by_event().n.tolist() == [[], [], [4, 5]]


def test_awkward_arrays_have_option_types_where_values_are_missing(tiny):
    array = tiny["Hits"].awkward(["n", "kind", "hit_id"])
    assert str(array.type) == "5 * {n: ?int64, kind: ?string, hit_id: int64}"
    assert array[1].tolist() == {"n": None, "kind": None, "hit_id": 1}


def test_dataframes_keep_integers_and_units(tiny):
    frame = tiny["Hits"].dataframe()
    assert str(frame["n"].dtype) == "Int64"
    assert frame.attrs["units"] == {"e": "MeV"}
    assert frame["n"].isna().tolist() == [False, True, False, False, False]


def test_columns_without_values_have_the_declared_type(tiny):
    empty = tiny["Hits"].dataframe(cut="0")
    assert [str(empty[name].dtype) for name in ("hit_id", "n", "e")] == ["int64", "int64", "float64"]
    nulls = tiny.dataframe("SELECT n, kind, mother FROM Hits WHERE n IS NULL AND kind IS NULL")
    assert str(nulls["n"].dtype) == "Int64"
    assert nulls["n"].isna().all()
    assert nulls["kind"].tolist() == [None]
    assert nulls["mother"].tolist() == [0]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("name", ["Hits", "Scaled", "PerKind", "Late", "Provenance"])
def test_pieces_together_are_the_table(tiny, name, size):
    pieces = list(tiny[name].iterate(size))
    whole = tiny[name].arrays()
    for column, values in whole.items():
        joined = [value for piece in pieces for value in piece[column].tolist()]
        assert pd.Series(joined, dtype=object).equals(pd.Series(values.tolist(), dtype=object)), column


def test_an_event_is_not_split(tiny):
    ids = [set(piece["event_id"].tolist()) for piece in tiny["Hits"].iterate(1)]
    assert [len(piece) for piece in ids] == [1, 0, 1]


def test_keys_follow_the_events_and_views_reach_through(reference):
    with sqlamarr.open(reference[0]) as db:
        for name, key in {"Tracks": "track_id", "TrackStates": "trackstate_id", "Particles": "track_id"}.items():
            reader = Reader(db, name, {"event_id": INT64})
            assert reader._key == f'"{key}"', name
        assert Reader(db, "RecSummary", {"event_id": INT64})._key == '"event_id"'


def test_keys_that_do_not_follow_the_events_are_not_used(tmp_path):
    extra = "CREATE TABLE Own (own_id INTEGER PRIMARY KEY, event_id INTEGER); " + "".join(
        f"INSERT INTO Own VALUES ({own}, {event * 1_000_000});" for own, event in enumerate([2, 0, 2, 0, 1])
    )
    with tiny_output(tmp_path / "out.db", HITS, extra=extra) as db:
        assert sorted(v for piece in db["Own"].iterate(1) for v in piece["own_id"].tolist()) == [0, 1, 2, 3, 4]
        assert db["Own"].by_event().own_id.tolist() == [[1, 3], [4], [0, 2]]


def test_rows_of_no_event_are_not_lost_silently(tmp_path):
    extra = "CREATE TABLE Stray (event_id INTEGER, x REAL); INSERT INTO Stray VALUES (0, 1.0), (99000000, 2.0);"
    with tiny_output(tmp_path / "out.db", HITS, extra=extra) as db:
        message = "Stray: 1 of 2 rows have an event_id that is not in the table Events."
        with pytest.raises(DataError, match=message):
            list(db["Stray"].iterate(1))
        with pytest.raises(DataError, match=message):
            db["Stray"].by_event()


def test_errors_name_what_is_wrong(tiny):
    with pytest.raises(SqlError, match="Hits has no column 'ee'; it has: hit_id, .* Did you mean 'e'?"):
        tiny["Hits"]["ee"]
    with pytest.raises(SqlError, match="no such column: foo"):
        tiny["Hits"].filter("foo > 1")
    with pytest.raises(DataError, match="PerKind has no column event_id"):
        tiny["PerKind"].by_event()
    with pytest.raises(SqlamarrError, match="library must be one of np, ak, pd, found 'numpy'."):
        tiny["Hits"].arrays(library="numpy")
    with pytest.raises(SqlError, match="no columns were requested"):
        tiny["Hits"].arrays([])


def test_show_tells_types_units_and_comments(tiny, capsys):
    tiny["Hits"].show()
    out = capsys.readouterr().out
    assert "Hits: 5 rows; what a test puts in" in out
    assert "  e         float64  MeV  energy" in out
