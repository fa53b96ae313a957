"""float32 random numbers: known answers, frozen values, distribution, independence, equal bits."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sqlamarr.errors import DataError
from sqlamarr.native.library import ffi, lib
from sqlamarr.native.random import Random, stream_key

N = 250_000
KEY = stream_key(12345, "tmp_resolution")


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
     ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
     ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1")],
)  # fmt: skip
def test_philox_known_answers_of_random123(counter: str, key: str, answer: str) -> None:
    words = [[int(word, 16) for word in text.split()] for text in (counter, key, answer)]
    out = ffi.new("uint32_t[4]")
    lib.sqlamarr_philox4x32(ffi.new("uint32_t[4]", words[0]), ffi.new("uint32_t[2]", words[1]), out)
    assert list(out) == words[2]


def test_golden_keys() -> None:
    assert stream_key(0, "") == 0x6C85BE9FA2E52A48
    assert stream_key(12345, "tmp_resolution") == 0xE697C08679EBB42A
    assert stream_key(2**64 - 1, "Größe") == 0xCE214121B2097445


def test_golden_numbers() -> None:
    random = Random(KEY)
    assert random.normal([0, 1_000_007, -1], 5).tolist() == [
        [0.31932514905929565, -2.0300986766815186, -0.2507038414478302, 0.919661819934845, 0.8118292689323425],
        [0.9801944494247437, -2.16310715675354, -0.44785934686660767, 0.7031187415122986, -0.0251628290861845],
        [1.2132649421691895, 1.3336118459701538, 0.29248306155204773, -0.2410023957490921, 0.42507562041282654],
    ]
    assert random.normal([3], 2, stream=7).tolist() == [[-0.235460564494133, -0.2721765637397766]]
    assert random.uniform([0, 1_000_007], 5).tolist() == [
        [0.12103992700576782, 0.7748308777809143, 0.6348826289176941, 0.2923571467399597, 0.7094916701316833],
        [0.059611499309539795, 0.8177146315574646, 0.7064682841300964, 0.3402654528617859, 0.9355002045631409],
    ]


SHA256 = (
    "0dcc233c92be91cb28397221ac3eaa929390ef71fca875ccfe4f35dc86accba8",
    ("75f383c4c11d75df59a6ada9eb5f8c941a3075f1eb5774ffd88216a7af310cd3"),
)


def digests() -> tuple[str, str]:
    random, ids = Random(KEY), np.arange(10000)
    numbers = random.normal(ids, 7), random.uniform(ids, 7)
    return hashlib.sha256(numbers[0].tobytes()).hexdigest(), hashlib.sha256(numbers[1].tobytes()).hexdigest()


def test_golden_digests() -> None:
    assert digests() == SHA256


def in_process(isa: str, code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SQLAMARR_ISA": isa, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", code]
    # From an empty folder: the current one may hold the package's sources without their compiled part.
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(command, check=False, env=environment, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512"])
def test_every_instruction_set_gives_the_same_bits(isa: str) -> None:
    code = (
        "import hashlib, numpy as np; from sqlamarr.native.random import Random;"
        f"r = Random({KEY}); i = np.arange(10000);"
        "print(*(hashlib.sha256(f(i, 7).tobytes()).hexdigest() for f in (r.normal, r.uniform)))"
    )
    done = in_process(isa, code)
    if "which this processor does not run" in done.stderr:
        pytest.skip(f"{platform.processor() or platform.machine()} has no {isa}")
    assert tuple(done.stdout.split()) == SHA256, done.stderr


def test_unknown_instruction_set_is_an_error() -> None:
    done = in_process("sse9", "from sqlamarr.native.random import Random; Random(1).normal([1], 1)")
    assert "SQLAMARR_ISA is 'sse9'; expected baseline, avx2 or avx512" in done.stderr


# ---- distribution: thresholds at 6 standard errors, false alarms below 1e-8 -----------------------


def test_normals_have_the_moments_and_shape_of_a_gaussian() -> None:
    x = Random(KEY).normal(np.arange(N), 8).astype(float)
    n = x.size
    assert abs(x.mean()) < 6 / np.sqrt(n)
    assert abs(x.var() - 1) < 6 * np.sqrt(2 / n)
    assert abs((x**3).mean()) < 6 * np.sqrt(15 / n)
    assert abs((x**4).mean() - 3) < 6 * np.sqrt(96 / n)
    for lane in range(4):
        assert stats.kstest(x[:, lane], "norm").pvalue > 1e-7


def test_normals_have_tails() -> None:
    random = Random(KEY)
    blocks = (np.abs(random.normal(np.arange(k * N, (k + 1) * N), 40)) for k in range(4))
    counts = np.sum([[(b > cut).sum() for cut in (3.0, 4.0, 4.5, 5.0)] for b in blocks], axis=0)
    expected = 4 * N * 40 * 2 * stats.norm.sf([3.0, 4.0, 4.5, 5.0])
    assert (np.abs(counts - expected) < 6 * np.sqrt(expected) + 1).all(), (counts, expected)


def test_uniforms_are_flat_and_never_0_or_1() -> None:
    u = Random(KEY).uniform(np.arange(N), 8)
    assert 0 < u.min() and u.max() < 1
    for lane in range(8):
        assert stats.kstest(u[:, lane].astype(float), "uniform").pvalue > 1e-7
    counts = np.bincount((u.ravel() * 1000).astype(int), minlength=1000)
    assert stats.chisquare(counts).pvalue > 1e-7


def test_draws_ids_streams_and_keys_are_independent() -> None:
    ids = np.arange(N) * 1_000_000
    random = Random(KEY)
    base = random.normal(ids, 5)
    others = [random.normal(ids, 1, stream=1), random.normal(ids + 1, 1), Random(KEY ^ 1).normal(ids, 1),
              random.normal(ids + (1 << 40), 1), np.roll(base[:, :1], 1, axis=0)]  # fmt: skip
    x = np.hstack([base, *others]).astype(float)
    for values in (x, x**2, np.abs(x)):
        correlations = np.corrcoef(values.T) - np.eye(x.shape[1])
        assert np.abs(correlations).max() < 7 / np.sqrt(N)


# ---- identity --------------------------------------------------------------------------------------

ids_strategy = st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=200)


@settings(deadline=None)
@given(ids_strategy, st.integers(0, 11), st.integers(0, 2**32 - 257), st.randoms())
def test_batching_order_and_number_of_draws_do_not_matter(ids: list[int], draws: int, stream: int, rng: object) -> None:
    random = Random(7)
    for method in (random.normal, random.uniform):
        array = np.array(ids, dtype=np.int64)
        together = method(array, draws, stream)
        assert together.shape == (len(ids), draws) and together.dtype == np.float32
        rng.shuffle(order := list(range(len(ids))))  # type: ignore[attr-defined]
        assert np.array_equal(method(array[order], draws, stream), together[order])
        assert np.array_equal(method(array, draws + 3, stream)[:, :draws], together)
        for row in order[:3]:
            assert np.array_equal(method(array[row : row + 1], draws, stream)[0], together[row])


def test_an_id_given_twice_is_an_error_unless_declared() -> None:
    with pytest.raises(DataError, match="Id 4 is given more than once.*repeated=True"):
        Random(1).normal([4, 9, 4], 2)
    x = Random(1).normal([4, 9, 4], 2, repeated=True)
    assert np.array_equal(x[0], x[2])


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "1", None, True])
def test_bad_seed_is_an_error(seed: object) -> None:
    with pytest.raises(DataError, match="seed must be an integer with 0 <= seed < 2"):
        stream_key(seed, "x")  # type: ignore[arg-type]


@pytest.mark.parametrize("stream", [-1, 2**32, 2**32 - 256])
def test_bad_stream_is_an_error(stream: int) -> None:
    with pytest.raises(DataError, match=f"stream must be .* found {stream}"):
        Random(1).normal([1], 1, stream)


def test_other_bad_arguments_are_errors() -> None:
    with pytest.raises(DataError, match="draws must not be negative, found -1"):
        Random(1).normal([1], -1)
    with pytest.raises(DataError, match="Ids must be integers in one dimension, found float64"):
        Random(1).normal([1.5], 1)
    with pytest.raises(DataError, match="Ids must not be NULL"):
        Random(1).normal(np.ma.MaskedArray([1, 2], mask=[False, True]), 1)
    with pytest.raises(DataError, match="key must be"):
        Random(-1)
