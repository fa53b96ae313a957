// Codes of generators' records, as sqlamarr/particles/codes.py has them.
#pragma once

#include <cstdint>

namespace sqlamarr::codes {

// HepMC: a particle of the documentation of a hard process; one of the beams.
constexpr int64_t documentation = 3, beam = 4;

// Pythia's PDG code of a collision as a whole.
constexpr int64_t system = 90;

} // namespace sqlamarr::codes
