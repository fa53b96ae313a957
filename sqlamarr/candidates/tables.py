"""The input of candidates: tracks, photons, truth and primary vertices of a range of events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlamarr.candidates.combine import Ids
from sqlamarr.candidates.geometry import PrimaryVertices
from sqlamarr.candidates.measured import Measured, Photons, Rows, Tracks
from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.errors import OutputError
from sqlamarr.particles.codes import ELECTRON, PHOTON

NEEDED = ("Tracks", "TrackStates", "Vertices", "MCParticles", "MCVertices")
UNKNOWN = -1  # in integer columns where the database has NULL
_UPPER = [(i, j) for i in range(5) for j in range(i, 5)]


@dataclass(frozen=True)
class Truth:
    """The generated particles, sorted by id; row -1 means none."""

    ids: Ids
    mother: Rows
    depth: Rows
    columns: Mapping[str, Any]

    def rows(self, ids: Ids) -> Rows:
        """Rows of particles by their ids."""
        if not len(self.ids):
            return np.full(len(ids), -1)
        at = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[at] == ids, at, -1)

    def values(self, name: str, rows: Rows, missing: float) -> npt.NDArray[Any]:
        """A column for these rows."""
        column = self.columns[name]
        if not len(column):
            return np.full(len(rows), missing)
        return np.where(rows < 0, missing, column[rows])

    def ancestor(self, rows: Rows, pid: int) -> Rows:
        """The nearest ancestor of a species, -1 if there is none."""
        rows = self.up(rows)
        while True:
            wrong = (rows >= 0) & (self.values("pid", rows, 0) != pid)
            if not wrong.any():
                return rows
            rows = np.where(wrong, self.up(rows), rows)

    def up(self, rows: Rows) -> Rows:
        """The mothers."""
        return np.where(rows < 0, -1, self.mother[rows]) if len(self.mother) else rows

    def common_ancestor(self, a: Rows, b: Rows) -> Rows:
        """The nearest common ancestor, -1 if there is none."""
        depth = np.append(self.depth, -1)  # row -1 is the last
        while (a != b).any():
            a, b = (
                np.where((a != b) & (depth[a] >= depth[b]), self.up(a), a),
                np.where((a != b) & (depth[b] >= depth[a]), self.up(b), b),
            )
        return a


@dataclass(frozen=True)
class Tables:
    """All data of a range of events, in the order of ids."""

    tracks: dict[str, Any]
    photons: dict[str, Any]
    truth: Truth
    primaries: PrimaryVertices
    events: dict[str, Any]
    extra: tuple[str, ...] = field(default=())  # columns of PID

    def charged(self, rows: Rows, pid: int, mass: float) -> Tracks:
        """Some tracks as particles of a species. Electrons get their reconstructed photons back."""
        t = self.tracks
        values = np.column_stack([t[name][rows] for name in ("x", "y", "tx", "ty", "qop")])
        covariance = np.empty((len(rows), 5, 5))
        for i, j in _UPPER:
            covariance[:, i, j] = covariance[:, j, i] = t[f"cov{i}{j}"][rows]
        if abs(pid) == ELECTRON:
            share = t["p"][rows] / (t["p"][rows] + t["brem_energy"][rows])
            values[:, 4] *= share
            covariance[:, 4] *= share[:, None]
            covariance[:, :, 4] *= share[:, None]
        return Tracks(values, covariance, t["z"][rows], mass)

    def neutral(self, rows: Rows) -> Photons:
        """Some photons."""
        c = self.photons
        covariance = np.zeros((len(rows), 3, 3))
        for k in range(3):
            covariance[:, k, k] = c[f"cov{k}{k}"][rows]
        return Photons(np.column_stack([c[name][rows] for name in ("x", "y", "energy")]), covariance, c["z"][rows])

    def measured(self, rows: Rows, pid: int, mass: float) -> Measured:
        """Some tracks or photons as particles of a species."""
        return self.neutral(rows) if pid == PHOTON else self.charged(rows, pid, mass)


def check_tables(db: Database) -> None:
    """Check that a file has what candidates need.

    :raises OutputError: a table is missing
    """
    missing = [name for name in NEEDED if name not in db.tables()]
    if missing:
        raise OutputError(
            f"{db.path} has no table {', '.join(missing)}; decay candidates need {', '.join(NEEDED)}. "
            "List them under 'output:' in the pipeline."
        )


def read_tables(db: Database, first: int, last: int) -> Tables:
    """Read all data of the events with ids from ``first`` up to but excluding ``last``."""
    bounds = {"first": first, "last": last}
    extra = _identification(db)
    return Tables(
        _tracks(db, bounds, extra),
        _photons(db, bounds),
        _truth(db, bounds),
        _primaries(db, bounds),
        _events(db, bounds),
        extra,
    )


def _identification(db: Database) -> tuple[str, ...]:
    if "PID" not in db.tables():
        return ()
    return tuple(n for n in db.declared_types("PID") if n not in ("track_id", "event_id", "mcparticle_id"))


def _closest_state(db: Database) -> str:
    """The condition that joins a track with its state: by its id, unless a custom schema has none."""
    by_id = "trackstate_id" in db.declared_types("TrackStates")
    own = "s.trackstate_id = 2 * t.track_id - t.event_id" if by_id else "s.track_id = t.track_id"
    return f"{own} AND s.location = 'ClosestToBeam'"


def _tracks(db: Database, bounds: Mapping[str, int], extra: tuple[str, ...]) -> dict[str, Any]:
    state = ", ".join(f"s.{n}" for n in ("x", "y", "z", "tx", "ty", "qop", *(f"cov{i}{j}" for i, j in _UPPER)))
    found = "".join(f", i.{quote_identifier(name)}" for name in extra)
    join = "LEFT JOIN PID AS i ON i.track_id = t.track_id" if extra else ""
    has_brem = "brem_energy" in db.declared_types("Tracks")
    arrays = db.arrays(
        f"""SELECT t.track_id, t.event_id, t.mcparticle_id, t.type, t.charge, t.p, t.chi2PerDoF, t.nDoF, t.ghostProb,
            {"t.brem_energy" if has_brem else "0.0 AS brem_energy"}, {state}{found}
        FROM Tracks AS t JOIN TrackStates AS s ON {_closest_state(db)} {join}
        WHERE t.track_id >= :first AND t.track_id < :last ORDER BY t.track_id""",
        bounds,
    )
    return {name: _whole(values) for name, values in arrays.items()}


def has_photons(db: Database) -> bool:
    """Whether the file has reconstructed photons."""
    return "Clusters" in db.tables() and bool(
        db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'view' AND name = 'Photons'").fetchone()
    )


def _photons(db: Database, bounds: Mapping[str, int]) -> dict[str, Any]:
    if not has_photons(db):
        return {}
    arrays = db.arrays(
        """SELECT c.cluster_id, c.event_id, c.type, c.x, c.y, c.z, c.energy, c.cov00, c.cov11, c.cov22,
            c.PhotonID, c.IsNotE, c.IsNotH, p.mcparticle_id
        FROM Photons AS p JOIN Clusters AS c ON c.cluster_id = p.cluster_id
        WHERE p.cluster_id >= :first AND p.cluster_id < :last ORDER BY c.cluster_id""",
        bounds,
    )
    return {name: _whole(values) for name, values in arrays.items()}


def _whole(values: Any) -> Any:
    return values.filled(UNKNOWN) if isinstance(values, np.ma.MaskedArray) else values


def _truth(db: Database, bounds: Mapping[str, int]) -> Truth:
    arrays = db.arrays(
        """SELECT m.mcparticle_id AS id, coalesce(m.mother, -1) AS mother, m.pid, m.px, m.py, m.pz, m.pe,
            o.x AS ox, o.y AS oy, o.z AS oz, e.x AS ex, e.y AS ey, e.z AS ez
        FROM MCParticles AS m LEFT JOIN MCVertices AS o ON o.mcvertex_id = m.production_vertex
            LEFT JOIN MCVertices AS e ON e.mcvertex_id = m.end_vertex
        WHERE m.mcparticle_id >= :first AND m.mcparticle_id < :last ORDER BY m.mcparticle_id""",
        bounds,
    )
    ids = np.asarray(arrays["id"], dtype=np.int64)
    whole = Truth(ids, np.full(len(ids), -1), np.zeros(len(ids), np.intp), {})
    mother = whole.rows(np.asarray(arrays["mother"], dtype=np.int64))
    depth = np.zeros(len(ids), np.intp)
    above = mother
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above < 0, -1, mother[above])
    return Truth(ids, mother, depth, arrays)


def _primaries(db: Database, bounds: Mapping[str, int]) -> PrimaryVertices:
    arrays = db.arrays(
        """SELECT vertex_id, event_id, x, y, z, sigma_x, sigma_y, sigma_z FROM Vertices
        WHERE vertex_id >= :first AND vertex_id < :last ORDER BY vertex_id""",
        bounds,
    )
    x, s = ([arrays[name] for name in names] for names in (("x", "y", "z"), ("sigma_x", "sigma_y", "sigma_z")))
    return PrimaryVertices(
        np.asarray(arrays["event_id"], np.int64),
        np.asarray(arrays["vertex_id"], np.int64),
        np.column_stack(x).astype(float),
        np.column_stack(s).astype(float),
    )


def _events(db: Database, bounds: Mapping[str, int]) -> dict[str, Any]:
    tables = db.tables()
    summary, generated = "RecSummary" in tables, "GenEvents" in tables
    arrays = db.arrays(
        f"""SELECT e.event_id, {"r.nPVs, r.nTracks" if summary else "-1 AS nPVs, -1 AS nTracks"},
            {"g.weight" if generated else "1.0"} AS weight
        FROM Events AS e {"LEFT JOIN RecSummary AS r ON r.event_id = e.event_id" if summary else ""}
            {"LEFT JOIN GenEvents AS g ON g.genevent_id = e.event_id" if generated else ""}
        WHERE e.event_id >= :first AND e.event_id < :last AND e.status = 'simulated' ORDER BY e.event_id""",
        bounds,
    )
    return {name: _whole(values) for name, values in arrays.items()}
