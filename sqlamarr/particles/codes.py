"""Codes of particles, generator records and LHCb's reconstruction, each under one name.

The codes are plain integers that can be used in SQL, arrays and YAML. The same codes are in ``src/core/codes.h`` for
the native library, in ``plugins/lhcb/codes.h`` for compiled models, and in ``pipelines/macros/codes.sql`` for queries.
"""

from __future__ import annotations

from typing import Final

# -- particles: PDG numbering scheme (Review of Particle Physics); antiparticles have the negative code

ELECTRON: Final = 11
MUON: Final = 13
PHOTON: Final = 22
PI0: Final = 111
PION: Final = 211  # charged, like all that follow
KAON: Final = 321
PROTON: Final = 2212
NEUTRINOS: Final = (12, 14, 16)
SYSTEM: Final = 90  # a collision as a whole, as Pythia calls it

#: Species that LHCb identifies and that its models distinguish.
CHARGED_SPECIES: Final = (ELECTRON, MUON, PION, KAON, PROTON)

# -- statuses of generated particles: HepMC, and HepMCEvent::statusType of LHCb's Gauss

STABLE: Final = 1  # final state of the generator
DECAYED: Final = 2  # decayed by the generator
DOCUMENTATION: Final = 3  # documents a hard process
BEAM: Final = 4
LHCB_DECAYED: Final = 777  # made and decayed by the decay package
LHCB_DECAYED_FIRST: Final = 888  # made by the generator, decayed by the decay package
LHCB_SIGNAL: Final = 889  # the signal, decayed by the decay package
LHCB_STABLE: Final = 999  # final state of the decay package

#: Statuses that identify LHCb's generator files.
LHCB_STATUSES: Final = (LHCB_DECAYED, LHCB_DECAYED_FIRST, LHCB_SIGNAL, LHCB_STABLE)

# -- classes of tracks (LHCb's Track::Types): Tracks.type

LONG_TRACK: Final = 3  # from the vertex detector through the T stations
UPSTREAM_TRACK: Final = 4  # vertex detector and TT
DOWNSTREAM_TRACK: Final = 5  # TT and T stations

#: Name of each class.
TRACK_CLASSES: Final = {LONG_TRACK: "long", UPSTREAM_TRACK: "upstream", DOWNSTREAM_TRACK: "downstream"}

# -- interpretation of a cluster in the calorimeter: Clusters.type

PHOTON_CLUSTER: Final = 1
MERGED_CLUSTER: Final = 2  # a pi0 whose photons make one cluster
SPLIT_CLUSTER: Final = 3  # one of the two photons of such a pi0
CHARGED_CLUSTER: Final = 4  # a track points to it
