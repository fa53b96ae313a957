"""Constants of nature in MeV, mm and ns; charges are in units of the elementary charge.

Masses of all other particles come from the tables of the ``particle`` package
(:func:`sqlamarr.particles.descriptors.mass`). The few here are needed without that package.
"""

from __future__ import annotations

from typing import Final

# Exact by the definition of the metre (SI).
SPEED_OF_LIGHT: Final = 299.792458  # [mm/ns]

# Exact by the SI definitions, to as many digits as CODATA lists (the same in 2018 and 2022).
HBAR_C: Final = 1.973269804e-10  # [MeV mm]

# Particle Data Group, Review of Particle Physics 2024, which takes electron and proton from CODATA 2018 and 2022.
ELECTRON_MASS: Final = 0.51099895  # [MeV]
MUON_MASS: Final = 105.6583755  # [MeV]
PION_MASS: Final = 139.57039  # [MeV], charged
KAON_MASS: Final = 493.677  # [MeV], charged
PROTON_MASS: Final = 938.27208943  # [MeV]
PI0_MASS: Final = 134.9768  # [MeV]
