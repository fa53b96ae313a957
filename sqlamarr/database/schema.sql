-- The event tables. Lengths in mm, times in mm/c, momenta and masses in MeV (with c = 1).
-- Ids are global: event_id = ordinal * 1000000, and the id of a row of an event is its event_id plus
-- the row's position in the event. A REFERENCES clause is kept in an output file only if the
-- table that it names is there too.

CREATE TABLE DataSources ( -- one row per input file or other source of events
    datasource_id INTEGER PRIMARY KEY,
    datasource TEXT,     -- path or description of the source
    format TEXT,         -- what was read, e.g. 'HepMC3 ASCII'
    run_number INTEGER,
    evt_number INTEGER
);

CREATE TABLE Events ( -- every event that was read, once
    event_id INTEGER PRIMARY KEY,
    ordinal INTEGER NOT NULL,        -- position of the event in the whole production, from 0
    datasource_id INTEGER REFERENCES DataSources(datasource_id),
    number INTEGER NOT NULL,         -- position of the event in its source, from 0
    status TEXT NOT NULL             -- 'simulated', or 'rejected' (see RejectedEvents)
);

CREATE TABLE RejectedEvents ( -- events that could not be processed, and why
    event_id INTEGER PRIMARY KEY REFERENCES Events(event_id),
    datasource TEXT,     -- the file
    number INTEGER,      -- position of the event in the file, from 0
    line INTEGER,        -- line of the file where it begins, from 1; NULL if it has none
    step TEXT,           -- the step that refused it; 'reading' for the input itself
    reason TEXT
);

CREATE TABLE GenEvents ( -- one row per generated collision
    genevent_id INTEGER PRIMARY KEY,
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    collision INTEGER,       -- position of the collision in its event, from 0
    datasource_id INTEGER REFERENCES DataSources(datasource_id),
    event_number INTEGER,    -- as the generator numbered it
    process_id INTEGER,      -- generator's code of the hard process; NULL if not given
    scale REAL,              -- scale of the hard process, as the generator gives it
    alpha_qcd REAL,
    alpha_qed REAL,
    weight REAL,             -- the first weight; 1 if there is none
    t REAL,                  -- position of the event as a whole [mm/c]; included in the vertices
    x REAL,                  -- [mm]
    y REAL,                  -- [mm]
    z REAL,                  -- [mm]
    cross_section REAL,      -- generator's estimate so far [pb]
    cross_section_error REAL,-- [pb]
    -- Of generators that run in process; NULL for files:
    original_id INTEGER,     -- ReDecay: event_id of the event that this one shares all but the signal's decay with
    collisions_tried INTEGER,-- how many were generated until this one was kept
    hadronizations INTEGER   -- how often these were hadronized
);

CREATE TABLE GenWeights ( -- all weights of every collision
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    genevent_id INTEGER NOT NULL REFERENCES GenEvents(genevent_id),
    position INTEGER NOT NULL, -- index among the weights, from 0; names are in the provenance
    value REAL,
    PRIMARY KEY (genevent_id, position)
);

CREATE TABLE GenVertices (
    genvertex_id INTEGER PRIMARY KEY,
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    genevent_id INTEGER NOT NULL REFERENCES GenEvents(genevent_id),
    hepmc_id INTEGER,    -- barcode in the file, negative
    status INTEGER,      -- generator's code
    is_primary INTEGER,  -- 1 where the beams, or the signal, come from
    t REAL,              -- [mm/c]
    x REAL,              -- [mm]
    y REAL,              -- [mm]
    z REAL               -- [mm]
);

CREATE TABLE GenParticles (
    genparticle_id INTEGER PRIMARY KEY,
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    genevent_id INTEGER NOT NULL REFERENCES GenEvents(genevent_id),
    hepmc_id INTEGER,    -- barcode in the file
    production_vertex INTEGER REFERENCES GenVertices(genvertex_id), -- NULL for beams
    end_vertex INTEGER REFERENCES GenVertices(genvertex_id),        -- NULL if it did not decay
    pid INTEGER,         -- PDG code
    status INTEGER,      -- generator's code: 1 stable, 2 decayed, 4 beam; LHCb's 777, 888, 889, 999
    pe REAL,             -- energy [MeV]
    px REAL,             -- [MeV]
    py REAL,             -- [MeV]
    pz REAL,             -- [MeV]
    m REAL               -- generated mass [MeV]
);

CREATE TABLE MCVertices ( -- where particles that matter are made or decay
    mcvertex_id INTEGER PRIMARY KEY,
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    genevent_id INTEGER NOT NULL REFERENCES GenEvents(genevent_id),
    genvertex_id INTEGER REFERENCES GenVertices(genvertex_id),
    status INTEGER,      -- generator's code
    is_primary INTEGER,  -- 1: collision vertex
    t REAL,              -- [mm/c]
    x REAL,              -- [mm]
    y REAL,              -- [mm]
    z REAL               -- [mm]
);

CREATE TABLE MCParticles ( -- particles that the detector, or the analyst, may see
    mcparticle_id INTEGER PRIMARY KEY,
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    genevent_id INTEGER NOT NULL REFERENCES GenEvents(genevent_id),
    genparticle_id INTEGER REFERENCES GenParticles(genparticle_id),
    production_vertex INTEGER REFERENCES MCVertices(mcvertex_id),
    end_vertex INTEGER REFERENCES MCVertices(mcvertex_id), -- NULL if it did not decay
    mother INTEGER REFERENCES MCParticles(mcparticle_id),  -- NULL from the collision itself
    pid INTEGER,         -- PDG code
    status INTEGER,      -- generator's code
    pe REAL,             -- energy [MeV]
    px REAL,             -- [MeV]
    py REAL,             -- [MeV]
    pz REAL,             -- [MeV]
    m REAL,              -- mass [MeV]
    charge INTEGER,      -- [e]; NULL if the PDG code does not tell
    is_signal INTEGER    -- 1: marked as signal by the generator
);

CREATE TABLE Vertices ( -- reconstructed primary vertices
    vertex_id INTEGER PRIMARY KEY,
    event_id INTEGER NOT NULL REFERENCES Events(event_id),
    genevent_id INTEGER REFERENCES GenEvents(genevent_id),
    mcvertex_id INTEGER REFERENCES MCVertices(mcvertex_id), -- the true one
    t REAL,              -- [mm/c], the true time: it is not measured
    x REAL,              -- [mm]
    y REAL,              -- [mm]
    z REAL,              -- [mm]
    sigma_x REAL,        -- uncertainty [mm]
    sigma_y REAL,        -- [mm]
    sigma_z REAL,        -- [mm]
    vertex_type INTEGER  -- 1: primary
);
