"""Output files in the formats of other programs: ROOT, Parquet, EDM4hep."""
