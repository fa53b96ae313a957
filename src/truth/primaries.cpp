// Primary vertices of collisions for which the generator's record flags none.
#include "columns/columns.h"
#include "core/errors.h"
#include "truth/graph.h"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

namespace sqlamarr::truth {

namespace {

struct Candidates {
    int64_t signal = none, any = none; // rows of particles
    bool flagged = false;
};

struct HashPair {
    size_t operator()(const std::pair<int64_t, int64_t> &key) const {
        return std::hash<int64_t>()(key.first) * 31 + std::hash<int64_t>()(key.second);
    }
};

// By vertex, the number of its collision. A collision's rows follow one another as a rule, so that few are
// looked up; where they do not, the answer is the same.
std::pair<std::vector<size_t>, size_t> number_collisions(const sqlamarr_truth_input &in) {
    std::unordered_map<std::pair<int64_t, int64_t>, size_t, HashPair> numbers;
    std::vector<size_t> of(static_cast<size_t>(in.n_vertices));
    for (int64_t v = 0; v < in.n_vertices; ++v) {
        const auto row = static_cast<size_t>(v);
        if (v > 0 && in.v_event_id[v] == in.v_event_id[v - 1] && in.v_genevent_id[v] == in.v_genevent_id[v - 1])
            of[row] = of[row - 1];
        else
            of[row] = numbers.try_emplace({in.v_event_id[v], in.v_genevent_id[v]}, numbers.size()).first->second;
    }
    return {std::move(of), numbers.size()};
}

std::vector<int64_t> primaries(const Graph &graph, int64_t signal_status) {
    const auto &in = graph.in;
    const auto [number, count] = number_collisions(in);
    std::vector<Candidates> collisions(count);
    for (int64_t v = 0; v < in.n_vertices; ++v)
        if (in.is_primary[v]) collisions[number[static_cast<size_t>(v)]].flagged = true;
    for (int64_t p = 0; p < in.n_particles; ++p) {
        const int64_t v = graph.production[static_cast<size_t>(p)];
        if (v == none) continue;
        Candidates &found = collisions[number[static_cast<size_t>(v)]];
        if (found.any == none || graph.earlier(p, found.any)) found.any = p;
        if (in.status[p] == signal_status && (found.signal == none || graph.earlier(p, found.signal))) found.signal = p;
    }
    std::vector<int64_t> ids;
    for (const Candidates &found : collisions) {
        const int64_t p = found.signal != none ? found.signal : found.any;
        if (!found.flagged && p != none) ids.push_back(in.genvertex_id[graph.production[static_cast<size_t>(p)]]);
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

} // namespace

} // namespace sqlamarr::truth

int sqlamarr_find_primaries(const sqlamarr_truth_input *input, int64_t signal_status, sqlamarr_columns **out) {
    return sqlamarr::guard([&] {
        auto result = std::make_unique<sqlamarr_columns>();
        auto &column = result->table.add("genvertex_id", SQLAMARR_INT64);
        column.integers = sqlamarr::truth::primaries(sqlamarr::truth::Graph(*input), signal_status);
        *out = result.release();
    });
}
