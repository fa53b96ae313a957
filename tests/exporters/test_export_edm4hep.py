"""EDM4hep files: names, members, units and relations, read back with uproot."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
import uproot
from export_tools import tiny_output

import sqlamarr
from sqlamarr import export
from sqlamarr.errors import DataError, SqlamarrError
from sqlamarr.exporters.edm4hep.model import CLASSES

CLUSTERS = """
CREATE TABLE Clusters (cluster_id INTEGER PRIMARY KEY, event_id INTEGER, type INTEGER, x REAL, y REAL, z REAL,
    energy REAL, cov00 REAL, cov11 REAL, cov22 REAL, PhotonID REAL, vertex_id INTEGER, px REAL, py REAL, pz REAL);
INSERT INTO Clusters VALUES
    (2000000, 2000000, 4, 10, 20, 12500, 3000, 4, 9, 10000, 0.1, NULL, 0, 0, 3000),
    (2000001, 2000000, 1, 1000, 0, 12500, 5000, 4, 9, 40000, 0.9, 2000000, 3000, 0, 4000),
    (2000002, 2000000, 2, 0, 500, 12500, 20000, 4, 9, 90000, 0.5, NULL, 0, 3000, 4000),
    (2000003, 2000000, 3, 0, 500, 12500, 10000, 4, 9, 90000, 0.5, NULL, 0, 0, 10000);
CREATE TABLE ClusterParticles (cluster_id INTEGER, mcparticle_id INTEGER, part INTEGER, event_id INTEGER, fraction REAL,
    PRIMARY KEY (cluster_id, mcparticle_id, part));
INSERT INTO ClusterParticles VALUES (2000001, 2000003, 0, 2000000, 0.75), (2000001, 2000002, 0, 2000000, 0.25);
INSERT INTO MCParticles (mcparticle_id, event_id, genevent_id, pid, status, pe, px, py, pz, m, charge) VALUES
    (2000002, 2000000, 2000000, 111, 2, 1, 0, 0, 1, 0, 0), (2000003, 2000000, 2000000, 22, 1, 1, 0, 0, 1, 0, 0);
INSERT INTO Vertices (vertex_id, event_id, x, y, z, sigma_x, sigma_y, sigma_z) VALUES
    (2000000, 2000000, 0.5, 0.25, 30, 0.01, 0.02, 0.1);
"""


@pytest.fixture(scope="module")
def exported(everything, tmp_path_factory):
    """The arrays of all events, the file, and the database."""
    path = tmp_path_factory.mktemp("edm4hep") / "out.edm4hep.root"
    export(everything, path, rows=1000)
    with uproot.open(path) as file, sqlamarr.open(everything) as db:
        yield file["events"].arrays(), file, db


def joined(db, sql):
    return db.arrays(sql + " ORDER BY 1")


def test_every_collection_has_the_members_of_its_class(exported):
    events, file, _ = exported
    for name, data in {
        "EventHeader": "EventHeader", "MCParticles": "MCParticle", "Tracks": "Track", "PrimaryVertices": "Vertex",
        "ReconstructedParticles": "ReconstructedParticle", "ParticleIDs": "ParticleID",
    }.items():  # fmt: skip
        assert events[name].fields == list(CLASSES[f"edm4hep::{data}Data"])
    assert events["_Tracks_trackStates"].fields == list(CLASSES["edm4hep::TrackState"])
    assert events["_Tracks_tracks"].fields == ["index", "collectionID"]
    assert str(events.MCParticles.momentum.type) == "25 * var * {x: float64, y: float64, z: float64}"
    assert str(events["_Tracks_trackStates"].covMatrix["values"].type) == "25 * var * 21 * float32"
    names = {field.type_name for field in file["events"].field_records}
    assert {"edm4hep::MCParticleData", "std::vector<edm4hep::MCParticleData>", "std::vector<podio::ObjectID>"} <= names


def test_mc_particles_are_in_gev_and_ns(exported):
    events, _, db = exported
    mc = ak.flatten(events.MCParticles)
    table = db["MCParticles"]
    np.testing.assert_array_equal(mc.PDG, table["pid"])
    np.testing.assert_allclose(mc.mass, table["m"] / 1000, rtol=1e-15)
    np.testing.assert_allclose(mc.momentum.z, table["pz"] / 1000, rtol=1e-15)
    assert set(mc.simulatorStatus.tolist()) == {1 << 22}
    assert set(mc.helicity.tolist()) == {9}
    true = joined(
        db, "SELECT mcparticle_id, v.t, v.x, v.z, e.y FROM MCParticles AS m "
        "LEFT JOIN MCVertices AS v ON v.mcvertex_id = m.production_vertex "
        "LEFT JOIN MCVertices AS e ON e.mcvertex_id = m.end_vertex",
    )  # fmt: skip
    np.testing.assert_allclose(mc.time, true["t"] / 299.792458, rtol=1e-6)
    np.testing.assert_array_equal(ak.to_numpy(mc.vertex.x), true["x"])
    np.testing.assert_array_equal(ak.to_numpy(mc.endpoint.y), true["y"])
    assert np.isnan(ak.to_numpy(mc.endpoint.y)).any()
    np.testing.assert_array_equal(np.isnan(ak.to_numpy(mc.momentumAtEndpoint.x)), np.isnan(true["y"]))


def test_parents_and_daughters_are_the_two_sides_of_one_relation(exported):
    events, _, db = exported
    pairs = {"parents": set(), "daughters": set()}
    for number, event in enumerate(events.MCParticles.tolist()):
        for place, particle in enumerate(event):
            for name in pairs:
                for at in range(particle[f"{name}_begin"], particle[f"{name}_end"]):
                    other = int(events[f"_MCParticles_{name}"][number, at]["index"])
                    pairs[name].add((number, other, place) if name == "parents" else (number, place, other))
    assert pairs["parents"] == pairs["daughters"]
    assert len(pairs["parents"]) == len(db["MCParticles"].filter("mother IS NOT NULL"))


def test_tracks_and_their_states(exported):
    events, _, db = exported
    tracks = ak.flatten(events.Tracks)
    table = db["Tracks"]
    np.testing.assert_array_equal(tracks["type"], table["type"])
    np.testing.assert_allclose(tracks.chi2 / tracks.ndf, table["chi2PerDoF"], rtol=1e-6)
    each = tracks.trackStates_end - tracks.trackStates_begin
    assert each.tolist() == [n for (n,) in db.execute("SELECT count(*) FROM TrackStates GROUP BY track_id")]
    states = ak.flatten(events["_Tracks_trackStates"])
    own = db.arrays("SELECT * FROM TrackStates ORDER BY track_id, location")
    first = own["location"] == "ClosestToBeam"
    np.testing.assert_array_equal(states.location, np.where(first, 1, 3))
    at_beam = states[first]
    x, y, tx, ty = (own[name][first] for name in ("x", "y", "tx", "ty"))
    t = np.hypot(tx, ty)
    np.testing.assert_allclose(at_beam.D0, (y * tx - x * ty) / t, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(at_beam.tanLambda, 1 / t, rtol=1e-6)
    pt = 2.99792458e-4 / np.abs(ak.to_numpy(at_beam.omega))
    np.testing.assert_allclose(pt, table["pt"] / 1000, rtol=1e-5)
    np.testing.assert_array_equal(np.sign(at_beam.omega), table["charge"])
    assert set(at_beam.referencePoint.z.tolist()) == {0.0}
    behind = states[~first]
    np.testing.assert_allclose(behind.referencePoint.z, 9410)
    np.testing.assert_array_equal(behind.D0, 0)
    assert np.isnan(ak.to_numpy(behind.covMatrix["values"])[:, 0]).all()


def test_the_covariance_is_positive_and_without_time(exported):
    events, _, _ = exported
    states = ak.flatten(events["_Tracks_trackStates"])
    lower = ak.to_numpy(states[states.location == 1].covMatrix["values"]).astype(np.float64)
    np.testing.assert_array_equal(lower[:, 15:], 0)
    full = np.zeros((len(lower), 5, 5))
    rows, columns = np.tril_indices(5)
    full[:, rows, columns] = full[:, columns, rows] = lower[:, :15]
    sigma = np.sqrt(full[:, range(5), range(5)])
    correlation = full / sigma[:, :, None] / sigma[:, None, :]
    assert (np.linalg.eigvalsh(correlation) > -1e-5).all()


def test_particles_are_the_most_probable_species(exported):
    events, _, db = exported
    reco = ak.flatten(events.ReconstructedParticles)
    table = db.arrays(
        "SELECT t.*, ProbNNe, ProbNNmu, ProbNNpi, ProbNNk, ProbNNp FROM Tracks t JOIN PID USING (track_id)"
    )
    names = {"ProbNNe": -11, "ProbNNmu": -13, "ProbNNpi": 211, "ProbNNk": 321, "ProbNNp": 2212}
    for row, pdg in enumerate(reco.PDG.tolist()):
        probabilities = {name: table[name][row] for name in names}
        best = "ProbNNpi" if np.isnan(table["ProbNNpi"][row]) else max(probabilities, key=probabilities.get)
        assert pdg == names[best] * table["charge"][row]
    p2 = reco.momentum.x**2 + reco.momentum.y**2 + reco.momentum.z**2
    np.testing.assert_allclose(p2, (table["p"] / 1000) ** 2, rtol=1e-5)
    np.testing.assert_allclose(reco.energy, np.sqrt(p2 + reco.mass**2), rtol=1e-5)
    np.testing.assert_array_equal(reco.charge, table["charge"])
    assert set(reco.tracks_end - reco.tracks_begin) == {1}
    states = db.arrays("SELECT cov44, qop FROM TrackStates WHERE location = 'ClosestToBeam' ORDER BY track_id")
    variance = ak.to_numpy(reco.covMatrix["values"])[:, 9]
    p, e = table["p"] / 1000, ak.to_numpy(reco.energy)
    want = states["cov44"] / states["qop"] ** 2 * p**2 * (p / e) ** 2
    np.testing.assert_allclose(variance, want, rtol=1e-4)


def test_links_lead_to_the_truth(exported):
    events, _, db = exported
    true = db.arrays("SELECT m.pid FROM Tracks JOIN MCParticles AS m USING (mcparticle_id) ORDER BY track_id")["pid"]
    for name, source in {"TrackMCParticleLinks": "Tracks", "RecoMCParticleLinks": "ReconstructedParticles"}.items():
        target = events.MCParticles[events[f"_{name}_to"]["index"]]
        np.testing.assert_array_equal(ak.flatten(target.PDG), true)
        assert ak.flatten(events[name].weight).tolist() == [1.0] * len(true)
        assert ak.num(events[f"_{name}_from"]).tolist() == ak.num(events[source]).tolist()
        assert events[f"_{name}_from"]["index"].tolist() == ak.local_index(events[source], axis=1).tolist()


def test_identification_and_vertices(exported):
    events, _, db = exported
    pid = ak.flatten(events.ParticleIDs)
    table = db["PID"]
    likelihood = ak.to_numpy(pid.likelihood).reshape(-1, 5)
    np.testing.assert_allclose(likelihood[:, 3], table["ProbNNk"], rtol=1e-6)
    parameters = ak.to_numpy(ak.flatten(events["_ParticleIDs_parameters"])).reshape(-1, 5, 5)
    np.testing.assert_allclose(parameters[:, 3, 0], table["RichDLLK"], rtol=1e-6)
    np.testing.assert_allclose(parameters[:, 4, 1], table["PIDp"], rtol=1e-6)
    assert set(parameters[:, 2, 0]) == {0.0}
    vertices = ak.flatten(events.PrimaryVertices)
    np.testing.assert_allclose(vertices.position.z, db["Vertices"]["z"], rtol=1e-6)
    np.testing.assert_allclose(
        ak.to_numpy(vertices.covMatrix["values"])[:, 5], db["Vertices"]["sigma_z"] ** 2, rtol=1e-6
    )
    assert set(vertices["type"].tolist()) == {2}


def test_headers_metadata_and_own_states(exported):
    events, file, db = exported
    headers = ak.flatten(events.EventHeader)
    assert headers.eventNumber.tolist() == list(range(25))
    assert headers.weight.tolist() == [1.0] * 25
    assert ak.flatten(events["_EventHeader_weights"]).tolist() == db["GenWeights"]["value"].tolist()
    metadata = file["podio_metadata"].arrays()[0].tolist()
    assert metadata["edm4hep___Version"] == [1, 1, 0]
    assert metadata["availableCategories"] == ["events", "metadata"]
    names = [info["name"] for info in metadata["events___CollectionTypeInfo"]]
    assert names == sorted(names, key=str.lower)
    assert len({info["collectionID"] for info in metadata["events___CollectionTypeInfo"]}) == len(names)
    about = file["metadata"].arrays()[0].tolist()
    assert dict(zip(about["GPStringKeys"], about["GPStringValues"]))["EDM4hepVersion"] == ["1.1.0"]
    assert about["GPDoubleKeys"] == ["TrackState_omega_field_T"]
    np.testing.assert_array_equal(file["LHCbTrackStates"].arrays().tx, db["TrackStates"]["tx"])
    assert str(file["Provenance/seed"]) == "42"


def test_clusters_where_there_are_some(tmp_path):
    with tiny_output(tmp_path / "out.db", [[], [], []], extra=CLUSTERS) as db:
        export(db, tmp_path / "out.edm4hep.root", rows=1)
    with uproot.open(tmp_path / "out.edm4hep.root") as file:
        events = file["events"].arrays()
    assert "Tracks" not in events.fields
    assert ak.num(events.Clusters).tolist() == [0, 0, 4]
    clusters = events.Clusters[2]
    assert clusters.energy.tolist() == [3.0, 5.0, 20.0, 10.0]
    np.testing.assert_allclose(clusters.energyError, [0.1, 0.2, 0.3, 0.3])
    assert clusters.position.x.tolist() == [10, 1000, 0, 0]
    assert clusters.positionError["values"][0].tolist() == [4, 0, 9, 0, 0, 0]
    neutral = events.NeutralParticles[2]
    assert neutral.PDG.tolist() == [22, 111]
    np.testing.assert_allclose(neutral.energy, [5.0, np.hypot(5.0, 0.1349768)], rtol=1e-6)
    assert neutral.referencePoint.z.tolist() == [30.0, 0.0]
    assert events["_NeutralParticles_clusters"][2]["index"].tolist() == [1, 2]
    assert events["_ClusterMCParticleLinks_from"][2]["index"].tolist() == [1, 1]
    assert events["_ClusterMCParticleLinks_to"][2]["index"].tolist() == [0, 1]
    assert events.ClusterMCParticleLinks[2].weight.tolist() == [0.25, 0.75]
    assert events["_NeutralParticles_decayVertex"][2]["index"].tolist() == [-2, -2]


def test_events_without_anything_are_there(tmp_path):
    with tiny_output(tmp_path / "out.db", [[], [], []], rejected=(1,)) as db:
        summary = export(db, tmp_path / "out.edm4hep.root")
    with uproot.open(tmp_path / "out.edm4hep.root") as file:
        events = file["events"].arrays()
    assert ak.flatten(events.EventHeader.eventNumber).tolist() == [0, 2]
    assert ak.flatten(events.EventHeader.runNumber).tolist() == [17, 17]
    assert summary.entries["MCParticles"] == (0, 11)


def test_the_weights_of_several_collisions_become_one(tmp_path):
    extra = "".join(
        f"INSERT INTO GenEvents (genevent_id, event_id, weight) VALUES ({row}, {event}, {weight});"
        f"INSERT INTO GenWeights VALUES ({event}, {row}, 0, {weight}), ({event}, {row}, 1, 9.0);"
        for row, event, weight in [(0, 0, 2.0), (1, 0, 3.0), (1_000_000, 1_000_000, 5.0)]
    )
    with tiny_output(tmp_path / "out.db", [[], []], extra=extra) as db:
        export(db, tmp_path / "out.edm4hep.root")
    with uproot.open(tmp_path / "out.edm4hep.root") as file:
        events = file["events"].arrays()
    assert events["_EventHeader_weights"].tolist() == [[6.0], [5.0, 9.0]]
    assert events.EventHeader.weight.tolist() == [[6.0], [5.0]]


def test_numbers_that_do_not_fit_are_refused(tmp_path):
    extra = "UPDATE DataSources SET run_number = -1;"
    with tiny_output(tmp_path / "out.db", [[]], extra=extra) as db:
        with pytest.raises(
            DataError, match="EventHeaderData.runNumber: the value -1 does not fit into EDM4hep's type uint32"
        ):
            export(db, tmp_path / "out.edm4hep.root")
        with pytest.raises(
            SqlamarrError, match="EDM4hep has a fixed set of collections: --table cannot be used with it"
        ):
            export(db, tmp_path / "out.edm4hep.root", tables="Hits")
        assert not list(tmp_path.glob("*root*"))
