"""All combinations of particles within groups (events, or true decays), without a loop over the groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlamarr.errors import SqlamarrError

Ids = npt.NDArray[np.int64]


class TooManyCombinationsError(SqlamarrError):
    """There are more combinations than allowed. Take fewer events, or give up.

    :ivar number: approximate number of combinations
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"{number} combinations")
        self.number = number


@dataclass(frozen=True)
class Particles:
    """Particles of one kind that can take part in a decay.

    :ivar group: (n,) the group of each particle, sorted
    :ivar tracks: (n, k) ids of the final-state particles in each, so that none is used twice
    """

    group: Ids
    tracks: Ids

    def __len__(self) -> int:
        return len(self.group)


def pairs(
    left: Ids, right: Ids, most: int | None = None, copies: int = 1
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Pairs of rows from two sorted lists of groups that belong to the same group, in order.

    :param copies: the caller keeps one pair out of this many
    :raises TooManyCombinationsError: more than ``most`` pairs are kept
    """
    first = np.searchsorted(right, left, "left")
    number = np.searchsorted(right, left, "right") - first
    total = int(number.sum())
    if most is not None and total // copies > most:
        raise TooManyCombinationsError(total // copies)
    rows = np.repeat(np.arange(len(left)), number)
    within = np.arange(total) - np.repeat(np.cumsum(number) - number, number)
    return rows, np.repeat(first, number) + within


def combinations(
    daughters: Sequence[Particles], same: Sequence[int | None], most: int | None = None
) -> npt.NDArray[np.intp]:
    """(n, daughters) rows of the daughters, in the order of the groups.

    :param daughters: the particles that can fill each place
    :param same: for each place, an earlier one filled from the same list, so that only one order counts
    :param most: the largest number of combinations at any step
    :raises TooManyCombinationsError: there are more; this is known before they are made
    """
    rows = np.arange(len(daughters[0]))[:, None]
    group, tracks = daughters[0].group, daughters[0].tracks
    for place, (new, earlier) in enumerate(zip(daughters[1:], same[1:]), 1):
        copies = 1 if earlier is None else 1 + sum(k == earlier or same[k] == earlier for k in range(place))
        left, right = pairs(group, new.group, most, copies)
        good = np.ones(len(left), bool)
        if earlier is not None:
            good &= rows[left, _last_of(same, place)] < right
        for i in range(tracks.shape[1]):
            for j in range(new.tracks.shape[1]):
                good &= tracks[left, i] != new.tracks[right, j]
        left, right = left[good], right[good]
        rows = np.column_stack([rows[left], right])
        group, tracks = group[left], np.concatenate([tracks[left], new.tracks[right]], axis=1)
    return rows


def _last_of(same: Sequence[int | None], place: int) -> int:
    """The nearest earlier place filled from the same list."""
    first = same[place]
    return max(k for k in range(place) if k == first or same[k] == first)
