"""Random numbers of the rows that a model is called on, drawn where they are needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sqlamarr.native.random import Random


@dataclass(frozen=True)
class RowNoise:
    """Standard normal numbers, keyed by the id and the stream of each row.

    :ivar rng: the random numbers to draw from
    :ivar ids: ids of the rows, int64 (rows)
    :ivar streams: streams of the rows, int64 (rows), if several rows share an id; None: 0 for each
    :ivar draws: number of random numbers per row
    """

    rng: Random
    ids: NDArray[np.int64]
    streams: NDArray[np.int64] | None
    draws: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and of draws."""
        return len(self.ids), self.draws

    def matrix(self) -> NDArray[np.float32]:
        """Draw the numbers, float32 (rows, draws).

        :raises DataError: two rows have the same id and stream
        """
        if self.streams is None or not self.draws:
            return self.rng.normal(self.ids, self.draws, repeated=not self.draws)
        noise = np.empty((len(self.ids), self.draws), dtype=np.float32)
        for value in np.unique(self.streams):
            chosen = self.streams == value
            noise[chosen] = self.rng.normal(self.ids[chosen], self.draws, stream=int(value))
        return noise

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> RowNoise:
        """Return the noise of some of the rows."""
        streams = None if self.streams is None else self.streams[rows]
        return RowNoise(self.rng, self.ids[rows], streams, self.draws)
