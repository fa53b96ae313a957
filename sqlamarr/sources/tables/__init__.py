"""Tables of particles: Parquet, ROOT, CSV and frames in memory."""
