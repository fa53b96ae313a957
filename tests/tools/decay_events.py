"""Decays written as generator events, and simulated."""

from __future__ import annotations

import numpy as np
import pyhepmc
from decay_toys import fly, heads, in_detector, lambda_b_decays, two_body

import sqlamarr
from sqlamarr.particles.descriptors import mass

BEAM_SPOT = [0.03, 0.03, 50.0]  # mm


def write_events(path, origins, chains):
    """A HepMC file of one collision per event.

    :param origins: (n, 3) of the collisions [mm]
    :param chains: particles as (pid, momenta (n, 4), index of the mother in this list or None, end vertex or None)
    """
    with pyhepmc.open(str(path), "w") as file:
        for i, origin in enumerate(origins):
            event = pyhepmc.GenEvent(pyhepmc.Units.MEV, pyhepmc.Units.MM)
            event.event_number = i
            first = pyhepmc.GenVertex((*origin, 0.0))
            ends = []
            for pid, momenta, mother, end in chains:
                particle = pyhepmc.GenParticle(tuple(momenta[i]), pid, 1 if end is None else 2)
                (first if mother is None else ends[mother]).add_particle_out(particle)
                ends.append(None)
                if end is not None:
                    ends[-1] = pyhepmc.GenVertex((*end[i], 0.0))
                    ends[-1].add_particle_in(particle)
            event.add_vertex(first)
            for vertex in ends:
                if vertex is not None:
                    event.add_vertex(vertex)
            file.write(event)


def lambda_b_file(path, n, seed=1):
    """Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu-."""
    _, final, truth = lambda_b_decays(np.random.default_rng(seed), n)
    p, k, pi, mu = (momentum for _, momentum, _, _ in final)
    chains = [
        (5122, truth["Lb"], None, truth["Lb_end"]),
        (4122, truth["Lc"], 0, truth["Lc_end"]),
        (13, mu, 0, None),
        (2212, p, 1, None),
        (-321, k, 1, None),
        (211, pi, 1, None),
    ]
    write_events(path, truth["origin"], chains)


def jpsi_file(path, n, seed=2):
    """J/psi -> mu+ mu- from the collision."""
    rng = np.random.default_rng(seed)
    origin = rng.normal(0, BEAM_SPOT, (n, 3))
    jpsi = heads(rng, n, mass(443))
    plus, minus = two_body(rng, jpsi, mass(13), mass(13))
    seen = in_detector(plus) & in_detector(minus)
    origin, jpsi, plus, minus = origin[seen], jpsi[seen], plus[seen], minus[seen]
    write_events(path, origin, [(443, jpsi, None, origin), (-13, plus, 0, None), (13, minus, 0, None)])


def kstar_gamma_file(path, n, seed=3):
    """B0 -> (K*(892)0 -> K+ pi-) gamma, and a pi0 -> gamma gamma of its own."""
    rng = np.random.default_rng(seed)
    origin = rng.normal(0, BEAM_SPOT, (n, 3))
    b, pi0 = heads(rng, n, mass(511)), heads(rng, n, mass(111))
    end = fly(rng, origin, b, mass(511), 0.45)
    kstar, gamma = two_body(rng, b, mass(313), 0.0)
    k, pi = two_body(rng, kstar, mass(321), mass(211))
    one, other = two_body(rng, pi0, 0.0, 0.0)
    chains = [(511, b, None, end), (313, kstar, 0, end), (22, gamma, 0, None), (321, k, 1, None), (-211, pi, 1, None),
              (111, pi0, None, origin), (22, one, 5, None), (22, other, 5, None)]  # fmt: skip
    write_events(path, origin, chains)


def simulated(tmp_path, write, n):
    """The output file of a run over such events."""
    write(tmp_path / "gun.hepmc", n)
    sqlamarr.run("lhcb_run2", [tmp_path / "gun.hepmc"], tmp_path / "out.db", seed=7)
    return tmp_path / "out.db"
