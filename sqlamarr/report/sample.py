"""The data behind the report: particles and tracks of the first events, with their truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sqlamarr.database.connection import Database
from sqlamarr.particles.codes import CHARGED_SPECIES, ELECTRON, KAON, LONG_TRACK, MUON, PION, PROTON
from sqlamarr.report.statistics import Array

MAX_PARTICLES = 3_000_000  # approximate number of MC particles to read
SPECIES = {ELECTRON: "e", MUON: "mu", PION: "pi", KAON: "K", PROTON: "p"}  # PDG code: name
SYMBOLS = {ELECTRON: "e", MUON: "μ", PION: "π", KAON: "K", PROTON: "p"}
LAST = 9_000_000_000_000_000_000


@dataclass(frozen=True)
class Sample:
    """Arrays by name, for the events with ids below ``last``.

    :ivar events: number of events in the sample
    :ivar all_events: number of events in the file
    """

    db: Database
    last: int
    events: int
    all_events: int

    @cached_property
    def particles(self) -> dict[str, Any]:
        """Charged particles of the five species that can leave tracks, reconstructed or not."""
        return self.db.arrays(
            f"""SELECT abs(m.pid) AS species, norm2(m.px, m.py, m.pz) AS p, norm2(m.px, m.py, 0) AS pt,
                pseudorapidity(m.px, m.py, m.pz) AS eta, azimuthal(m.px, m.py, m.pz) AS phi, m.pz,
                o.z AS origin_z, coalesce(t.type, 0) AS type
            FROM MCParticles AS m LEFT JOIN MCVertices AS o ON o.mcvertex_id = m.production_vertex
                LEFT JOIN Tracks AS t ON t.mcparticle_id = m.mcparticle_id
            WHERE abs(m.pid) IN {CHARGED_SPECIES} AND m.mcparticle_id < ?""",
            (self.last,),
        )

    @cached_property
    def tracks(self) -> dict[str, Any]:
        """Tracks at their closest approach to the beam, with covariance and the true particle."""
        return self.db.arrays(
            """SELECT abs(m.pid) AS species, t.type, t.p, t.pt, t.eta, t.phi, t.charge, t.chi2PerDoF, t.ghostProb,
                s.x, s.y, s.z, s.tx, s.ty, s.cov00, s.cov11, s.cov22, s.cov33, s.cov44, s.cov02, s.cov13,
                norm2(m.px, m.py, m.pz) AS true_p, norm2(m.px, m.py, 0) AS true_pt,
                m.px / m.pz AS true_tx, m.py / m.pz AS true_ty, o.x AS true_x, o.y AS true_y, o.z AS true_z
            FROM Tracks AS t JOIN TrackStates AS s ON s.track_id = t.track_id AND s.location = 'ClosestToBeam'
                JOIN MCParticles AS m ON m.mcparticle_id = t.mcparticle_id
                JOIN MCVertices AS o ON o.mcvertex_id = m.production_vertex
            WHERE t.track_id < ? ORDER BY t.track_id""",
            (self.last,),
        )

    @cached_property
    def identification(self) -> dict[str, Any]:
        """Identification of long tracks."""
        return self.db.arrays(
            f"""SELECT abs(m.pid) AS species, t.p, i.isMuon, i.PIDK, i.PIDp, i.PIDe, i.ProbNNk, i.ProbNNp, i.ProbNNmu
            FROM PID AS i JOIN Tracks AS t ON t.track_id = i.track_id
                JOIN MCParticles AS m ON m.mcparticle_id = i.mcparticle_id
            WHERE t.type = {LONG_TRACK} AND i.track_id < ?""",
            (self.last,),
        )

    @cached_property
    def primaries(self) -> dict[str, Any]:
        """Reconstructed minus true primary vertices, and their uncertainties."""
        return self.db.arrays(
            """SELECT v.x - m.x AS dx, v.y - m.y AS dy, v.z - m.z AS dz, v.sigma_x, v.sigma_y, v.sigma_z
            FROM Vertices AS v JOIN MCVertices AS m ON m.mcvertex_id = v.mcvertex_id WHERE v.event_id < ?""",
            (self.last,),
        )

    def residuals(self, track_type: int = LONG_TRACK) -> dict[str, Array]:
        """Reconstructed minus true states of tracks, at the z of the reconstructed one, and their pulls.

        Electrons, which lose energy on their way, are not included.
        """
        t = self.tracks
        chosen = (t["type"] == track_type) & (t["species"] != ELECTRON)
        t = {name: np.asarray(values)[chosen] for name, values in t.items()}
        dz = t["z"] - t["true_z"]
        out = {
            "x": t["x"] - t["true_x"] - t["true_tx"] * dz,
            "y": t["y"] - t["true_y"] - t["true_ty"] * dz,
            "tx": t["tx"] - t["true_tx"],
            "ty": t["ty"] - t["true_ty"],
            "qop": 1 / t["p"] - 1 / t["true_p"],
        }
        for k, name in enumerate(list(out)):
            out[f"pull_{name}"] = out[name] / np.sqrt(t[f"cov{k}{k}"])
        # Impact parameters: the reconstructed line at the z where the particle was made.
        out["ip_x"] = t["x"] - t["tx"] * dz - t["true_x"]
        out["ip_y"] = t["y"] - t["ty"] * dz - t["true_y"]
        return {**out, "p": t["p"], "pt": t["pt"], "true_p": t["true_p"], "true_pt": t["true_pt"]}


def sample_of(db: Database, most: int = MAX_PARTICLES) -> Sample:
    """The first events, up to about ``most`` MC particles."""
    (events,) = db.execute("SELECT count(*) FROM Events WHERE status = 'simulated'").fetchone() or (0,)
    total = int(str(events))
    if "MCParticles" not in db.tables():
        return Sample(db, LAST, total, total)
    row = db.execute("SELECT event_id FROM MCParticles ORDER BY mcparticle_id LIMIT 1 OFFSET ?", (most,)).fetchone()
    if row is None:
        return Sample(db, LAST, total, total)
    last = int(str(row[0]))
    (used,) = db.execute("SELECT count(*) FROM Events WHERE status = 'simulated' AND event_id < ?", (last,)).fetchone()  # type: ignore[misc]
    return Sample(db, last, int(str(used)), total)
