"""What ``sqlamarr verify`` says, and who verifies: merge, --resume and show --hash."""

from __future__ import annotations

import json
import os
import re
import shutil

import apsw
import pytest
from run_tools import command_line, interrupt

import sqlamarr
from sqlamarr.errors import InterruptedRunError, OutputError
from sqlamarr.output import provenance
from sqlamarr.output.merge import merge
from sqlamarr.output.verify import verify

GUN = {"gun": {"particle": "mu-", "p": 1e4, "eta": 3, "events": 12}}


def changed(path, sql, *values):
    """The file after a statement of somebody else's."""
    connection = apsw.Connection(str(path))
    connection.execute(sql, values)
    connection.close()
    return path


@pytest.fixture
def out(reference, tmp_path):
    return shutil.copy(reference[0], tmp_path / "out.db")


@pytest.fixture
def old(out):
    """As files were before there were checksums."""
    return changed(out, "DROP TABLE Checksums; PRAGMA user_version = 0")


def test_an_intact_file_is_said_to_be_one(out, capsys):
    assert command_line("verify", out) == 0
    assert capsys.readouterr().out == f"{out}: 40 events, 17 tables, every checksum agrees\n"
    found = sqlamarr.verify(out)
    assert (found.intact, found.events, found.tables, found.has_checksums) == (True, 40, 17, True)
    os.chmod(out, 0o444)
    assert command_line("verify", out) == 0


def test_a_changed_value_is_named_with_its_table_its_events_and_the_remedy(out, capsys):
    changed(out, "UPDATE Tracks SET p = p + 1e-9 WHERE track_id = (SELECT max(track_id) FROM Tracks)")
    assert command_line("verify", out) == 1
    text = capsys.readouterr().out
    n = r"\d+ rows with checksum [0-9a-f]{16}"
    assert f"{out} is damaged, or was changed after it was written:" in text
    assert re.search(rf"^  Tracks, events 0 to 999: expected {n}, found {n}$", text, re.M)
    assert "Do not use it. If it was copied, copy it again." in text
    assert "simulate its events again: the command that wrote it, with --seed 42 --events 0:40." in text
    assert len(text.splitlines()) == 3


def test_every_block_that_differs_is_named(tmp_path):
    path = tmp_path / "o.db"
    sqlamarr.run("lhcb_run2", GUN, path, seed=1, first_event=1994, events=(0, 12))
    changed(path, "DELETE FROM MCParticles WHERE event_id = 1999000000; DELETE FROM Events WHERE ordinal = 2005")
    text = verify(path).text()
    assert "MCParticles, events 1,000 to 1,999: expected 6 rows with" in text
    assert ", found 5 rows with checksum" in text
    assert "Events, events 2,000 to 2,999: expected 6 rows with" in text
    assert "--seed 1 --first-event 1994 --events 0:12" in text


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE Provenance SET value = '43' WHERE key = 'seed'", "Provenance: expected"),
        ("DELETE FROM Provenance", "make it again with the command that wrote it"),
        ("UPDATE Batches SET seconds = 1", "Batches: expected 1 row with"),
        ("UPDATE Inputs SET mark = '{}'", "Inputs: expected 1 row with"),
        ("DELETE FROM DataSources", "DataSources: expected 1 row with checksum .*, found 0 rows with"),
        ("INSERT INTO RejectedEvents (event_id) VALUES (0)", "RejectedEvents, events 0 to 999: expected 0 rows"),
        ("DROP TABLE PID", "PID, events 0 to 999: expected 957 rows with checksum .*, found 0 rows"),
        ("CREATE INDEX i ON Tracks (p)", "the statements that made tables and views: expected 23 rows"),
        ("DROP VIEW Particles", "the statements that made tables and views: expected"),
        ("DROP TABLE Checksums", "Checksums cannot be read: .*no such table"),
        ("DELETE FROM Checksums", "Tracks, events 0 to 999: expected 0 rows with checksum 0000000000000000, found 957"),
        ("UPDATE Checksums SET checksum = 'x' WHERE block = 0", "Checksums cannot be read: .*where integers belong"),
        ("UPDATE Tracks SET p = 'fast'", "Tracks cannot be read: Column .*expected REAL or NULL, found a TEXT"),
        ("UPDATE Events SET event_id = event_id + 5000000000", "Events, events 5,000 to 5,999: expected 0 rows"),
        ("UPDATE Provenance SET value = CAST(x'ff' AS TEXT) WHERE key = 'status'", "Provenance: expected"),
    ],
)
def test_whatever_is_changed_is_found(sql, said, out, tmp_path, capsys):
    changed(out, sql)
    assert command_line("verify", out) == 1
    assert re.search(said, capsys.readouterr().out)
    for use in (
        lambda: merge([out], tmp_path / "m.db"),
        lambda: sqlamarr.run("lhcb_run2", "no.hepmc", out, seed=42, resume=True),
    ):
        with pytest.raises(OutputError, match=f"(?s)out.db is damaged, or was changed.*{said}"):
            use()
    assert command_line("show", "--hash", out) == 1
    assert re.search(said, capsys.readouterr().err)
    assert not (tmp_path / "m.db").exists()


def test_several_files_are_told_of_each(out, reference, tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("precious")
    changed(out, "DELETE FROM Tracks")
    assert command_line("verify", out, tmp_path / "thesis.tex", tmp_path / "no.db", reference[0]) == 1
    text = capsys.readouterr().out
    assert "out.db is damaged" in text
    assert "thesis.tex is not an SQLite file" in text
    assert "There is no file" in text
    assert f"{reference[0]}: 40 events, 17 tables, every checksum agrees" in text


def test_much_damage_is_told_in_short(out):
    changed(out, "UPDATE Checksums SET rows = rows + 1; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                 "WHERE i < 50) INSERT INTO Checksums SELECT i, 'Tracks', 1, 1 FROM n")  # fmt: skip
    text = verify(out).text()
    assert "\n  and " in text
    assert len(text.splitlines()) == 23


# -- files without checksums --------------------------------------------------------------------------------


def test_a_file_without_checksums_is_taken_with_a_note(old, tmp_path, capsys):
    assert command_line("verify", old) == 0
    assert "40 events, 17 tables; it was written before files had checksums" in capsys.readouterr().out
    assert command_line("show", "--hash", old) == 0
    summary = merge([old], tmp_path / "m.db")
    assert any("out.db: it was written before files had checksums" in text for text in summary.warnings)
    assert verify(tmp_path / "m.db").has_checksums
    assert verify(tmp_path / "m.db").intact


def test_an_interrupted_run_without_checksums_is_resumed_without(example, tmp_path):
    options = {"pipeline": "lhcb_run2", "inputs": example, "output": tmp_path / "o.db", "seed": 42, "batch_size": 5}
    with pytest.raises(InterruptedRunError):
        interrupt(10, **options)
    changed(tmp_path / "o.db", "DROP TABLE Checksums; PRAGMA user_version = 0")
    sqlamarr.run(**options, resume=True)
    assert (verify(tmp_path / "o.db").events, verify(tmp_path / "o.db").has_checksums) == (40, False)


# -- files verify at every instant ---------------------------------------------------------------------------


def test_a_file_verifies_after_every_batch_and_interruption(picky, example, tmp_path):
    path = tmp_path / "o.db"
    options = {"pipeline": picky, "inputs": [example, example], "output": path, "seed": 1, "batch_size": 3}
    found = []

    def look(_):
        found.append(verify(path))
        if len(found) in (2, 7):
            raise KeyboardInterrupt

    for resume in (False, True, True):
        try:
            sqlamarr.run(**options, on_error="skip", resume=resume, progress=look)
        except InterruptedRunError:
            found.append(verify(path))
    found.append(verify(path))
    assert len(found) > 20
    assert all(entry.intact for entry in found)
    assert found[-1].events == 80
    with sqlamarr.open(path) as db:
        assert db.execute("SELECT count(*) FROM RejectedEvents").fetchone() == (2,)


def test_merged_files_verify_and_name_their_parts_if_they_are_damaged(tmp_path):
    parts = []
    for begin in (0, 4, 8):
        parts.append(tmp_path / f"{begin}.db")
        sqlamarr.run("lhcb_run2", GUN, parts[-1], seed=1, events=(begin, begin + 4), keep_tmp=True, batch_size=3)
    merge(parts[::-1], tmp_path / "m.db")
    found = verify(tmp_path / "m.db")
    assert (found.intact, found.events) == (True, 12)
    changed(tmp_path / "m.db", "DELETE FROM RecSummary")
    assert "merge its parts again: 0.db, 4.db, 8.db." in verify(tmp_path / "m.db").text()


def test_a_damaged_part_is_named_and_nothing_is_merged(tmp_path):
    for begin in (0, 6):
        sqlamarr.run("lhcb_run2", GUN, tmp_path / f"{begin}.db", seed=1, events=(begin, begin + 6))
    changed(tmp_path / "6.db", "UPDATE Vertices SET x = 0")
    with pytest.raises(OutputError, match="(?s)6.db is damaged.*Vertices, events 0 to 999.*--seed 1 --events 6:12"):
        merge([tmp_path / "0.db", tmp_path / "6.db"], tmp_path / "m.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.db", "6.db"]


def test_a_copy_in_scratch_is_called_by_the_name_of_the_output(out, example, tmp_path):
    changed(out, "DELETE FROM Tracks")
    (tmp_path / "scratch").mkdir()
    with pytest.raises(OutputError, match=f"^{out} is damaged"):
        sqlamarr.run("lhcb_run2", example, out, seed=42, resume=True, scratch=tmp_path / "scratch")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_file_that_is_too_damaged_to_be_read_can_be_overwritten(out):
    data = bytearray(out.read_bytes())
    (root,) = apsw.Connection(str(out)).execute("SELECT rootpage FROM sqlite_schema WHERE name = 'Events'").fetchone()
    data[(root - 1) * 16384 : root * 16384] = b"\x55" * 16384
    out.write_bytes(data)
    with pytest.raises(OutputError, match="out.db is damaged: .*malformed"):
        sqlamarr.run("lhcb_run2", GUN, out, seed=1, resume=True)
    assert sqlamarr.run("lhcb_run2", GUN, out, seed=1, overwrite=True).events == 12
    assert verify(out).intact


# -- damaged provenance --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE Provenance SET value = CAST(x'ff00' AS TEXT) WHERE key = 'models'", "a text is not UTF-8"),
        ("UPDATE Provenance SET key = CAST(x'ff' AS TEXT) WHERE key = 'models'", "a text is not UTF-8"),
        ("UPDATE Provenance SET value = '{\"a\": ' WHERE key IN ('models', 'inputs')", "is not a JSON"),
        ("UPDATE Provenance SET value = '[1]' WHERE key = 'models'", "the entry 'models' is not a JSON object"),
        ("UPDATE Provenance SET value = x'00' WHERE key = 'status'", "the entry 'status' is not a text"),
    ],
)
def test_provenance_that_cannot_be_read_is_a_clear_error(sql, said, out, tmp_path, capsys):
    changed(out, sql)
    with sqlamarr.open(out) as db, pytest.raises(OutputError, match=f"provenance of .*out.db cannot be used: .*{said}"):
        provenance.read(db)
    uses = {
        "show": (out,), "report": (out, "-o", tmp_path / "p.html"), "merge": (out, "-o", tmp_path / "m.db"),
        "tuple": (out, "[D0 -> K- pi+]CC", "-o", tmp_path / "t.db"), "export": (out, tmp_path / "o.root"),
    }  # fmt: skip
    for name, arguments in uses.items():
        assert command_line(name, *arguments) == 1, name
        assert "Error: " in capsys.readouterr().err, name
    assert [path.name for path in tmp_path.iterdir()] == ["out.db"]


@pytest.mark.parametrize("key", ["status", "seed", "conditions", "models", "sqlamarr", "pipeline_text"])
def test_an_entry_that_is_missing_is_named(key, out, capsys):
    changed(out, "DELETE FROM Provenance WHERE key = ?", key)
    option = ["--pipeline"] if key == "pipeline_text" else []
    assert command_line("show", *option, out) == 1
    assert f"The provenance of {out} cannot be used: it has no entry '{key}'." in capsys.readouterr().err


def test_an_entry_that_is_missing_inside_another_is_named(out, capsys):
    changed(out, "UPDATE Provenance SET value = ? WHERE key = 'inputs'", json.dumps([{"pbth": "x"}]))
    assert command_line("show", out) == 1
    assert "it has no entry 'path'" in capsys.readouterr().err
