"""Small output files for tests of reading and exporting, with values of the test's choice."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import apsw

from sqlamarr import Database
from sqlamarr.output.file import open_output

SCHEMA = """
CREATE TABLE Hits ( -- what a test puts in
    hit_id INTEGER PRIMARY KEY,
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    mother INTEGER REFERENCES Hits(hit_id), -- another hit of the event
    n INTEGER,   -- a number
    e REAL,      -- energy [MeV]
    kind TEXT    -- which one
);
CREATE TABLE Sums ( -- a row an event
    event_id INTEGER PRIMARY KEY REFERENCES Events(event_id),
    total REAL,  -- of the energies [MeV]
    label TEXT
);
CREATE VIEW Scaled AS SELECT hit_id, event_id, e / 1000.0 AS e_gev, -- [GeV]
    n + 1 AS n_next FROM Hits;
CREATE VIEW PerKind AS SELECT kind, sum(e) AS e, count(*) AS hits FROM Hits GROUP BY kind;
CREATE VIEW Late AS SELECT event_id, max(e) AS e FROM Hits GROUP BY event_id;
"""


def tiny_output(path: Path, hits: list[list[tuple]], *, rejected: tuple[int, ...] = (), extra: str = "") -> Database:
    """An output file with one list of (mother's place or None, n, e, kind) for every event.

    :param rejected: ordinals of events that are marked as rejected
    :param extra: more SQL
    """
    connection = apsw.Connection(str(path))
    package = files("sqlamarr")
    connection.execute(
        (package / "database" / "schema.sql").read_text()
        + (package / "output" / "bookkeeping.sql").read_text()
        + SCHEMA
    )
    connection.execute("INSERT INTO Provenance VALUES ('seed', '1')")
    connection.execute("INSERT INTO DataSources VALUES (0, 'file', 'HepMC3 ASCII', 17, NULL)")
    for ordinal, rows in enumerate(hits):
        event_id = ordinal * 1_000_000
        status = "rejected" if ordinal in rejected else "simulated"
        connection.execute("INSERT INTO Events VALUES (?, ?, 0, ?, ?)", (event_id, ordinal, ordinal, status))
        for place, (mother, n, e, kind) in enumerate(rows):
            above = None if mother is None else event_id + mother
            values = (event_id + place, event_id, above, n, e, kind)
            connection.execute("INSERT INTO Hits VALUES (?, ?, ?, ?, ?, ?)", values)
        if rows:
            total = sum(row[2] or 0.0 for row in rows)
            connection.execute("INSERT INTO Sums VALUES (?, ?, ?)", (event_id, total, f"event {ordinal}"))
    connection.execute(extra)
    connection.close()
    return open_output(path)
