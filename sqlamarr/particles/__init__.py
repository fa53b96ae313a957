"""What is known of particles: names, masses, charges, codes, decays, descriptors, constants, conservation laws."""
