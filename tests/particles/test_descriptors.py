"""Decay descriptors and the names in them."""

from __future__ import annotations

import pytest

from sqlamarr.errors import DescriptorError
from sqlamarr.particles.descriptors import conjugate, ctau, mass, name_of, parse, pid_of


def pids(decay):
    return [node.pid for node in decay.walk()]


def test_a_nested_decay_with_its_conjugate():
    found = parse("[Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu-]CC")
    assert found.with_conjugate
    assert pids(found.decay) == [5122, 4122, 2212, -321, 211, 13]
    assert pids(found.decay.conjugated()) == [-5122, -4122, -2212, 321, -211, -13]
    assert [d.name for d in found.decay.daughters] == ["Lambda_c+", "mu-"]


@pytest.mark.parametrize("arrow", ["->", "-->", "=>", "==>", "→"])
def test_all_arrows_mean_the_same(arrow):
    assert pids(parse(f"B+ {arrow} (J/psi(1S) {arrow} mu+ mu-) K+").decay) == [521, 443, -13, 13, 321]


@pytest.mark.parametrize(
    "text", ["[D*(2010)+ -> (D0 -> K- pi+) pi+]cc", "B_s0 -> (phi(1020) -> K+ K-) gamma", "KS0 -> pi+ pi-"]
)
def test_text_of_a_descriptor_is_a_descriptor(text):
    assert parse(str(parse(text))) == parse(text)


def test_labels_and_marks_are_kept_through_conjugation():
    found = parse("${Lb}[Lambda_b0 -> ${Lc}^(Lambda_c+ -> ^p+ K- pi+) ${mu}mu-]CC").decay
    for decay in (found, found.conjugated()):
        assert [node.label for node in decay.walk()] == ["Lb", "Lc", "", "", "", "mu"]
        assert [node.marked for node in decay.walk()] == [False, True, True, False, False, False]


@pytest.mark.parametrize(
    ("name", "pid"),
    [("Lambda_b0", 5122), ("Lambda_b~0", -5122), ("anti-Lambda_b0", -5122), ("p~-", -2212), ("anti-p-", -2212),
     ("J/psi", 443), ("J/psi(1S)", 443), ("psi(2S)", 100443), ("K_S0", 310), ("KS0", 310), ("B_s~0", -531),
     ("anti-B_s0", -531), ("K*(892)0", 313), ("nu_mu", 14), ("nu_mu~", -14), ("anti-nu_mu", -14), ("e-", 11),
     ("gamma", 22), ("pi0", 111), ("D*(2010)+", 413)],
)  # fmt: skip
def test_names_of_three_conventions(name, pid):
    assert pid_of(name) == pid


def test_properties_of_particles():
    assert mass(443) == pytest.approx(3096.9, abs=0.1)
    assert ctau(310) == pytest.approx(26.84, abs=0.02)
    assert ctau(443) < 1e-8
    assert conjugate(443) == 443
    assert name_of(conjugate(5122)) == "Lambda_b~0"


@pytest.mark.parametrize(
    ("text", "message"),
    [("Lambdab0 -> p+ K-", "There is no particle 'Lambdab0'. Did you mean Lambda_b0"),
     ("B0 -> ", "expected what B0 decays to, found the end"),
     ("[B0 -> K+ pi-]", r"expected CC after the closing bracket, '\[B0 -> K\+ pi-\]CC', for the decay and its "
                        r"conjugate, or no brackets, 'B0 -> K\+ pi-', for the decay alone, found the end"),
     ("[J/psi(1S) -> mu+ mu-] K+", "expected CC after the closing bracket"),
     ("B0 -> (D- -> K+ pi-", r"expected '\)', found the end"),
     ("B0 K+ pi-", "expected an arrow -> with a space on either side, found 'K\\+ pi-'"),
     ("B0->K+ pi-", "found '>K"),
     ("B0 -> K+ $ pi-", r"found '\$ pi-' \(character 9\)"),
     ("B0 -> K+ pi-) mu+", r"expected the end, found '\) mu\+'"),
     ("", "expected the name of a particle, found the end")],
)  # fmt: skip
def test_what_is_wrong_is_said(text, message):
    with pytest.raises(DescriptorError, match=message):
        parse(text)


@pytest.mark.parametrize(
    "text", ["[J/psi(1S) -> mu+ mu-]", "[phi(1020) -> K- K+]", "${x}[Upsilon(1S) -> (phi -> K+ K-) gamma]"]
)
def test_brackets_around_what_is_its_own_conjugate_mean_the_decay_itself(text):
    found = parse(text)
    assert not found.with_conjugate
    assert found.decay.species() == parse(text.replace("]", "]CC")).decay.species()
    assert found.decay.label == ("x" if "${x}" in text else "")


@pytest.mark.parametrize("pid", [99999999, 9000019])
def test_a_code_of_no_particle_is_an_error_of_ours(pid):
    """The package tells codes that break PDG's scheme from those that nobody has, with two kinds of exception."""
    with pytest.raises(DescriptorError, match=f"No particle has the PDG code {pid}"):
        mass(pid)
