"""HepMC files and the formats read by pyhepmc."""
