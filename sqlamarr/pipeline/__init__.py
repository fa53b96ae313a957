"""Everything known before the first event: the pipeline file, validated, and what follows from it."""
