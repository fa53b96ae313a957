-- What an output file, or an n-tuple, says of its own content; outside the content hash.

CREATE TABLE Checksums ( -- of what all the other tables hold; see sqlamarr verify
    block INTEGER NOT NULL,    -- of 1,000 events: ordinal / 1000; -1: rows without event, and this bookkeeping
    name TEXT NOT NULL,        -- of the table; sqlite_schema: the statements that made tables and views
    rows INTEGER NOT NULL,
    checksum INTEGER NOT NULL, -- sum of a hash of each row, modulo 2^64
    PRIMARY KEY (block, name)
) WITHOUT ROWID;
