"""Where events come from: HepMC files, guns, Pythia, tables, pile-up, each in a wing of its own."""
