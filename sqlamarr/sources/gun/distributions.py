"""Distributions as they are written in YAML: a number, or ``{kind: options}``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sqlamarr.checking.yaml_schema import suggest, validate
from sqlamarr.errors import InputError
from sqlamarr.sources.gun.place import Place

INFINITY = math.inf
ENDLESS = (3, 4, 5)  # kinds whose limits may be infinite: exponential, power, gaussian
_NUMBER = {"type": "number"}
_LIMITS = {
    "min": {**_NUMBER, "description": "Lowest value; default: the lowest that the quantity can have."},
    "max": {**_NUMBER, "description": "Highest value; default: the highest that the quantity can have."},
}
_PAIR = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}

#: Schema of a distribution in a description; the schemas of the kinds are in KINDS.
SCHEMA: Mapping[str, Any] = {"type": ["number", "object"], "description": "A number, or {kind: options}."}


@dataclass(frozen=True)
class Law:
    """A distribution of one number; see ``sqlamarr_distribution`` in sqlamarr.h.

    :ivar edges: edges of the histogram's bins, in ascending order
    :ivar contents: contents of the bins, not negative; one fewer than edges
    """

    kind: int
    a: float
    b: float
    c: float = 0.0
    d: float = 0.0
    edges: tuple[float, ...] = ()
    contents: tuple[float, ...] = ()


@dataclass(frozen=True)
class Quantity:
    """What is drawn: its place in a description, and its limits."""

    place: Place
    low: float
    high: float

    def error(self, text: str) -> InputError:
        """An error that names the place."""
        return self.place.error(text)


@dataclass(frozen=True)
class Kind:
    """A kind of distribution: the schema of its options, and how they become a law."""

    schema: Mapping[str, Any]
    law: Callable[[Any, Quantity], Law]


def law(value: Any, quantity: Quantity) -> Law:
    """The distribution of a quantity according to a description.

    :raises InputError: the kind is unknown, its options are invalid, or the quantity cannot have such values
    """
    if isinstance(value, (int, float)):
        return _within(Law(0, float(value), float(value)), quantity)
    if not isinstance(value, Mapping) or len(value) != 1:
        raise quantity.error(
            f"expected a number or one {{kind: options}}, found {value!r}. Known kinds: {', '.join(KINDS)}."
        )
    ((kind, options),) = value.items()
    if kind not in KINDS:
        raise quantity.error(
            f"unknown kind of distribution {kind!r}; known kinds: {', '.join(KINDS)}{suggest(str(kind), KINDS)}"
        )
    validate(options, KINDS[kind].schema, quantity.place.path, f"{quantity.place.name}.{kind}", InputError)
    return _within(KINDS[kind].law(options, quantity), quantity)


def largest_density(kind: int, low: float, high: float, c: float, d: float) -> float:
    """The upper end of a law. For an endless law, a value above which only a few draws in a thousand lie.

    :param kind: this and the other parameters as in :class:`Law`
    """
    if math.isfinite(high):
        return high
    if kind == 3:
        return low + 7 * c
    if kind == 5:
        return max(low, c) + 3 * d
    return low * 10 ** min(3 / (-1 - c), 300.0)  # a power below -1


def least(kind: int, low: float, c: float, d: float) -> float:
    """The lower end of a law. For a Gaussian, at least seven widths below its mean: no draw is lower.

    :param kind: this and the other parameters as in :class:`Law`
    """
    return max(low, c - 7 * d) if kind == 5 else low


def _within(found: Law, quantity: Quantity) -> Law:
    finite = found.kind in ENDLESS or (math.isfinite(found.a) and math.isfinite(found.b))
    if not finite or not quantity.low <= found.a <= found.b <= quantity.high:
        raise quantity.error(
            f"expected finite values from {quantity.low:g} to {quantity.high:g}, found {found.a:g} to {found.b:g}."
        )
    return found


def _flat(options: Any, quantity: Quantity) -> Law:
    low, high = options
    return Law(1, *_ordered(low, high, quantity))


def _log_flat(options: Any, quantity: Quantity) -> Law:
    low, high = _ordered(options[0], options[1], quantity)
    if low <= 0:
        raise quantity.error(f"log_flat needs limits above 0, found {low:g}.")
    return Law(2, low, high)


def _exponential(options: Any, quantity: Quantity) -> Law:
    low, high = _limits(options, quantity)
    if math.isinf(low):
        raise quantity.error("exponential needs 'min', where it begins.")
    return Law(3, low, high, options["mean"])


def _power(options: Any, quantity: Quantity) -> Law:
    low, high = _limits(options, quantity)
    if low <= 0 or (math.isinf(high) and options["index"] >= -1):
        raise quantity.error("power needs 'min' above 0 and, unless its index is below -1, a finite 'max'.")
    return Law(4, low, high, options["index"])


def _gaussian(options: Any, quantity: Quantity) -> Law:
    return Law(5, *_limits(options, quantity), options["mean"], options["sigma"])


def _histogram(options: Any, quantity: Quantity) -> Law:
    if ("edges" in options) != ("contents" in options) or ("edges" in options) == ("file" in options):
        raise quantity.error("a histogram needs 'edges' and 'contents', or 'file' and 'name'.")
    if "file" in options:
        (edges,), contents = read_root(quantity.place, options["file"], options.get("name"), 1)
    else:
        edges, contents = np.array(options["edges"], float), np.array(options["contents"], float)
    return histogram(edges * options.get("scale", 1.0), contents, quantity, *_limits(options, quantity))


def histogram(edges: Any, contents: Any, quantity: Quantity, low: float = -INFINITY, high: float = INFINITY) -> Law:
    """A histogram cut to [low, high] (a cut bin keeps its density).

    :raises InputError: lengths, edges or contents are invalid
    """
    if len(edges) != len(contents) + 1 or len(contents) == 0:
        raise quantity.error(f"{len(contents)} contents need {len(contents) + 1} edges, found {len(edges)}.")
    if not (np.diff(edges) > 0).all() or not np.isfinite(edges).all():
        raise quantity.error("the edges of a histogram must be finite and in ascending order.")
    if not np.isfinite(contents).all():
        raise quantity.error("the contents of a histogram must be finite numbers.")
    if not (np.asarray(contents) >= 0).all():
        raise quantity.error("the contents of a histogram must not be negative.")
    cut = np.clip(edges, low, high)
    kept = np.asarray(contents) * (np.diff(cut) / np.diff(edges))
    used = np.nonzero(kept > 0)[0]
    if not len(used):
        raise quantity.error("the histogram has no content within the limits.")
    begin, end = used[0], used[-1] + 1
    return Law(
        6, cut[begin], cut[end], edges=tuple(cut[begin : end + 1].tolist()), contents=tuple(kept[begin:end].tolist())
    )


def read_root(place: Place, file: str, name: str | None, dimensions: int) -> tuple[list[Any], Any]:
    """Edges of the axes and contents (without underflow and overflow) of a TH1 or TH2 in a ROOT file.

    :param dimensions: 1 or 2
    :raises InputError: the file cannot be read or has no such histogram
    """
    import uproot

    path = place.description.file(file)
    try:
        with uproot.open(path) as root:
            kinds = root.classnames(recursive=True, cycle=False)
            known = [key for key, kind in kinds.items() if kind.startswith(f"TH{dimensions}")]
            has = f"it has: {', '.join(known) or 'none'}"
            if name is None:
                raise place.error(f"expected the 'name' of a TH{dimensions} in {path}, found none; {has}.")
            if name not in known:
                raise place.error(f"{path} has no TH{dimensions} {name!r}; {has}{suggest(name, known)}")
            contents, *edges = root[name].to_numpy()
    except (ValueError, OSError) as error:
        raise place.error(f"{path} cannot be read as a ROOT file ({error}).") from error
    return [np.asarray(axis, float) for axis in edges], np.asarray(contents, float)


def _limits(options: Mapping[str, Any], quantity: Quantity) -> tuple[float, float]:
    return _ordered(options.get("min", quantity.low), options.get("max", quantity.high), quantity)


def _ordered(low: float, high: float, quantity: Quantity) -> tuple[float, float]:
    if not low < high:
        raise quantity.error(f"expected a range with the lower limit first, found {low:g} to {high:g}.")
    return float(low), float(high)


def _options(required: list[str], **properties: Any) -> Mapping[str, Any]:
    return {
        "type": "object",
        "properties": {**properties, **_LIMITS},
        "required": required,
        "additionalProperties": False,
    }


_POSITIVE = {"type": "number", "exclusiveMinimum": 0}

#: By name.
KINDS: dict[str, Kind] = {
    "flat": Kind(_PAIR, _flat),
    "log_flat": Kind(_PAIR, _log_flat),
    "exponential": Kind(
        _options(["mean"], mean={**_POSITIVE, "description": "Mean above min, before it is cut at max."}),
        _exponential,
    ),
    "power": Kind(
        _options(["index"], index={**_NUMBER, "description": "The density is proportional to x^index."}), _power
    ),
    "gaussian": Kind(
        _options(
            ["mean", "sigma"],
            mean={**_NUMBER, "description": "Mean, before it is cut to the limits."},
            sigma={**_POSITIVE, "description": "Width, before it is cut to the limits."},
        ),
        _gaussian,
    ),
    "histogram": Kind(
        _options(
            [],
            edges={"type": "array", "items": _NUMBER, "description": "Edges of the bins, ascending."},
            contents={"type": "array", "items": _NUMBER, "description": "Content per bin."},
            file={"type": "string", "description": "ROOT file with a TH1."},
            name={"type": "string", "description": "Name of the histogram in the file."},
            scale={
                **_POSITIVE,
                "description": "Factor that converts the axis to MeV, rad or mm; 1000 for an axis in GeV.",
            },
        ),
        _histogram,
    ),
}

__all__ = ["KINDS", "SCHEMA", "Law", "Quantity", "histogram", "law", "least", "largest_density", "read_root"]
