"""Where events come from: HepMC files, guns, Pythia, tables and pile-up, each in a package of its own."""
