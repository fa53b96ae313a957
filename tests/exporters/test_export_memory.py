"""A file of a million tracks is exported in the memory that a small one needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sqlamarr import Database
from sqlamarr.output.file import open_output

CEILING = 500  # MB, interpreter and libraries (some 150) included
TRACKS = 1_001_250
PER_EVENT = 50
FILL = f"""
WITH RECURSIVE event(ordinal) AS (
    SELECT 25 UNION ALL SELECT ordinal + 1 FROM event WHERE ordinal < {TRACKS // PER_EVENT}
)
INSERT INTO Events SELECT ordinal * 1000000, ordinal, 0, ordinal, 'simulated' FROM event;
CREATE TEMP TABLE source AS SELECT row_number() OVER () - 1 AS place, * FROM Tracks LIMIT {PER_EVENT};
CREATE TEMP TABLE target AS SELECT event_id FROM Events WHERE ordinal >= 25;
"""
# Where Linux tells it, the peak of the process itself: ru_maxrss begins with that of the one that started it.
MEASURE = """
import pathlib, re, resource, sys
from sqlamarr import export
summary = export(sys.argv[1], sys.argv[2], **eval(sys.argv[3]))
status = pathlib.Path("/proc/self/status")
peak = re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text()) if status.exists() else None
kilobytes = int(peak[1]) if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(summary.entries.get("Tracks", (0, 0))[0], kilobytes // 1024)
"""


@pytest.fixture(scope="module")
def million(everything, tmp_path_factory):
    """The tracks of a small file with their states, over and over in new events."""
    path = tmp_path_factory.mktemp("million") / "out.db"
    with open_output(everything) as db:
        db.backup(path)
    with Database(path) as db:
        db.execute(FILL)
        ids = ("track_id", "mcparticle_id")
        with db.atomic():
            for table in ("MCParticles", "Tracks", "PID", "TrackStates"):
                names = [str(name) for (name,) in db.execute("SELECT name FROM pragma_table_info(?)", (table,))]
                link = "mcparticle_id" if table == "MCParticles" else "track_id"
                values = ", ".join(
                    "g.event_id" if name == "event_id"
                    else "g.event_id + s.place" if name in ids
                    else "g.event_id + 2 * s.place + (t.location = 'EndT')" if name == "trackstate_id"
                    else "NULL" if name in ("mother", "production_vertex", "end_vertex", "genparticle_id")
                    else f"t.{name}"
                    for name in names
                )  # fmt: skip
                db.execute(
                    f"INSERT INTO {table} SELECT {values} FROM temp.target AS g JOIN temp.source AS s "
                    f"JOIN {table} AS t ON t.{link} = s.{link}"
                )
    return path


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("out.root", "{}"),
        ("out.root", "{'rntuple': True}"),
        ("out.edm4hep.root", "{}"),
        ("tracks.parquet", "{'tables': 'Tracks'}"),
        ("folder", "{'format': 'parquet', 'layout': 'event'}"),
    ],
)
def test_a_million_tracks_are_exported_in_bounded_memory(million, tmp_path, name, options):
    command = [sys.executable, "-c", MEASURE, str(million), str(tmp_path / name), options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    tracks, megabytes = map(int, done.stdout.split())
    print(f"{name} {options}: {tracks} tracks, {megabytes} MB")
    assert tracks >= 1_000_000 or name == "folder"
    assert megabytes < CEILING
