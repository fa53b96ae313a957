"""EDM4hep: collections with its names, members and units, as RNTuples in the layout read by podio."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import awkward as ak
import uproot

from sqlamarr.database.connection import Database
from sqlamarr.errors import SqlamarrError
from sqlamarr.exporters.edm4hep import podio
from sqlamarr.exporters.edm4hep import reconstruction as reco
from sqlamarr.exporters.edm4hep.collection import Collection, forms
from sqlamarr.exporters.edm4hep.events import EventReader, Events
from sqlamarr.exporters.edm4hep.helix import FIELD
from sqlamarr.exporters.edm4hep.model import (
    CLUSTER,
    EVENT_HEADER,
    MC_PARTICLE,
    PARTICLE_ID,
    RECONSTRUCTED_PARTICLE,
    TRACK,
    VERSION,
    VERTEX,
    Datatype,
    link,
)
from sqlamarr.exporters.edm4hep.truth import event_header, mc_particles
from sqlamarr.exporters.flat import FlatTable
from sqlamarr.exporters.options import ExportOptions, ExportSummary
from sqlamarr.exporters.provenance import entries
from sqlamarr.exporters.trees import NTupleWriter
from sqlamarr.exporters.uproot_writing import class_names, compression
from sqlamarr.output.tables import awkward_arrays as to

OWN_STATES = "LHCbTrackStates"  # in addition to podio's ntuples: the unchanged table TrackStates

Maker = Callable[[Events], Collection]

# name: (class, tables that it needs, what makes it)
COLLECTIONS: dict[str, tuple[Datatype, tuple[str, ...], Maker]] = {
    "EventHeader": (EVENT_HEADER, (), event_header),
    "MCParticles": (MC_PARTICLE, ("MCParticles",), mc_particles),
    "PrimaryVertices": (VERTEX, ("Vertices",), reco.vertices),
    "Tracks": (TRACK, ("Tracks",), reco.tracks),
    "ReconstructedParticles": (RECONSTRUCTED_PARTICLE, ("Tracks",), reco.particles),
    "ParticleIDs": (PARTICLE_ID, ("Tracks", "PID"), reco.particle_ids),
    "Clusters": (CLUSTER, ("Clusters",), reco.clusters),
    "NeutralParticles": (RECONSTRUCTED_PARTICLE, ("Clusters",), reco.neutral_particles),
    "TrackMCParticleLinks": (
        link("Track", "MCParticle"), ("Tracks", "MCParticles"), partial(reco.track_links, source="Tracks"),
    ),
    "RecoMCParticleLinks": (
        link("ReconstructedParticle", "MCParticle"), ("Tracks", "MCParticles"),
        partial(reco.track_links, source="ReconstructedParticles"),
    ),
    "ClusterMCParticleLinks": (
        link("Cluster", "MCParticle"), ("Clusters", "ClusterParticles", "MCParticles"), reco.cluster_links,
    ),
}  # fmt: skip


def write(db: Database, path: Path, _: tuple[str, ...], options: ExportOptions, summary: ExportSummary) -> None:
    """Write all events.

    :raises SqlamarrError: tables were chosen, which this format does not support
    :raises DataError: a number does not fit into EDM4hep's type for it
    """
    if options.tables:
        raise SqlamarrError("EDM4hep has a fixed set of collections: --table cannot be used with it.")
    reader = EventReader(db, options.rows)
    made = {name: entry for name, entry in COLLECTIONS.items() if set(entry[1]) <= set(reader.tables)}
    kinds = {name: kind for name, (kind, _, _) in made.items()}
    ids = podio.collection_ids(kinds)
    with uproot.recreate(path, compression=compression(options["compression"])) as file:
        _write_events(file, reader, made, ids, options, summary)
        _write_ntuple(file, "metadata", podio.parameter_forms(), podio.parameters(_parameters(db)), 1)
        _write_ntuple(file, "podio_metadata", podio.metadata_forms(kinds), podio.metadata(kinds, ids), 1)
        if "TrackStates" in db:
            _write_own_states(file, db, reader, options, summary)
        for key, value in entries(db, f"uproot {uproot.__version__}").items():
            file[f"Provenance/{key}"] = value


def _write_events(
    file: Any,
    reader: EventReader,
    made: dict[str, tuple[Datatype, tuple[str, ...], Maker]],
    ids: dict[str, int],
    options: ExportOptions,
    summary: ExportSummary,
) -> None:
    types = {name: form for name, (kind, _, _) in made.items() for name, form in forms(name, kind).items()}
    ntuple = _make_ntuple(file, "events", types | podio.parameter_forms())
    totals = dict.fromkeys(made, 0)
    for events in reader.pieces():
        fields: dict[str, Any] = {}
        for name, (_, _, make) in made.items():
            collection = make(events)
            fields |= collection.fields(name, ids)
            totals[name] += collection.size
        fields |= podio.parameters({}, len(events))
        if len(events):
            ntuple.extend(ak.Array(to.record(fields, len(events))))
        options.advance(sum(len(table["event_id"]) for table in events.tables.values()))
    for name, n in totals.items():
        summary.entries[name] = (n, len(made[name][0].members))


def _write_own_states(
    file: Any, db: Database, reader: EventReader, options: ExportOptions, summary: ExportSummary
) -> None:
    source = FlatTable(db, "TrackStates", reader.numbers, options.rows, None)
    writer = NTupleWriter(file, OWN_STATES, source.shape, 0)
    n = 0
    for piece in source.pieces():
        if piece.entries:
            writer.extend(piece)
        n += piece.entries
    summary.entries[OWN_STATES] = (n, len(source.shape.scalars))


def _make_ntuple(file: Any, name: str, types: dict[str, Any]) -> Any:
    with class_names():
        return file.mkrntuple(name, ak.forms.RecordForm(list(types.values()), list(types)))


def _write_ntuple(file: Any, name: str, types: dict[str, Any], fields: dict[str, Any], entries: int) -> None:
    _make_ntuple(file, name, types).extend(ak.Array(to.record(fields, entries)))


def _parameters(db: Database) -> dict[str, str | float]:
    """The content of podio's category ``metadata``."""
    version = ".".join(map(str, VERSION))
    return {
        "EDM4hepVersion": version,
        "EventWeightNames": entries(db, "").get("weight_names", "[]"),
        "TrackState_omega_field_T": FIELD,
        "ParticleIDs_ParameterNames": ",".join(reco.PARAMETERS),
        "ParticleIDs_AlgoName": "ProbNN",
    }
