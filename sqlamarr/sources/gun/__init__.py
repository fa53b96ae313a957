"""The particle gun: what is shot, where from, with which momentum, and how it decays."""
