"""What is known of particles: names, masses, charges, codes, decay descriptors, constants and conservation laws."""
