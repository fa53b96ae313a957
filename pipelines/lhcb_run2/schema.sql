-- Result tables of the pipeline. Lengths in mm, momenta in MeV; slopes have no unit.

CREATE TABLE Tracks ( -- reconstructed tracks at their closest approach to the beam line
    track_id INTEGER PRIMARY KEY,  -- the same number as mcparticle_id: a particle makes one track
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    mcparticle_id INTEGER NOT NULL REFERENCES MCParticles(mcparticle_id),
    type INTEGER NOT NULL,  -- 3 long, 4 upstream, 5 downstream
    charge INTEGER NOT NULL, -- [e]
    x REAL,          -- [mm]
    y REAL,          -- [mm]
    z REAL,          -- [mm]
    tx REAL,         -- dx/dz
    ty REAL,         -- dy/dz
    p REAL,          -- momentum [MeV]
    pt REAL,         -- transverse momentum [MeV]
    px REAL,         -- [MeV]
    py REAL,         -- [MeV]
    pz REAL,         -- [MeV]
    eta REAL,        -- pseudorapidity
    phi REAL,        -- azimuth [rad]
    qop REAL,        -- charge over momentum [1/MeV]
    chi2 REAL,       -- of the track fit
    nDoF REAL,       -- degrees of freedom of the fit; continuous
    chi2PerDoF REAL,
    ghostProb REAL,  -- probability that the track is a random combination of hits
    has_brem INTEGER, -- 1: photons radiated by this electron were found in the calorimeter
    brem_energy REAL -- their energy [MeV], to be added to p for the electron's momentum; 0 if none
);

CREATE TABLE BremPhotons ( -- photons radiated by electrons before the magnet
    mcparticle_id INTEGER NOT NULL REFERENCES MCParticles(mcparticle_id), -- the electron
    number INTEGER NOT NULL,   -- of the photon, from 0
    track_id INTEGER NOT NULL REFERENCES Tracks(track_id),
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    x REAL,          -- where it was radiated [mm]
    y REAL,          -- [mm]
    z REAL,          -- [mm]
    px REAL,         -- [MeV]
    py REAL,         -- [MeV]
    pz REAL,         -- [MeV]
    energy REAL,     -- [MeV]
    PRIMARY KEY (mcparticle_id, number)
);

CREATE TABLE TrackStates ( -- position and direction of tracks at given places; not every track comes behind the magnet
    trackstate_id INTEGER PRIMARY KEY, -- 2 * track_id - event_id, and one more at EndT (up to 500,000 particles an event)
    track_id INTEGER NOT NULL REFERENCES Tracks(track_id),
    location TEXT NOT NULL,  -- 'ClosestToBeam', or 'EndT': behind the magnet, at the end of the T stations
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    mcparticle_id INTEGER NOT NULL REFERENCES MCParticles(mcparticle_id),
    x REAL,          -- [mm]
    y REAL,          -- [mm]
    z REAL,          -- [mm]
    tx REAL,         -- dx/dz
    ty REAL,         -- dy/dz
    qop REAL,        -- charge over momentum [1/MeV]
    cov00 REAL,      -- covariance of (x, y, tx, ty, q/p): cov00 [mm^2]; all NULL at EndT
    cov01 REAL,      -- [mm^2]
    cov02 REAL,      -- [mm]
    cov03 REAL,      -- [mm]
    cov04 REAL,      -- [mm/MeV]
    cov11 REAL,      -- [mm^2]
    cov12 REAL,      -- [mm]
    cov13 REAL,      -- [mm]
    cov14 REAL,      -- [mm/MeV]
    cov22 REAL,
    cov23 REAL,
    cov24 REAL,      -- [1/MeV]
    cov33 REAL,
    cov34 REAL,      -- [1/MeV]
    cov44 REAL       -- [1/MeV^2]
);

CREATE TABLE RecSummary ( -- what was reconstructed in an event
    event_id INTEGER PRIMARY KEY REFERENCES Events(event_id),
    nPVs INTEGER,              -- reconstructed primary vertices
    nLongTracks INTEGER,
    nUpstreamTracks INTEGER,
    nDownstreamTracks INTEGER,
    nTracks INTEGER            -- occupancy that the models see: drawn, and not less than the tracks above
);

CREATE TABLE PID ( -- identification of tracks; DLLs are differences of log-likelihoods to the pion's
    track_id INTEGER PRIMARY KEY REFERENCES Tracks(track_id),
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    mcparticle_id INTEGER NOT NULL REFERENCES MCParticles(mcparticle_id),
    isMuon INTEGER,   -- 1: hits in the muon stations that the momentum asks for; NULL for upstream tracks
    RichDLLe REAL,    -- ln L(e) - ln L(pi) of the RICH detectors; upstream tracks: RICH1 alone
    RichDLLmu REAL,
    RichDLLK REAL,
    RichDLLp REAL,
    MuonMuLL REAL,    -- ln L(muon) of the hits around the track; NULL where isMuon is not 1
    MuonBkgLL REAL,   -- ln L(not muon); NULL where isMuon is not 1
    PIDe REAL,        -- combined ln L(e) - ln L(pi); this and all up to ProbNNp NULL for upstream tracks
    PIDmu REAL,
    PIDK REAL,
    PIDp REAL,
    ProbNNe REAL,     -- 0 to 1
    ProbNNmu REAL,
    ProbNNpi REAL,
    ProbNNk REAL,
    ProbNNp REAL,
    ProbNNghost REAL  -- that of the track fit
);

CREATE TABLE Clusters ( -- what the electromagnetic calorimeter finds, as seen from the best primary vertex
    cluster_id INTEGER PRIMARY KEY,
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    type INTEGER NOT NULL, -- 1 photon, 2 merged pi0, 3 one of the two photons of a merged pi0, 4 charged (a track points to it)
    merged_id INTEGER REFERENCES Clusters(cluster_id), -- of type 3: the merged pi0; NULL where photons are reconstructed singly
    region INTEGER NOT NULL, -- 0 outer, 1 middle, 2 inner
    x REAL,          -- on the calorimeter's face [mm]
    y REAL,          -- [mm]
    z REAL,          -- of the face [mm]
    energy REAL,     -- [MeV]
    cov00 REAL,      -- variance of x [mm^2]; x, y and energy are not correlated
    cov11 REAL,      -- of y [mm^2]
    cov22 REAL,      -- of energy [MeV^2]
    PhotonID REAL,   -- 0 to 1: like one photon
    IsNotE REAL,     -- 0 to 1: unlike an electron
    IsNotH REAL,     -- 0 to 1: unlike a hadron
    vertex_id INTEGER REFERENCES Vertices(vertex_id), -- best primary vertex, where the momentum starts; NULL: at (0, 0, 0)
    px REAL,         -- [MeV]
    py REAL,         -- [MeV]
    pz REAL,         -- [MeV]
    pt REAL,         -- transverse momentum [MeV]
    eta REAL,        -- pseudorapidity
    phi REAL         -- azimuth [rad]
);

CREATE TABLE ClusterParticles ( -- which particles a cluster comes from; parts below 1 % are left out
    cluster_id INTEGER NOT NULL REFERENCES Clusters(cluster_id),
    mcparticle_id INTEGER NOT NULL REFERENCES MCParticles(mcparticle_id),
    part INTEGER NOT NULL, -- 0 the particle itself; 1, 2 electron and positron of a converted photon; 3 + number: of BremPhotons
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    fraction REAL,   -- of the cluster's energy
    PRIMARY KEY (cluster_id, mcparticle_id, part)
);
