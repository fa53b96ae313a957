"""The particle gun: which particles are shot, from where, with which momenta, and how they decay."""
