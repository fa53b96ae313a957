"""How analysts read the tables of an output: as numpy, pandas or Awkward arrays, with units."""
