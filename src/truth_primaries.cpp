// Primary vertices of collisions for which the generator's record flags none.
#include "columns.h"
#include "errors.h"
#include "truth_graph.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

namespace sqlamarr::truth {

namespace {

struct Candidates {
    int64_t signal = none, any = none; // rows of particles
    bool flagged = false;
};

std::vector<int64_t> primaries(const Graph &graph, int64_t signal_status) {
    const auto &in = graph.in;
    std::map<std::pair<int64_t, int64_t>, Candidates> collisions;
    for (int64_t v = 0; v < in.n_vertices; ++v)
        if (in.is_primary[v]) collisions[{in.v_event_id[v], in.v_genevent_id[v]}].flagged = true;
    for (int64_t p = 0; p < in.n_particles; ++p) {
        if (graph.production[static_cast<size_t>(p)] == none) continue;
        Candidates &found = collisions[{in.p_event_id[p], in.p_genevent_id[p]}];
        if (found.any == none || graph.earlier(p, found.any)) found.any = p;
        if (in.status[p] == signal_status && (found.signal == none || graph.earlier(p, found.signal))) found.signal = p;
    }
    std::vector<int64_t> ids;
    for (const auto &[key, found] : collisions) {
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
