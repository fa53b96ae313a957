"""Flash simulation of the LHCb experiment: generator events in, reconstructed tracks in SQLite out."""
