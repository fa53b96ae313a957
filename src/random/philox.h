// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11): the one source
// of randomness. Counter = (id low, id high, block, stream), key = 64 bits: no state, hence no order.
#pragma once

#include "core/portable_math.h"

#include <array>
#include <cmath>
#include <cstdint>

namespace sqlamarr {

// Streams from here on belong to the SQL functions, so that no step's own draws coincide with them.
inline constexpr uint32_t first_reserved_stream = 0xFFFFFF00u;
inline constexpr uint32_t stream_uniform_at = 0xFFFFFF01u;
inline constexpr uint32_t stream_normal_at = 0xFFFFFF02u;
inline constexpr uint32_t stream_category_at = 0xFFFFFF03u;
inline constexpr uint32_t stream_sequential = 0xFFFFFF04u;

inline constexpr uint32_t philox_multiplier_0 = 0xD2511F53u, philox_multiplier_1 = 0xCD9E8D57u;
inline constexpr uint32_t philox_weyl_0 = 0x9E3779B9u, philox_weyl_1 = 0xBB67AE85u;

using PhiloxBlock = std::array<uint32_t, 4>;

// One block in registers; callers loop over blocks, and the compiler vectorises across them.
inline void philox_rounds(uint32_t &c0, uint32_t &c1, uint32_t &c2, uint32_t &c3, uint32_t k0, uint32_t k1) {
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
        const uint64_t p0 = static_cast<uint64_t>(philox_multiplier_0) * c0;
        const uint64_t p1 = static_cast<uint64_t>(philox_multiplier_1) * c2;
        const uint32_t next0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
        const uint32_t next2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
        c1 = static_cast<uint32_t>(p1);
        c3 = static_cast<uint32_t>(p0);
        c0 = next0;
        c2 = next2;
        k0 += philox_weyl_0;
        k1 += philox_weyl_1;
    }
}

inline PhiloxBlock philox_block(uint64_t key, uint64_t id, uint32_t block, uint32_t stream) {
    PhiloxBlock c{static_cast<uint32_t>(id), static_cast<uint32_t>(id >> 32), block, stream};
    philox_rounds(c[0], c[1], c[2], c[3], static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32));
    return c;
}

// 52 random bits and a half: every value is a double, none is 0 or 1, and u and 1 - u are equally likely.
inline double philox_uniform(const PhiloxBlock &block) {
    const uint64_t bits = static_cast<uint64_t>(block[1]) << 32 | block[0];
    return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
}

// Box-Muller in double: lanes 0, 1 give the radius (tails to 9.5 sigma), lanes 2, 3 the angle.
inline double philox_normal(const PhiloxBlock &block) {
    const uint64_t radius_bits = static_cast<uint64_t>(block[1]) << 32 | block[0];
    const uint64_t angle_bits = static_cast<uint64_t>(block[3]) << 32 | block[2];
    const double u = static_cast<double>(radius_bits) * 0x1p-64 + 0x1p-65;
    const double turns = (static_cast<double>(angle_bits >> 12) + 0.5) * 0x1p-52 - 0.5;
    return std::sqrt(-2.0 * pm_log(u)) * pm_cos(0x1.921fb54442d18p+2 * turns); // 2 pi turns
}

} // namespace sqlamarr
