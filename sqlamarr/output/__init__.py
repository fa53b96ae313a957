"""What an output file is: its tables, provenance, content hash, summary, and who may write it."""
