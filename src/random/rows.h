// Standard normals of some rows, for callers in C++.
#pragma once

#include <cstdint>
#include <vector>

namespace sqlamarr {

// As sqlamarr_normals, but of each row only these blocks of four numbers, in ascending order; the others are left
// alone.
void row_normals(uint64_t key, uint32_t stream, const int64_t *ids, int64_t n, int64_t draws,
                 const std::vector<uint32_t> &blocks, float *out);

} // namespace sqlamarr
