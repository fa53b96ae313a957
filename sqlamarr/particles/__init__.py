"""Knowledge about particles: names, masses, charges, codes, decays, descriptors, constants, conservation laws."""
