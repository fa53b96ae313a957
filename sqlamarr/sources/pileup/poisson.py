"""Poisson numbers from random bits, the same on every platform."""

from __future__ import annotations

import bisect
from decimal import Decimal, localcontext
from functools import lru_cache

from sqlamarr.native.library import ffi, lib

_LOW = 0xFFFFFFFF
_DIGITS = 40


def words(key: int, counter: int, stream: int) -> tuple[int, int]:
    """Two random integers of 64 bits (a Philox4x32-10 block).

    :param key: see :func:`sqlamarr.native.random.stream_key`
    :param counter: id of what they belong to, e.g. event_id
    :param stream: tells several uses of one counter apart
    """
    out = ffi.new("uint32_t[4]")
    lib.sqlamarr_philox4x32([counter & _LOW, counter >> 32, 0, stream], [key & _LOW, key >> 32], out)
    return out[0] | out[1] << 32, out[2] | out[3] << 32


@lru_cache(maxsize=16)
def thresholds(mean: float, at_least: int = 0) -> tuple[int, ...]:
    """The cumulative distribution from ``at_least`` on, given that this is reached, in units of 2^-64.

    The arithmetic is decimal with 40 digits, in software, so that no processor's exponential function is involved.

    :param mean: mean of the Poisson distribution without the condition
    """
    with localcontext() as context:
        context.prec = _DIGITS
        mu = Decimal(mean)
        probability, number = (-mu).exp(), 0
        left = Decimal(1)
        while number < at_least:
            left -= probability
            number += 1
            probability *= mu / number
        found: list[int] = []
        total = Decimal(0)
        while not found or found[-1] < 2**64 - 1:
            total += probability / left
            found.append(min(int(total * 2**64), 2**64))
            number += 1
            probability *= mu / number
            if number > mu and probability < Decimal(10) ** (10 - _DIGITS):
                break
        return tuple(found)


def poisson(mean: float, bits: int, at_least: int = 0) -> int:
    """The Poisson number for 64 random bits.

    :param bits: from 0 to 2^64 - 1
    :param at_least: the least number that is allowed
    """
    steps = thresholds(mean, at_least)
    return at_least + min(bisect.bisect_right(steps, bits), len(steps) - 1)


def below(n: int, bits: int) -> int:
    """An integer from 0 to n - 1, with equal probabilities to within 2^-64."""
    return n * bits >> 64


__all__ = ["below", "poisson", "thresholds", "words"]
