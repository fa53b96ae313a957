"""Check what decays written by users conserve, both for the gun and for Pythia."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlamarr.errors import InputError
from sqlamarr.particles import descriptors
from sqlamarr.particles.descriptors import Decay

_SAME_MASS = 1e-6  # MeV: a K0 becomes a K_S0 of the same mass; the Review's tables agree to this precision


def check(mother: int, daughters: Sequence[int], where: str) -> None:
    """Refuse a decay that violates charge or energy-momentum conservation.

    :param mother: PDG code
    :param daughters: PDG codes
    :param where: beginning of the message
    :raises InputError: charge is not conserved, or a particle becomes a single one of another mass
    """
    decay = f"{where}: {_written(mother, daughters)}"
    if charges := descriptors.charge_change(mother, daughters):
        raise InputError(f"{decay} does not conserve charge: {charges[0]:+g} becomes {charges[1]:+g}.")
    if len(daughters) == 1:
        masses = descriptors.mass(mother), descriptors.mass(daughters[0])
        if abs(masses[0] - masses[1]) > _SAME_MASS:
            raise InputError(
                f"{decay} does not conserve energy and momentum: {masses[0]:.2f} MeV become {masses[1]:.2f} MeV. "
                "A particle must decay to two or more others."
            )


def check_chain(decay: Decay, where: str) -> None:
    """Apply :func:`check` to every decay of a chain."""
    for particle in decay.walk():
        if particle.daughters:
            check(particle.pid, [daughter.pid for daughter in particle.daughters], where)


def notes_on(mother: int, daughters: Sequence[int], where: str) -> Iterator[str]:
    """A note on baryon number violation, which is intended in searches and otherwise a misspelling."""
    before, after = _baryon_number(mother), sum(map(_baryon_number, daughters))
    if before != after:
        yield (
            f"{where}: {_written(mother, daughters)} does not conserve the baryon number: {before:+d} becomes "
            f"{after:+d}. The decay is used as written."
        )


def notes_on_chain(decay: Decay, where: str) -> Iterator[str]:
    """Apply :func:`notes_on` to every decay of a chain."""
    for particle in decay.walk():
        if particle.daughters:
            yield from notes_on(particle.pid, [daughter.pid for daughter in particle.daughters], where)


def _baryon_number(pid: int) -> int:
    from particle import pdgid

    if pdgid.is_baryon(pid) or pdgid.is_pentaquark(pid):
        return 1 if pid > 0 else -1
    if pdgid.is_nucleus(pid):
        return int(pdgid.A(pid) or 0) * (1 if pid > 0 else -1)
    return 0


def _written(mother: int, daughters: Sequence[int]) -> str:
    return f"{descriptors.name_of(mother)} -> {' '.join(map(descriptors.name_of, daughters))}"


__all__ = ["check", "check_chain", "notes_on", "notes_on_chain"]
