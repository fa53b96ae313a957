"""What is known of particles: names, masses, charges, decay descriptors, conservation laws."""
