// The generator's graph of vertices (nodes) and particles (edges), by row instead of by id.
#pragma once

#include "sqlamarr.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sqlamarr::truth {

constexpr int64_t none = -1;

inline uint64_t magnitude(int64_t value) {
    return value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

// Rows of particles grouped by vertex.
struct Groups {
    std::vector<int64_t> start, rows;
    std::span<const int64_t> of(int64_t vertex) const {
        const auto v = static_cast<size_t>(vertex);
        return {rows.data() + start[v], rows.data() + start[v + 1]};
    }
};

struct Graph {
    const sqlamarr_truth_input &in;
    std::vector<int64_t> production, end; // row of the vertex, or none
    Groups incoming, outgoing;

    // Throws Error(SQLAMARR_DATA) for unsorted ids and for references that lead nowhere.
    explicit Graph(const sqlamarr_truth_input &input);

    // Vertices, each after those its incoming particles come from; throws for a cycle.
    std::vector<int64_t> ordered() const;
    // Whether particle a was created before b.
    bool earlier(int64_t a, int64_t b) const;
};

// Whether a particle that decayed has a place of decay: everything but what exists inside a generator only
// (partons, strings, exchanged states) and neutrinos. Unknown codes count: they may be new particles.
bool decays_somewhere(int64_t pid);

} // namespace sqlamarr::truth
