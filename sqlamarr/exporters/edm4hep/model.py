"""The part of the EDM4hep data model that is written: classes, members, types; units GeV, mm, ns, e, rad.

Names, order and types follow ``edm4hep.yaml`` of EDM4hep v01-01 (schema version 6), github.com/key4hep/EDM4hep;
how podio lays them out follows github.com/AIDASoft/podio (a class ``X`` is stored as ``XData``, with the
ranges ``..._begin`` and ``..._end`` of its vector members and of its relations to many).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

VERSION = (1, 1, 0)
SCHEMA_VERSION = 6
PODIO_VERSION = (1, 3, 0)  # with the metadata as this and later versions lay them out

FAST_SIMULATION = 1 << 22  # MCParticle.simulatorStatus, BITHandledByFastSim
AT_IP, AT_LAST_HIT = 1, 3  # TrackState.location
PRIMARY_VERTEX = 1 << 1  # Vertex.type, BITPrimaryVertex
UNSET_HELICITY = 9

Members = Mapping[str, str]  # type by name: a dtype, dtype[n], or a class


def _covariance(n: int) -> Members:
    return {"values": f"float32[{n * (n + 1) // 2}]"}


CLASSES: dict[str, Members] = {
    "edm4hep::Vector3f": dict.fromkeys("xyz", "float32"),
    "edm4hep::Vector3d": dict.fromkeys("xyz", "float64"),
    "edm4hep::CovMatrix3f": _covariance(3),
    "edm4hep::CovMatrix4f": _covariance(4),
    "edm4hep::CovMatrix6f": _covariance(6),
    "edm4hep::TrackState": {
        "location": "int32", "D0": "float32", "phi": "float32", "omega": "float32", "Z0": "float32",
        "tanLambda": "float32", "time": "float32", "referencePoint": "edm4hep::Vector3f",
        "covMatrix": "edm4hep::CovMatrix6f",
    },
    "podio::ObjectID": {"index": "int32", "collectionID": "uint32"},
    "podio::root_utils::CollectionWriteInfo": {
        "collectionID": "uint32", "dataType": "string", "isSubset": "bool", "schemaVersion": "uint32",
        "name": "string", "storageType": "string",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Datatype:
    """A class of the model whose objects make collections.

    :ivar collection: the C++ type of its collections
    :ivar data: the C++ type in which an object is stored
    :ivar vectors: type by name of members with several values per object
    :ivar many: names of relations to any number of objects
    :ivar one: names of relations to one object or none
    """

    collection: str
    data: str
    members: Members
    vectors: Members
    many: tuple[str, ...] = ()
    one: tuple[str, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def stored(self) -> Members:
        """The members as they are stored, ranges included."""
        ranges = [f"{name}_{end}" for name in (*self.vectors, *self.many) for end in ("begin", "end")]
        return {**self.members, **dict.fromkeys(ranges, "uint32")}


def _type(
    name: str,
    members: Members,
    vectors: Members | None = None,
    *,
    many: tuple[str, ...] = (),
    one: tuple[str, ...] = (),
) -> Datatype:
    return Datatype(f"edm4hep::{name}Collection", f"edm4hep::{name}Data", members, vectors or {}, many, one)


def link(source: str, target: str) -> Datatype:
    """The type of a collection of links from objects of one class to those of another."""
    collection = f"podio::LinkCollection<edm4hep::{source},edm4hep::{target}>"
    return Datatype(collection, "podio::LinkData", {"weight": "float32"}, {}, one=("from", "to"), schema_version=1)


EVENT_HEADER = _type(
    "EventHeader",
    {"eventNumber": "uint64", "runNumber": "uint32", "timeStamp": "uint64", "weight": "float64"},
    {"weights": "float64"},
)
MC_PARTICLE = _type(
    "MCParticle",
    {
        "PDG": "int32", "generatorStatus": "int32", "simulatorStatus": "int32", "charge": "float32",
        "time": "float32", "mass": "float64", "vertex": "edm4hep::Vector3d", "endpoint": "edm4hep::Vector3d",
        "momentum": "edm4hep::Vector3d", "momentumAtEndpoint": "edm4hep::Vector3d", "helicity": "int32",
    },
    many=("parents", "daughters"),
)  # fmt: skip
TRACK = _type(
    "Track",
    {"type": "int32", "chi2": "float32", "ndf": "int32", "Nholes": "int32"},
    {"subdetectorHitNumbers": "int32", "subdetectorHoleNumbers": "int32", "trackStates": "edm4hep::TrackState"},
    many=("trackerHits", "tracks"),
)
RECONSTRUCTED_PARTICLE = _type(
    "ReconstructedParticle",
    {
        "PDG": "int32", "energy": "float32", "momentum": "edm4hep::Vector3f", "referencePoint": "edm4hep::Vector3f",
        "charge": "float32", "mass": "float32", "goodnessOfPID": "float32", "covMatrix": "edm4hep::CovMatrix4f",
    },
    many=("clusters", "tracks", "particles"),
    one=("decayVertex",),
)  # fmt: skip
PARTICLE_ID = _type(
    "ParticleID",
    {"type": "int32", "PDG": "int32", "algorithmType": "int32", "likelihood": "float32"},
    {"parameters": "float32"},
    one=("particle",),
)
VERTEX = _type(
    "Vertex",
    {
        "type": "uint32", "chi2": "float32", "ndf": "int32", "position": "edm4hep::Vector3f",
        "covMatrix": "edm4hep::CovMatrix3f", "algorithmType": "int32",
    },
    {"parameters": "float32"},
    many=("particles",),
)  # fmt: skip
CLUSTER = _type(
    "Cluster",
    {
        "type": "int32", "energy": "float32", "energyError": "float32", "position": "edm4hep::Vector3f",
        "positionError": "edm4hep::CovMatrix3f", "iTheta": "float32", "iPhi": "float32",
        "directionError": "edm4hep::Vector3f",
    },
    {"shapeParameters": "float32", "subdetectorEnergies": "float32"},
    many=("clusters", "hits"),
)  # fmt: skip

CLASSES |= {
    kind.data: kind.stored()
    for kind in (EVENT_HEADER, MC_PARTICLE, TRACK, RECONSTRUCTED_PARTICLE, PARTICLE_ID, VERTEX, CLUSTER)
} | {"podio::LinkData": {"weight": "float32"}}
