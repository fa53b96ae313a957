CREATE TABLE BarrelHits (
    barrelhit_id INTEGER PRIMARY KEY, -- event_id + position in the event
    event_id INTEGER NOT NULL,
    mcparticle_id INTEGER NOT NULL,
    layer INTEGER NOT NULL, -- 0 is the innermost
    x REAL NOT NULL, -- [mm]
    y REAL NOT NULL, -- [mm]
    z REAL NOT NULL -- [mm]
);

CREATE TABLE BarrelTracks (
    mcparticle_id INTEGER PRIMARY KEY,
    event_id INTEGER NOT NULL,
    pt REAL NOT NULL, -- measured transverse momentum [MeV]
    pt_error REAL NOT NULL -- its uncertainty [MeV]
);
