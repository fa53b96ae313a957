"""Charges from PDG codes, against the `particle` package (scikit-hep) and known exceptions to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from particle import Particle
from particle.pdgid import functions as pdgid

from sqlamarr.errors import DataError
from sqlamarr.native.library import check, ffi, lib


def three_charge(code: int) -> int:
    out = ffi.new("int *")
    check(lib.sqlamarr_pdg_three_charge(code, out))
    return int(out[0])


def expected(code: int) -> int | None:
    """Three times the charge by `particle`; None where it and the numbering scheme part ways."""
    magnitude = abs(code)
    digits = f"{magnitude:010d}"
    quarks = digits[6:9]
    different = (
        magnitude % 10_000 in {52, 53, 54}  # dark matter: neutral
        or digits[3:6] in {"994", "995"}  # octet quarkonia: it reads the spin digit as a quark
        or magnitude in {210, 2110, 2210, 9900041, 9900042}  # diffractive states, H++
        or 900 < magnitude % 1000 <= 930  # components of parton densities
        or (magnitude > 100 and any(q in quarks for q in "789"))  # no such quarks
        or (digits[0] == "1" and pdgid.is_tetraquark(code))  # it takes some isomers for tetraquarks
        or (digits[:2] == "00" and digits[2] != "0")  # eight digits: charges in tenths
        or (digits[3] == "3" and not (pdgid.is_meson(code) or digits[6:8] == "00"))  # it accepts any technicolor
        or digits[:2] not in {"00", "01", "10"}
    )
    return None if different else pdgid.three_charge(code)


def test_every_listed_particle_has_its_charge() -> None:
    wrong = {
        int(p.pdgid): (three_charge(int(p.pdgid)), p.three_charge)
        for p in Particle.all()
        if three_charge(int(p.pdgid)) != p.three_charge
    }
    assert wrong == {}


def test_every_listed_antiparticle_has_the_opposite_charge() -> None:
    for particle in Particle.all():
        anti = particle.invert().pdgid
        assert three_charge(int(anti)) == -three_charge(int(particle.pdgid)) or anti == particle.pdgid


SCHEME = st.one_of(
    st.integers(1, 99_999),
    st.integers(1, 9_999_999),
    st.builds(lambda n, core: n * 1_000_000 + core, st.integers(0, 5), st.integers(1, 9_999)),
    st.builds(lambda strange, z, a, i: 10**9 + strange * 10**7 + z * 10**4 + a * 10 + i,
              st.integers(0, 2), st.integers(0, 120), st.integers(1, 300), st.integers(0, 9)),
    st.builds(int, st.from_regex(r"1[0-9]{2}[1-6]{4}[1-6][1-6][1-9]", fullmatch=True).map(lambda s: s[:9])),
    st.builds(int, st.from_regex(r"1[0-9]{0}[0-9]{2}[1-6]{2}0[1-6]{2}[1-9]", fullmatch=True)),
)  # fmt: skip


@settings(max_examples=3000, deadline=None)
@given(SCHEME, st.booleans())
def test_valid_codes_agree_with_the_particle_package(magnitude: int, negative: bool) -> None:
    code = -magnitude if negative else magnitude
    reference = expected(code)
    if reference is None or magnitude % 10_000 == 0:  # no quark, no name: only the package takes it for a particle
        return
    assert three_charge(code) == reference


@pytest.mark.parametrize(
    ("code", "charge"),
    [(211, 3), (-321, -3), (2212, 3), (-2112, 0), (13, -3), (-11, 3), (22, 0), (130, 0), (310, 0), (521, 3), (-521, -3),
     (431, 3), (541, 3), (3312, -3), (5122, 0), (4122, 3), (4444, 6), (2, 2), (-1, 1), (2101, 1), (1103, -2),
     (24, 3), (1000022, 0), (1000024, 3), (1000001, -1), (4000011, -3), (1009213, 3), (1000993, 0), (1092214, 3),
     (1000020040, 6), (-1000010020, -3), (1000320711, 96), (100443, 0), (9010221, 0), (10321, 3),
     (9902210, 3), (-9902210, -3), (9902110, 0), (9900210, 3), (9900110, 0), (9900440, 0), (2210, 3),
     (9940003, 0), (9951203, 0), (9900042, 6), (81, 0), (92, 0), (990, 0), (10000150, None), (10000100, 3)],
)  # fmt: skip
def test_known_codes(code: int, charge: int | None) -> None:
    if charge is None:
        with pytest.raises(DataError, match=f"{code} does not determine a charge"):
            three_charge(code)
    else:
        assert three_charge(code) == charge


@pytest.mark.parametrize("code", [0, 1000, 201, 5000000000000, -(2**63), 2**63 - 1, 123, 901])
def test_code_outside_the_scheme_is_an_error(code: int) -> None:
    with pytest.raises(DataError, match=f"PDG code {code} .*not in the PDG numbering scheme"):
        three_charge(code)
