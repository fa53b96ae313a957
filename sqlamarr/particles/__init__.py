"""Knowledge about particles: names, masses, charges, codes, decay descriptors, constants, conservation laws."""
