"""HepMC files, and the formats that pyhepmc reads."""
