// Which species can decay at a place of their own.
#include "truth/graph.h"

namespace sqlamarr::truth {

namespace {

// Codes up to 100 in the Monte Carlo particle numbering scheme, Review of Particle Physics.
bool small_decays(uint64_t code) {
    const bool parton = code <= 9 || code == 21;
    const bool neutrino = code == 12 || code == 14 || code == 16 || code == 18;
    return !parton && !neutrino && code <= 80; // 81-100: strings, clusters and the like
}

// Diquarks have two quarks and no third.
bool is_diquark(uint64_t code) {
    return code < 10000 && code / 1000 != 0 && code / 100 % 10 != 0 && code / 10 % 10 == 0;
}

// Components of structure functions: 901-930, 1901-1930, 2901-2930, 3901-3930.
bool is_parton_component(uint64_t code) { return code < 4000 && code % 1000 >= 901 && code % 1000 <= 930; }

// The quarks of a hadron and no spin: 9900110 ... 9902210, in older records without the 990.
bool is_diffractive(uint64_t code) {
    const bool old = code == 210 || code == 2110 || code == 2210;
    return old || (code / 10000 == 990 && code % 10 == 0 && code / 10 % 10 != 0 && code / 100 % 10 != 0);
}

// Reggeon, pomeron, odderon.
bool is_exchanged(uint64_t code) { return code == 110 || code == 990 || code == 9990; }

// Colour octets, which become a singlet where they are made: Pythia's 994xxxx and 995xxxx.
bool is_octet_onium(uint64_t code) { return code / 10000 == 994 || code / 10000 == 995; }

} // namespace

bool decays_somewhere(int64_t pid) {
    const uint64_t code = magnitude(pid);
    if (code <= 100) return small_decays(code);
    return !is_diquark(code) && !is_parton_component(code) && !is_diffractive(code) && !is_exchanged(code) &&
           !is_octet_onium(code);
}

} // namespace sqlamarr::truth
