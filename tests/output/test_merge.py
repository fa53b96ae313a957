"""Parts of a production, and what becomes of them when they are put together."""

from __future__ import annotations

import itertools
import re

import pytest
from run_tools import command_line, hashes

import sqlamarr
from sqlamarr.errors import OutputError
from sqlamarr.output import provenance
from sqlamarr.output.merge import merge


@pytest.fixture(scope="module")
def parts(tmp_path_factory, example):
    """The example in three parts."""
    folder = tmp_path_factory.mktemp("parts")
    paths = []
    for name, events in (("a", "0:10"), ("b", "10:25"), ("c", "25:")):
        paths.append(folder / f"{name}.db")
        arguments = ["run", "lhcb_run2", example, "-o", paths[-1], "--seed", 42, "--events", events, "--quiet"]
        assert command_line(*arguments) == 0
    return paths


def test_parts_merge_into_the_whole_in_any_order(parts, reference, tmp_path):
    for n, order in enumerate(itertools.permutations(parts)):
        assert command_line("merge", *order, "-o", tmp_path / f"{n}.db", "--quiet") == 0
        assert hashes(tmp_path / f"{n}.db") == hashes(reference[0])


def test_a_merged_file_is_like_that_of_one_run(parts, reference, tmp_path, capsys):
    assert command_line("merge", *parts, "-o", tmp_path / "o.db") == 0
    assert "o.db: 40 events of 3 parts, 0 of them rejected" in capsys.readouterr().out
    with sqlamarr.open(tmp_path / "o.db") as db, sqlamarr.open(reference[0]) as other:
        made, expected = provenance.read(db), provenance.read(other)
        assert db.execute("SELECT * FROM Particles LIMIT 1").fetchall()  # the view
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("SELECT count(*) FROM DataSources").fetchone() == (1,)
        schemas = [d.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall() for d in (db, other)]
    assert schemas[0] == schemas[1]
    assert (made["status"], made["seed"], made["first_event"]) == ("complete", 42, 0)
    assert made["summary"]["rows"] == expected["summary"]["rows"]
    assert made["summary"]["counts"] == expected["summary"]["counts"]
    assert [part["path"] for part in made["parts"]] == ["a.db", "b.db", "c.db"]
    assert made["cross_section"] == expected["cross_section"]
    assert command_line("show", tmp_path / "o.db") == 0


def test_parts_of_a_generated_source_are_those_of_the_whole(tmp_path):
    gun = {"gun": {"particles": [{"particle": "mu-", "p": 8000, "eta": 2.5, "phi": 1.0}], "events": 12}}
    sqlamarr.run("lhcb_run2", gun, tmp_path / "whole.db", seed=3)
    sqlamarr.run("lhcb_run2", gun, tmp_path / "a.db", seed=3, events=5)
    sqlamarr.run("lhcb_run2", gun, tmp_path / "b.db", seed=3, events=(5, None), batch_size=2)
    merge([tmp_path / "b.db", tmp_path / "a.db"], tmp_path / "o.db")
    assert hashes(tmp_path / "o.db") == hashes(tmp_path / "whole.db")


def test_one_file_per_job_is_one_production(example, tmp_path):
    sqlamarr.run("lhcb_run2", [example, example], tmp_path / "whole.db", seed=1)
    sqlamarr.run("lhcb_run2", example, tmp_path / "0.db", seed=1)
    sqlamarr.run("lhcb_run2", example, tmp_path / "1.db", seed=1, first_event=40)
    merge([tmp_path / "0.db", tmp_path / "1.db"], tmp_path / "o.db")
    assert hashes(tmp_path / "o.db") == hashes(tmp_path / "whole.db")


def test_overlapping_parts_are_named(parts, tmp_path, capsys, example):
    sqlamarr.run("lhcb_run2", example, tmp_path / "d.db", seed=42, events=(9, 10))
    assert command_line("merge", *parts, tmp_path / "d.db", "-o", tmp_path / "o.db") == 1
    message = capsys.readouterr().err
    assert "a.db (events 0 to 9) and " in message
    assert "d.db (events 9 to 9) overlap" in message
    assert not (tmp_path / "o.db").exists()
    with pytest.raises(OutputError, match=r"a.db .* and .*a.db .* overlap"):
        merge([parts[0], parts[0]], tmp_path / "o.db")


def test_gaps_are_taken_on_request_only(parts, tmp_path):
    with pytest.raises(OutputError, match=r"Events 10 to 24 are missing between .*a.db and .*c.db"):
        merge([parts[2], parts[0]], tmp_path / "o.db")
    summary = merge([parts[2], parts[0]], tmp_path / "o.db", allow_gaps=True)
    assert summary.events == 25


def test_parts_of_different_productions_are_refused(parts, tmp_path, example):
    sqlamarr.run("lhcb_run2", example, tmp_path / "d.db", seed=43, events="25:")
    with pytest.raises(OutputError, match=r"What differs: the seed \(42 in b.db, 43 in d.db\)|42 in a.db, 43 in d.db"):
        merge([parts[0], parts[1], tmp_path / "d.db"], tmp_path / "o.db")
    sqlamarr.run("lhcb_run2", example, tmp_path / "e.db", seed=42, events=(25, None), keep_tmp=True)
    with pytest.raises(OutputError, match="--keep-tmp"):
        merge([parts[0], parts[1], tmp_path / "e.db"], tmp_path / "o.db")


def test_an_unfinished_part_is_refused(parts, tmp_path, example):
    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(sqlamarr.SqlamarrError, match="Interrupted"):
        sqlamarr.run("lhcb_run2", example, tmp_path / "c.db", seed=42, events="25:", batch_size=2, progress=interrupt)
    with pytest.raises(OutputError, match=r"c.db is not finished. Run its job again with --resume"):
        merge([*parts[:2], tmp_path / "c.db"], tmp_path / "o.db")
    merge([*parts[:2], tmp_path / "c.db"], tmp_path / "o.db", allow_gaps=True)
    with sqlamarr.open(tmp_path / "o.db") as db:
        assert provenance.read(db)["status"] == "incomplete"


def test_a_part_is_never_the_output(parts, tmp_path):
    before = parts[0].read_bytes()
    with pytest.raises(OutputError, match="is one of the inputs"):
        merge(parts, parts[0], overwrite=True)
    assert parts[0].read_bytes() == before


@pytest.mark.parametrize("text", ["5:3", "0", "a:b", ":", "3:3", "-1:4"])
def test_a_range_without_events_is_refused(example, tmp_path, capsys, text):
    assert command_line("run", "lhcb_run2", example, "-o", tmp_path / "o.db", f"--events={text}") == 2
    error = capsys.readouterr().err
    assert re.search("which contains none|must be a number N or a range A:B|must not begin before 0", error)


@pytest.mark.parametrize(
    ("first", "n", "note"),
    [(38, 10, "those from 40 on are missing"), (50, 10, "all of them are missing"), (38, 2, None), (0, 50, None)],
)
def test_a_range_that_the_inputs_do_not_fill_is_noted(example, tmp_path, first, n, note):
    pipeline = sqlamarr.load_pipeline("lhcb_run2").with_conditions({"calorimeter": "off"})
    summary = sqlamarr.run(pipeline, example, tmp_path / "o.db", seed=1, events=(first, first + n))
    found = [warning for warning in summary.warnings if "were requested" in warning]
    assert len(found) == (note is not None)
    assert all(str(note) in warning for warning in found)
