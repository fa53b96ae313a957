"""Reconstructed objects: tracks with their states, particles, identification, vertices, clusters."""

from __future__ import annotations

import numpy as np

from sqlamarr.exporters.edm4hep import helix
from sqlamarr.exporters.edm4hep.collection import Collection, Relation
from sqlamarr.exporters.edm4hep.events import Events
from sqlamarr.exporters.edm4hep.model import (
    AT_IP,
    AT_LAST_HIT,
    CLUSTER,
    PARTICLE_ID,
    PRIMARY_VERTEX,
    RECONSTRUCTED_PARTICLE,
    TRACK,
    VERTEX,
    link,
)
from sqlamarr.exporters.edm4hep.truth import GEV, vector
from sqlamarr.native.columns import Array
from sqlamarr.particles import codes, constants

# Species by the suffixes of the columns of PID: PDG code of the positive particle, mass [GeV].
SPECIES = {
    "e": (-codes.ELECTRON, constants.ELECTRON_MASS * GEV),
    "mu": (-codes.MUON, constants.MUON_MASS * GEV),
    "pi": (codes.PION, constants.PION_MASS * GEV),
    "k": (codes.KAON, constants.KAON_MASS * GEV),
    "p": (codes.PROTON, constants.PROTON_MASS * GEV),
}
LIKELIHOODS = {"e": "e", "mu": "mu", "pi": "", "k": "K", "p": "p"}  # suffixes of RichDLL and PID; the pion's is 0
PARAMETERS = ("RichDLL", "PID", "isMuon", "MuonMuLL", "MuonBkgLL")  # of ParticleID, in this order
# How types of clusters are written: PDG code, mass [GeV].
_AS_PARTICLES = {
    codes.PHOTON_CLUSTER: (codes.PHOTON, 0.0),
    codes.MERGED_CLUSTER: (codes.PI0, constants.PI0_MASS * GEV),
}


def tracks(events: Events) -> Collection:
    """Tracks; ``type`` is LHCb's: 3 long, 4 upstream, 5 downstream. chi2/ndf is the reported value."""
    table = events.tables["Tracks"]
    ndf = np.rint(table["nDoF"])
    values = {
        "type": table["type"],
        "chi2": table["chi2PerDoF"] * ndf,
        "ndf": ndf,
        "Nholes": np.zeros(len(ndf), dtype=np.int64),
    }
    vectors = {}
    if "TrackStates" in events.tables:
        order, each = _by_track(events)
        vectors["trackStates"] = (each, _states(events, order))
    return Collection(TRACK, events.counts("Tracks"), values, vectors)


def _by_track(events: Events) -> tuple[Array, Array]:
    """The rows of TrackStates in the order of the tracks, and their number for every track."""
    place = events.places("TrackStates", "track_id", "Tracks", "track_id")
    start = np.repeat(np.cumsum(events.counts("Tracks")) - events.counts("Tracks"), events.counts("TrackStates"))
    track = (place + start)[place >= 0]
    order = np.flatnonzero(place >= 0)[np.argsort(track, kind="stable")]
    return order, np.bincount(track, minlength=len(events.tables["Tracks"]["event_id"]))


def _states(events: Events, order: Array) -> dict[str, object]:
    """EDM4hep's states: at the beam line relative to the origin, after the magnet relative to the state itself."""
    table = {name: values[order] for name, values in events.tables["TrackStates"].items()}
    at_ip = table["location"] == "ClosestToBeam"
    here = states(table)
    x, y, z = (np.where(at_ip, 0.0, axis) for axis in (here.x, here.y, here.z))
    about = here.relative(x, y, z)
    covariance = np.zeros((len(order), 6, 6))  # the row of the time stays 0
    covariance[:, :5, :5] = helix.propagate(_covariance(table), helix.jacobian(about))
    return {
        "location": np.where(at_ip, AT_IP, AT_LAST_HIT),
        **helix.parameters(about),
        "time": np.zeros(len(order)),
        "referencePoint": vector(x, y, z),
        "covMatrix": {"values": helix.lower_triangle(covariance)},
    }


def states(table: dict[str, Array]) -> helix.States:
    """Rows of TrackStates, q/p in 1/GeV."""
    return helix.States(table["x"], table["y"], table["z"], table["tx"], table["ty"], table["qop"] / GEV)


def _covariance(table: dict[str, Array]) -> Array:
    """Covariance of (x, y, tx, ty, q/p [1/GeV]), NaN where it is unknown."""
    scale = np.array([1.0, 1.0, 1.0, 1.0, 1 / GEV])
    covariance = np.empty((len(table["x"]), 5, 5))
    for i in range(5):
        for j in range(i, 5):
            covariance[:, i, j] = covariance[:, j, i] = table[f"cov{i}{j}"] * scale[i] * scale[j]
    return covariance


def particles(events: Events) -> Collection:
    """A particle for every track, of the most probable species; pions without identification."""
    table = events.tables["Tracks"]
    n = len(table["event_id"])
    best, probability = _species(events)
    codes, masses = (np.array([SPECIES[name][i] for name in SPECIES]) for i in (0, 1))
    mass = masses[best]
    charge = np.ma.filled(table["charge"], 0).astype(np.float64)
    p = table["p"] * GEV
    index = events.places("Tracks", "track_id", "Tracks", "track_id")
    values = {
        "PDG": codes[best] * np.where(charge < 0, -1, 1),
        "energy": np.sqrt(p * p + mass * mass),
        "momentum": vector(table["px"], table["py"], table["pz"], GEV),
        "referencePoint": vector(table["x"], table["y"], table["z"]),
        "charge": charge,
        "mass": mass,
        "goodnessOfPID": probability,
        "covMatrix": {"values": _momentum_covariance(events, mass)},
    }
    relations = {"tracks": Relation("Tracks", index, np.ones(n, dtype=np.int64))}
    return Collection(RECONSTRUCTED_PARTICLE, events.counts("Tracks"), values, relations=relations)


def _species(events: Events) -> tuple[Array, Array]:
    """Number of the most probable species of every track, and its probability (NaN: not identified)."""
    names = list(SPECIES)
    n = len(events.tables["Tracks"]["event_id"])
    if "PID" not in events.tables:
        return np.full(n, names.index("pi")), np.full(n, np.nan)
    found = np.stack([_of_track(events, f"ProbNN{name}") for name in names])
    known = ~np.isnan(found).all(axis=0)
    best = np.where(known, np.argmax(np.nan_to_num(found, nan=-1.0), axis=0), names.index("pi"))
    return best, np.where(known, found[best, np.arange(n)], np.nan)


def _of_track(events: Events, column: str) -> Array:
    return events.looked_up("Tracks", "track_id", "PID", "track_id", column)


def _momentum_covariance(events: Events, mass: Array) -> Array:
    """Covariance of (px, py, pz, E) [GeV^2] of every track, from its state at the beam line; NaN without one."""
    found = np.full((len(mass), 10), np.nan)
    if "TrackStates" in events.tables:
        table = events.tables["TrackStates"]
        here = np.flatnonzero(table["location"] == "ClosestToBeam")
        chosen = {name: values[here] for name, values in table.items()}
        ids = np.ma.getdata(events.tables["Tracks"]["track_id"])
        order = np.argsort(ids, kind="stable")
        track = order[np.searchsorted(ids, np.ma.getdata(chosen["track_id"]), sorter=order)]
        derivatives = helix.momentum_jacobian(states(chosen), mass[track])
        found[track] = helix.lower_triangle(helix.propagate(_covariance(chosen), derivatives))
    return found


def particle_ids(events: Events) -> Collection:
    """Five hypotheses for every particle; ``likelihood`` is ProbNN, parameters are those of :data:`PARAMETERS`."""
    rows = events.counts("Tracks")
    charge = np.ma.filled(events.tables["Tracks"]["charge"], 0)
    n, k = len(charge), len(SPECIES)
    codes = np.array([code for code, _ in SPECIES.values()])
    values = {
        "type": np.zeros(n * k, dtype=np.int64),
        "PDG": (np.where(charge < 0, -1, 1)[:, None] * codes).reshape(-1),
        "algorithmType": np.ones(n * k, dtype=np.int64),
        "likelihood": np.stack([_of_track(events, f"ProbNN{name}") for name in SPECIES], axis=-1).reshape(-1),
    }
    muon = [np.repeat(_of_track(events, name), k) for name in ("isMuon", "MuonMuLL", "MuonBkgLL")]
    parameters = np.stack([_difference(events, "RichDLL"), _difference(events, "PID"), *muon], axis=-1)
    particle = np.repeat(events.places("Tracks", "track_id", "Tracks", "track_id"), k)
    return Collection(
        PARTICLE_ID,
        rows * k,
        values,
        {"parameters": (np.full(n * k, len(PARAMETERS)), parameters.reshape(-1))},
        {"particle": Relation("ReconstructedParticles", particle)},
    )


def _difference(events: Events, kind: str) -> Array:
    """Difference of log-likelihoods to the pion's for every hypothesis of every track."""
    electron = _of_track(events, f"{kind}e")
    pion = np.where(np.isnan(electron), np.nan, 0.0)
    found = [_of_track(events, f"{kind}{name}") if name else pion for name in LIKELIHOODS.values()]
    return np.stack(found, axis=-1).reshape(-1)


def vertices(events: Events) -> Collection:
    """Primary vertices; there is no fit, so chi2 is NaN and ndf 0."""
    table = events.tables["Vertices"]
    n = len(table["event_id"])
    covariance = np.zeros((n, 3, 3))
    for i, axis in enumerate("xyz"):
        covariance[:, i, i] = table[f"sigma_{axis}"] ** 2
    values = {
        "type": np.full(n, PRIMARY_VERTEX),
        "chi2": np.full(n, np.nan),
        "ndf": np.zeros(n, dtype=np.int64),
        "position": vector(table["x"], table["y"], table["z"]),
        "covMatrix": {"values": helix.lower_triangle(covariance)},
        "algorithmType": np.zeros(n, dtype=np.int64),
    }
    return Collection(VERTEX, events.counts("Vertices"), values)


def clusters(events: Events) -> Collection:
    """Clusters of the electromagnetic calorimeter; ``type`` is that of the table Clusters."""
    table = events.tables["Clusters"]
    n = len(table["event_id"])
    covariance = np.zeros((n, 3, 3))
    covariance[:, 0, 0], covariance[:, 1, 1] = table["cov00"], table["cov11"]
    values = {
        "type": table["type"],
        "energy": table["energy"] * GEV,
        "energyError": np.sqrt(table["cov22"]) * GEV,
        "position": vector(table["x"], table["y"], table["z"]),
        "positionError": {"values": helix.lower_triangle(covariance)},
        "iTheta": np.arctan2(np.hypot(table["px"], table["py"]), table["pz"]),
        "iPhi": np.arctan2(table["py"], table["px"]),
        "directionError": vector(np.zeros(n), np.zeros(n), np.zeros(n)),
    }
    return Collection(CLUSTER, events.counts("Clusters"), values)


def neutral_particles(events: Events) -> Collection:
    """Photons and merged pi0 from the clusters that are neither charged nor a part of a merged pi0."""
    table = events.tables["Clusters"]
    kind = np.ma.getdata(table["type"])
    chosen = np.isin(kind, list(_AS_PARTICLES))
    mass = np.array([_AS_PARTICLES[int(code)][1] for code in kind[chosen]])
    px, py, pz = (table[name][chosen] * GEV for name in ("px", "py", "pz"))
    place = events.places("Clusters", "cluster_id", "Clusters", "cluster_id")[chosen]
    in_event = np.repeat(np.arange(len(events)), events.counts("Clusters"))[chosen]
    n = len(mass)
    values = {
        "PDG": np.array([_AS_PARTICLES[int(code)][0] for code in kind[chosen]], dtype=np.int64),
        "energy": np.sqrt(px * px + py * py + pz * pz + mass * mass),
        "momentum": vector(px, py, pz),
        "referencePoint": _origin(events, chosen),
        "charge": np.zeros(n),
        "mass": mass,
        "goodnessOfPID": table["PhotonID"][chosen],
        "covMatrix": {"values": np.full((n, 10), np.nan)},
    }
    relations = {"clusters": Relation("Clusters", place, np.ones(n, dtype=np.int64))}
    rows = np.bincount(in_event, minlength=len(events))
    return Collection(RECONSTRUCTED_PARTICLE, rows, values, relations=relations)


def _origin(events: Events, chosen: Array) -> dict[str, Array]:
    """Where the momentum of a cluster starts: its primary vertex, or the origin."""
    if "Vertices" not in events.tables:
        return dict.fromkeys("xyz", np.zeros(int(chosen.sum())))
    found = {axis: events.looked_up("Clusters", "vertex_id", "Vertices", "vertex_id", axis)[chosen] for axis in "xyz"}
    return {axis: np.nan_to_num(values) for axis, values in found.items()}


def track_links(events: Events, source: str) -> Collection:
    """Links of weight 1 from tracks, or the particles made of them, to their MC particles."""
    kind = {"Tracks": "Track", "ReconstructedParticles": "ReconstructedParticle"}[source]
    to = events.places("Tracks", "mcparticle_id", "MCParticles", "mcparticle_id")
    relations = {
        "from": Relation(source, events.places("Tracks", "track_id", "Tracks", "track_id")),
        "to": Relation("MCParticles", to),
    }
    return Collection(
        link(kind, "MCParticle"), events.counts("Tracks"), {"weight": np.ones(len(to))}, relations=relations
    )


def cluster_links(events: Events) -> Collection:
    """Links from clusters to MC particles, weighted by the particle's part of the cluster's energy."""
    relations = {
        "from": Relation("Clusters", events.places("ClusterParticles", "cluster_id", "Clusters", "cluster_id")),
        "to": Relation(
            "MCParticles", events.places("ClusterParticles", "mcparticle_id", "MCParticles", "mcparticle_id")
        ),
    }
    weight = {"weight": events.tables["ClusterParticles"]["fraction"]}
    return Collection(link("Cluster", "MCParticle"), events.counts("ClusterParticles"), weight, relations=relations)
