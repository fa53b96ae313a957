#include "core/pdg.h"

#include "core/errors.h"

#include <algorithm>

namespace sqlamarr {

namespace {

using Charge = std::optional<int>;

// The scheme's digits +-[extra] n nr nL nq1 nq2 nq3 nJ.
struct Digits {
    uint64_t code, extra;
    int n, nr, nl, q1, q2, q3, nj;

    explicit Digits(uint64_t magnitude)
        : code(magnitude), extra(magnitude / 10000000), n(digit(7)), nr(digit(6)), nl(digit(5)), q1(digit(4)),
          q2(digit(3)), q3(digit(2)), nj(digit(1)) {}

    int digit(int position) const {
        uint64_t rest = code;
        for (int i = 1; i < position; ++i) rest /= 10;
        return static_cast<int>(rest % 10);
    }
};

// Quarks 1-8; a 9 stands for a gluon or gluino.
int quark(int flavour) { return flavour == 0 || flavour == 9 ? 0 : flavour % 2 ? -1 : 2; }

// Codes up to 100, and those that a prefix turns into partners, excited or heavier copies of them.
int fundamental(int core) {
    if (core <= 8) return quark(core);
    if (core >= 11 && core <= 18) return core % 2 ? -3 : 0;
    if (core == 24 || core == 34 || core == 37) return 3; // W, W', H+
    return core == 42 ? -1 : 0;                           // leptoquark
}

Charge fundamental_charge(const Digits &d) {
    const int core = static_cast<int>(d.code % 10000);
    if (core == 0) return std::nullopt;
    switch (d.code) {
    case 1000017:
    case 1000018:
    case 1000034: return 0;
    case 5100061:
    case 5100062: // doubly charged scalars
    case 9900041:
    case 9900042: return 6;
    default: return fundamental(core);
    }
}

// A meson's heavier quark comes first; s and b are then antiquarks.
int meson(int heavy, int light) {
    return heavy == 3 || heavy == 5 ? quark(light) - quark(heavy) : quark(heavy) - quark(light);
}

bool is_neutral_special(uint64_t code) {
    constexpr uint64_t codes[] = {130, 310, 150,  350, 510, 530, // K_L, K_S and the B mass eigenstates
                                  110, 990, 9990, 998, 999};     // reggeon, pomeron, odderon, tracking
    return std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
}

// Components of parton densities, internal to generators.
bool is_parton_component(const Digits &d) {
    const uint64_t rest = d.code % 1000;
    return d.code < 4000 && rest >= 901 && rest <= 930;
}

// Diffractive states carry the quarks of their hadron and nJ = 0: 9902210 (and 2210 in older records).
Charge diffractive(const Digits &d) {
    if (d.q2 == 0 || d.q3 == 0) return std::nullopt;
    return d.q1 ? quark(d.q1) + quark(d.q2) + quark(d.q3) : meson(d.q2, d.q3);
}

bool is_diffractive(const Digits &d) {
    return d.nj == 0 && (d.code / 10000 == 990 || d.code == 210 || d.code == 2110 || d.code == 2210);
}

// Electric charge nq1 nq2 nq3; nL says whether it has the sign of the magnetic charge.
Charge dyon(const Digits &d) {
    const int charge = 3 * static_cast<int>(d.code / 10 % 1000);
    return d.nl == 2 ? -charge : charge;
}
bool is_dyon(const Digits &d) { return d.n == 4 && d.nr == 1 && (d.nl == 1 || d.nl == 2) && d.q3 && !d.nj; }

// Octet quarkonia on their way to a singlet, as Pythia numbers them: 9940003, 9951203, ...
bool is_octet_onium(const Digits &d) { return d.n == 9 && d.nr == 9 && (d.nl == 4 || d.nl == 5); }

// A 9 among the quarks occurs only in supersymmetric hadrons, as the gluino (first) or a gluon next to it.
bool has_stray_gluon(const Digits &d) {
    const bool supersymmetric = d.n == 1 && d.nr == 0;
    return (d.q1 == 9 && !supersymmetric) || (d.q3 == 9) != (d.q2 == 9) || (d.q2 == 9 && !supersymmetric);
}

Charge hadron(const Digits &d, bool negative) {
    if (d.nj == 0 || d.q2 == 0 || has_stray_gluon(d)) return std::nullopt;
    const bool with_gluino = d.n == 1 && d.nr == 0 && d.q1 == 9; // R-meson 1009abj
    if (d.q1 == 0 || with_gluino) {
        const bool ordered = negative ? d.q2 > d.q3 : d.q2 >= d.q3; // else the code is not one of the scheme
        if (d.q3 == 0 || (!ordered && d.n != 1 && d.n != 3)) return std::nullopt;
        return meson(d.q2, d.q3);
    }
    return quark(d.q1) + quark(d.q2) + quark(d.q3); // baryon, or diquark with q3 = 0
}

Charge standard(const Digits &d, bool negative) {
    if (is_parton_component(d)) return std::nullopt;
    if (is_dyon(d)) return dyon(d);
    if (is_neutral_special(d.code) || is_octet_onium(d)) return 0;
    if (d.code <= 100 || (d.q1 == 0 && d.q2 == 0)) return fundamental_charge(d);
    return is_diffractive(d) ? diffractive(d) : hadron(d, negative);
}

// Nuclei +-10LZZZAAAI.
Charge nucleus(const Digits &d) {
    const int z = static_cast<int>(d.code / 10000 % 1000), a = static_cast<int>(d.code / 10 % 1000);
    return z <= a ? Charge(3 * z) : std::nullopt;
}

// Nine digits: pentaquarks 1 nr nL q1 q2 q3 q4 q5bar nJ and tetraquarks 1 nr nL q1 q2 0 q3bar q4bar nJ.
Charge multiquark(const Digits &d) {
    if (d.nj == 0 || d.nr == 0 || d.nl == 0 || d.q2 == 0 || d.q3 == 0) return std::nullopt;
    if (d.q1 == 0) {
        const bool ordered =
            d.nr >= d.nl && d.q2 >= d.q3 && (d.nr > d.q2 || d.nl > d.q3 || (d.nr == d.q2 && d.nl == d.q3));
        return ordered ? Charge(quark(d.nr) + quark(d.nl) - quark(d.q2) - quark(d.q3)) : std::nullopt;
    }
    const bool ordered = d.nr >= d.nl && d.nl >= d.q1 && d.q1 >= d.q2;
    return ordered ? Charge(quark(d.nr) + quark(d.nl) + quark(d.q1) + quark(d.q2) - quark(d.q3)) : std::nullopt;
}

// Exotic charges 100XXXY0: XXX.Y e, if that is a whole number of thirds.
Charge exotic(const Digits &d) {
    const int tenths = static_cast<int>(d.code / 10 % 10000);
    if (d.n != 0 || d.nr != 0 || d.nj != 0 || tenths == 0 || 3 * tenths % 10 != 0) return std::nullopt;
    return 3 * tenths / 10;
}

Charge extended(const Digits &d) {
    if (d.code / 100000000 == 10) return nucleus(d);
    if (d.code / 100000000 == 1) return multiquark(d);
    return d.extra == 1 ? exotic(d) : std::nullopt;
}

} // namespace

std::optional<int> pdg_three_charge(int64_t pdg_id) {
    const bool negative = pdg_id < 0;
    const uint64_t code = static_cast<uint64_t>(pdg_id);
    const Digits d(negative ? 0 - code : code);
    const Charge charge = d.extra ? extended(d) : standard(d, negative);
    return charge && negative ? Charge(-*charge) : charge;
}

} // namespace sqlamarr

int sqlamarr_pdg_three_charge(int64_t pdg_id, int *three_charge) {
    return sqlamarr::guard([&] {
        const auto charge = sqlamarr::pdg_three_charge(pdg_id);
        if (!charge)
            throw sqlamarr::Error(SQLAMARR_DATA,
                                  "The PDG code " + std::to_string(pdg_id) +
                                      " does not determine a charge, because it is not in the PDG numbering "
                                      "scheme. Correct the code, or leave the particle out.");
        *three_charge = *charge;
    });
}
