CREATE TABLE Decays (
    event_id INTEGER PRIMARY KEY,
    m_plus_minus REAL NOT NULL,    -- [GeV/c2] m(pi+ pi-)
    m_plus_neutral REAL NOT NULL   -- [GeV/c2] m(pi+ pi0)
);
CREATE TABLE Reconstructed (
    event_id INTEGER PRIMARY KEY REFERENCES Decays (event_id),
    m_plus_minus REAL NOT NULL,    -- [GeV/c2] as reconstructed
    m_plus_neutral REAL NOT NULL,  -- [GeV/c2] as reconstructed
    sigma_plus_minus REAL NOT NULL,   -- [GeV/c2] standard deviation
    sigma_plus_neutral REAL NOT NULL  -- [GeV/c2] standard deviation
);
