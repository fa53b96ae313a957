"""Events made for a purpose, and what the pipeline lhcb_run2 makes of them."""

from __future__ import annotations

import numpy as np

from sqlamarr import Columns, load_pipeline
from sqlamarr.events.chunk import TableChunk
from sqlamarr.events.event import DataSource, EventRef
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker

PION, KAON, PROTON, MUON, ELECTRON, PHOTON = 211, 321, 2212, 13, 11, 22
MASSES = {PHOTON: 0.0, ELECTRON: 0.511, MUON: 105.66, PION: 139.57, KAON: 493.68, PROTON: 938.27}  # MeV


def half_width(values):
    """Half of the range that holds the central 68 %."""
    low, high = np.percentile(values, [15.865, 84.135])
    return (high - low) / 2


def simulate(particles, *, origins=None, ends=None, n_events=1, seed=5, keep=(), **conditions):
    """Tables of a run over particles of equal shares of ``n_events`` events, all from one vertex each.

    :param particles: pid, p [MeV], eta and phi, arrays or numbers
    :param origins: x, y, z of the vertices [mm], (n_events, 3)
    :param ends: per particle z of its end vertex [mm], NaN for none
    """
    arrays = dict(zip(particles, np.broadcast_arrays(*particles.values())))
    n = len(arrays["pid"]) // n_events
    event_ids = np.arange(n_events) * 1_000_000
    origins = np.zeros((n_events, 3)) if origins is None else origins
    event = np.repeat(event_ids, n)
    row = np.tile(np.arange(n), n_events)
    ends = np.full(n * n_events, np.nan) if ends is None else ends
    decays = np.flatnonzero(~np.isnan(ends))
    end_ids = event[decays] + 1 + row[decays]
    p, eta, phi = arrays["p"] * 1.0, arrays["eta"] * 1.0, arrays["phi"] * 1.0
    mass = np.select([np.abs(arrays["pid"]) == pid for pid in MASSES], list(MASSES.values()), 139.57)
    pt = p / np.cosh(eta)
    pz = p * np.tanh(eta)
    no_end = np.ones(n * n_events, dtype=bool)
    no_end[decays] = False
    end_vertex = np.zeros(n * n_events, dtype=np.int64)
    end_vertex[decays] = end_ids
    tables = {
        "GenEvents": Columns(
            {"genevent_id": event_ids, "event_id": event_ids, "collision": np.zeros(n_events, int),
             "weight": np.ones(n_events), "x": origins[:, 0], "y": origins[:, 1], "z": origins[:, 2]}
        ),
        "GenVertices": Columns(
            {"genvertex_id": np.concatenate([event_ids, end_ids]),
             "event_id": np.concatenate([event_ids, event[decays]]),
             "genevent_id": np.concatenate([event_ids, event[decays]]),
             "hepmc_id": -np.arange(1, n_events + len(decays) + 1), "status": np.zeros(n_events + len(decays), int),
             "is_primary": np.r_[np.ones(n_events, int), np.zeros(len(decays), int)],
             "t": np.zeros(n_events + len(decays)),
             "x": np.r_[origins[:, 0], np.zeros(len(decays))], "y": np.r_[origins[:, 1], np.zeros(len(decays))],
             "z": np.r_[origins[:, 2], ends[decays]]}
        ),
        "GenParticles": Columns(
            {"genparticle_id": event + row, "event_id": event, "genevent_id": event, "hepmc_id": row + 1,
             "production_vertex": event, "end_vertex": np.ma.MaskedArray(end_vertex, mask=no_end),
             "pid": arrays["pid"], "status": np.where(no_end, 1, 2), "pe": np.sqrt(p**2 + mass**2),
             "px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pz, "m": mass}
        ),
    }  # fmt: skip
    order = np.argsort(tables["GenVertices"]["genvertex_id"])
    tables["GenVertices"] = Columns({k: v[order] for k, v in tables["GenVertices"].items()})
    events = tuple(EventRef(int(i), k, 0, k) for k, i in enumerate(event_ids))
    chunk = TableChunk(events, (DataSource(0, "made", "test"),), tables)
    pipeline = load_pipeline("lhcb_run2").with_conditions(conditions)
    result = Worker(pipeline, RunOptions(seed, keep_tmp=bool(keep))).process(chunk)
    return result.tables


def gun(n, pid=PION, p=10_000.0, eta=3.0, seed=0):
    """``n`` particles of alternating charge and random azimuth."""
    rng = np.random.default_rng(seed)
    return {"pid": pid * rng.choice([1, -1], n), "p": p, "eta": eta, "phi": rng.uniform(-np.pi, np.pi, n)}


def joined(tables, what="Tracks"):
    """Truth beside reconstruction, by particle."""
    truth, tracks = tables["MCParticles"], tables[what]
    index = np.searchsorted(truth["mcparticle_id"], tracks["mcparticle_id"])
    assert (truth["mcparticle_id"][index] == tracks["mcparticle_id"]).all()
    return {name: values[index] for name, values in truth.items()}, tracks
