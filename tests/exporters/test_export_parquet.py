"""What goes into Parquet files comes out of them again, with missing values, units and provenance."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
from export_tools import tiny_output
from run_tools import command_line

import sqlamarr
from sqlamarr.errors import OutputError, SqlamarrError
from sqlamarr.exporters.export_file import export
from sqlamarr.native.columns import FLOAT64, INT64
from sqlamarr.output.file import BOOKKEEPING

pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="module")
def folder(everything, tmp_path_factory):
    path = tmp_path_factory.mktemp("parquet") / "tables"
    export(everything, path, format="parquet", rows=1000)
    return path


def test_every_column_of_every_table_and_view_comes_back(folder, everything):
    with sqlamarr.open(everything) as db:
        for name in [name for name in db if name not in BOOKKEEPING]:
            found = pq.read_table(folder / f"{name}.parquet")
            for column in db[name].columns.values():
                values = db[name][column.name].tolist()
                if column.type == FLOAT64:
                    values = [None if value != value else value for value in values]
                assert found[column.name].to_pylist() == values, (name, column.name)
                assert str(found.schema.field(column.name).type) == {FLOAT64: "double", INT64: "int64"}.get(
                    column.type, "string"
                )


def test_units_and_provenance_are_in_the_metadata(folder):
    schema = pq.read_schema(folder / "Tracks.parquet")
    assert schema.field("p").metadata == {b"unit": b"MeV", b"description": b"momentum"}
    assert schema.metadata[b"seed"] == b"42"
    assert schema.metadata[b"description"].startswith(b"reconstructed tracks")
    assert schema.field("eventWeight").type == "double"


def test_events_are_nested(folder, everything):
    events = ak.from_parquet(folder / "EventTree.parquet")
    with sqlamarr.open(everything) as db:
        tracks = db["Tracks"].by_event()
        assert events.Tracks.p.tolist() == tracks.p.tolist()
        assert events.TrackStates.location.tolist() == db["TrackStates"].by_event().location.tolist()
    found = events.MCParticles.mcparticle_id[events.Tracks.mcparticle_idx]
    assert found.tolist() == events.Tracks.mcparticle_id.tolist()


def test_one_table_is_one_file(tmp_path):
    with tiny_output(tmp_path / "out.db", [[(None, None, None, None), (0, 2, np.inf, "x")]]) as db:
        export(db, tmp_path / "hits.parquet", tables="Hits", compression="lz4")
        assert pq.read_table(tmp_path / "hits.parquet").select(["n", "e", "kind"]).to_pylist() == [
            {"n": None, "e": None, "kind": None},
            {"n": 2, "e": np.inf, "kind": "x"},
        ]
        with pytest.raises(SqlamarrError, match="a Parquet file holds one table; choose it with --table"):
            export(db, tmp_path / "all.parquet")
        with pytest.raises(SqlamarrError, match="Unknown Parquet compression 'lzma'; expected zstd"):
            export(db, tmp_path / "all.parquet", tables="Hits", compression="lzma")


def test_folders_are_not_overwritten_by_accident(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("x")
    with tiny_output(tmp_path / "out.db", [[]]) as db:
        with pytest.raises(OutputError, match="is a folder with files in it"):
            export(db, tmp_path / "full", format="parquet", overwrite=True)
        export(db, tmp_path / "new", format="parquet")
        export(db, tmp_path / "new", format="parquet", overwrite=True)
    assert (tmp_path / "full" / "thesis.tex").exists()
    assert (tmp_path / "new" / "Hits.parquet").exists()


def test_the_command_line(everything, tmp_path, capsys):
    assert command_line("export", everything, tmp_path / "p.parquet", "-t", "Particles") == 0
    assert "parquet" in capsys.readouterr().out
