-- What a run writes about itself; outside the content hash.

CREATE TABLE Provenance ( -- what made this file
    key TEXT PRIMARY KEY,
    value TEXT             -- text, or JSON where it has structure
);

CREATE TABLE Batches ( -- what was appended, in order
    batch INTEGER PRIMARY KEY,
    first_event_id INTEGER NOT NULL,
    n_events INTEGER NOT NULL,
    seconds REAL,          -- time spent on it
    report TEXT            -- JSON: counts and seconds per step
);

CREATE TABLE Inputs ( -- how far the inputs were read when the last batch was appended
    position INTEGER PRIMARY KEY, -- among the inputs, from 0
    mark TEXT                     -- JSON: path, bytes, SHA-256 of these, whether that is all
);
