// Electric charge from the digits of a PDG code.
#pragma once

#include <cstdint>
#include <optional>

namespace sqlamarr {

// Three times the charge in units of e, by the numbering scheme of the Review of Particle Physics
// (review "Monte Carlo particle numbering scheme"); nothing if the code does not say.
std::optional<int> pdg_three_charge(int64_t pdg_id);

} // namespace sqlamarr
