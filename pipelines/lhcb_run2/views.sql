{# Views of the output file, in plain SQL that every SQLite client supports. #}
{% import 'codes.sql' as codes %}
CREATE VIEW Particles AS -- reconstructed charged particles with identification, vertex and truth; MeV, mm
SELECT
    t.track_id,
    t.event_id,
    t.type,                 -- 3 long, 4 upstream, 5 downstream
    t.charge,               -- [e]
    t.p, t.pt,              -- momentum and transverse momentum [MeV]
    t.px, t.py, t.pz,       -- [MeV]
    t.has_brem,
    t.p + t.brem_energy AS p_brem, -- with the photons that an electron radiated, as far as found [MeV]
    t.eta, t.phi,           -- pseudorapidity; azimuth [rad]
    t.x, t.y, t.z,          -- closest approach to the beam line [mm]
    t.chi2PerDoF, t.nDoF, t.ghostProb,
    i.isMuon,
    i.RichDLLe, i.RichDLLmu, i.RichDLLK, i.RichDLLp,
    i.MuonMuLL, i.MuonBkgLL,
    i.PIDe, i.PIDmu, i.PIDK, i.PIDp,
    i.ProbNNe, i.ProbNNmu, i.ProbNNpi, i.ProbNNk, i.ProbNNp,
    s.nTracks,              -- occupancy of the event
    m.mcparticle_id,
    m.pid AS true_pid,      -- PDG code
    m.px AS true_px, m.py AS true_py, m.pz AS true_pz, -- [MeV]
    o.x AS true_x, o.y AS true_y, o.z AS true_z,       -- where it was made [mm]
    mm.pid AS true_mother_pid,                         -- NULL from the collision itself
    m.is_signal,
    v.vertex_id,            -- the reconstructed primary vertex of its collision
    v.x AS pv_x, v.y AS pv_y, v.z AS pv_z              -- [mm]
FROM Tracks AS t
JOIN PID AS i USING (track_id)
JOIN RecSummary AS s ON s.event_id = t.event_id
JOIN MCParticles AS m ON m.mcparticle_id = t.mcparticle_id
LEFT JOIN MCVertices AS o ON o.mcvertex_id = m.production_vertex
LEFT JOIN MCParticles AS mm ON mm.mcparticle_id = m.mother
LEFT JOIN Vertices AS v ON v.vertex_id = (
    SELECT min(w.vertex_id) FROM Vertices AS w
    WHERE w.genevent_id = m.genevent_id
        AND w.vertex_id BETWEEN t.event_id AND t.event_id + {{ codes.last_row }} -- the ids of an event, which are found without an index
);

CREATE VIEW Photons AS -- reconstructed photons with the particle that they mostly come from; MeV, mm
SELECT
    c.cluster_id,
    c.event_id,
    c.type,                 -- 1 photon, 3 one of the two photons of a merged pi0
    c.merged_id,            -- of type 3: the cluster of the merged pi0
    c.energy,
    c.px, c.py, c.pz, c.pt, -- from the best primary vertex
    c.eta, c.phi,           -- pseudorapidity; azimuth [rad]
    c.x, c.y,               -- on the calorimeter's face
    c.region,               -- 0 outer, 1 middle, 2 inner
    c.PhotonID, c.IsNotE, c.IsNotH,
    c.vertex_id,            -- the best primary vertex
    p.mcparticle_id,
    p.fraction,             -- of the energy that comes from it
    m.pid AS true_pid,      -- PDG code
    m.pe AS true_energy,
    m.px AS true_px, m.py AS true_py, m.pz AS true_pz,
    mm.pid AS true_mother_pid, -- NULL from the collision itself
    m.is_signal
FROM Clusters AS c
LEFT JOIN ClusterParticles AS p ON p.rowid = (
    SELECT q.rowid FROM ClusterParticles AS q WHERE q.cluster_id = c.cluster_id ORDER BY q.fraction DESC LIMIT 1
)
LEFT JOIN MCParticles AS m ON m.mcparticle_id = p.mcparticle_id
LEFT JOIN MCParticles AS mm ON mm.mcparticle_id = m.mother
WHERE c.type IN ({{ codes.photon_cluster }}, {{ codes.split_cluster }});
