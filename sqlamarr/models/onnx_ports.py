"""The inputs of an ONNX file, and their description in its metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from sqlamarr.errors import ModelError
from sqlamarr.models.base import Floats, ModelDescription

_NOISE = re.compile(r"noise|random|latent", re.IGNORECASE)  # names that exporters give to an input of random numbers


@dataclass(frozen=True)
class Port:
    """An input of the graph.

    :ivar shape: shape of one row, with None where the file leaves a size open
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: Any

    @property
    def width(self) -> int | None:
        """Values per row, None if the file leaves it open."""
        return None if None in self.shape else prod(size for size in self.shape if size is not None)

    def __str__(self) -> str:
        return f"'{self.name}' ({'any number' if self.width is None else self.width})"

    def fed(self, values: Floats) -> Any:
        """Return columns in the form that the graph takes."""
        shape = self.shape if None not in self.shape else (values.shape[1],)
        return np.ascontiguousarray(values, dtype=self.dtype).reshape(len(values), *shape)


def named_noise(ports: Sequence[Port]) -> list[Port]:
    """Return the inputs that take random numbers, judging by their names.

    Generators also use the name ``z``, but among inputs of one column each it is a coordinate.
    """
    named = [port for port in ports if _NOISE.search(port.name)]
    single = sum(port.width == 1 for port in ports)
    return named or [port for port in ports if port.name.lower() == "z" and not (port.width == 1 and single > 1)]


def describe(metadata: Mapping[str, str], ports: Sequence[Port], name: str) -> ModelDescription:
    """Return a file's description of itself: names and ranges in its metadata, names also from one-column inputs.

    :param name: the file as messages name it
    :raises ModelError: the ranges are not numbers
    """
    names = words(metadata.get("input_names"))
    if names is None and len(ports) > 1 and all(port.width == 1 for port in ports):
        names = [port.name for port in ports]
    limits = [words(metadata.get(key)) for key in ("input_min", "input_max")]
    try:
        ranges = np.array(limits, dtype=np.float32) if all(limits) else None
    except ValueError as error:
        raise ModelError(f"network '{name}': its metadata input_min and input_max are not numbers: {error}") from error
    return ModelDescription(names, words(metadata.get("output_names")), metadata.get("origin"), ranges)


def words(text: str | None) -> list[str] | None:
    """Split a comma-separated list; None if there is none."""
    return [word.strip() for word in text.split(",")] if text else None
