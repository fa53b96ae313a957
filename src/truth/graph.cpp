#include "truth/graph.h"

#include "core/errors.h"

#include <algorithm>
#include <string>

namespace sqlamarr::truth {

namespace {

[[noreturn]] void fail(const std::string &message) { throw Error(SQLAMARR_DATA, message); }

void check_ascending(const int64_t *ids, const int64_t *event_id, int64_t n, const char *column) {
    for (int64_t i = 1; i < n; ++i) {
        if (ids[i - 1] < ids[i]) continue;
        const std::string where = "Event " + std::to_string(event_id[i]) + ": " + column + " " + std::to_string(ids[i]);
        if (ids[i - 1] == ids[i]) fail(where + " appears twice, expected once. Drop the repeated row.");
        fail(where + " follows " + std::to_string(ids[i - 1]) + ", expected ascending ids. Sort the rows by id.");
    }
}

// Ids are gapless within an event as a rule: the distance of the last hit finds the next.
class Lookup {
public:
    explicit Lookup(const sqlamarr_truth_input &in) : in_(in) {}
    int64_t operator()(int64_t particle, int64_t id, const char *column) {
        int64_t row = last_;
        if (row < in_.n_vertices) row = guess(id);
        if (row < 0 || row >= in_.n_vertices || in_.genvertex_id[row] != id) row = search(id);
        if (row == in_.n_vertices || in_.genvertex_id[row] != id || in_.v_event_id[row] != in_.p_event_id[particle] ||
            in_.v_genevent_id[row] != in_.p_genevent_id[particle])
            fail("Event " + std::to_string(in_.p_event_id[particle]) + ": particle " +
                 std::to_string(in_.genparticle_id[particle]) + " has " + column + " " + std::to_string(id) +
                 ", expected the id of a vertex of the same collision. Check GenVertices.");
        return last_ = row;
    }

private:
    int64_t guess(int64_t id) const {
        // Unsigned: ids may be anything, and a wrong guess does no harm.
        return static_cast<int64_t>(static_cast<uint64_t>(last_) + static_cast<uint64_t>(id) -
                                    static_cast<uint64_t>(in_.genvertex_id[last_]));
    }
    int64_t search(int64_t id) const {
        return std::lower_bound(in_.genvertex_id, in_.genvertex_id + in_.n_vertices, id) - in_.genvertex_id;
    }
    const sqlamarr_truth_input &in_;
    int64_t last_ = 0;
};

std::vector<int64_t> resolve(const sqlamarr_truth_input &in, const int64_t *ids, const uint8_t *nulls,
                             const char *column) {
    std::vector<int64_t> rows(static_cast<size_t>(in.n_particles), none);
    Lookup lookup(in);
    for (int64_t p = 0; p < in.n_particles; ++p)
        if (!nulls || !nulls[p]) rows[static_cast<size_t>(p)] = lookup(p, ids[p], column);
    return rows;
}

Groups group(const std::vector<int64_t> &vertex, int64_t n_vertices) {
    Groups groups;
    groups.start.assign(static_cast<size_t>(n_vertices) + 1, 0);
    for (int64_t v : vertex)
        if (v != none) ++groups.start[static_cast<size_t>(v) + 1];
    for (size_t v = 1; v < groups.start.size(); ++v) groups.start[v] += groups.start[v - 1];
    groups.rows.resize(static_cast<size_t>(groups.start.back()));
    auto next = groups.start;
    for (size_t p = 0; p < vertex.size(); ++p)
        if (vertex[p] != none)
            groups.rows[static_cast<size_t>(next[static_cast<size_t>(vertex[p])]++)] = static_cast<int64_t>(p);
    return groups;
}

} // namespace

Graph::Graph(const sqlamarr_truth_input &input) : in(input) {
    check_ascending(in.genparticle_id, in.p_event_id, in.n_particles, "genparticle_id");
    check_ascending(in.genvertex_id, in.v_event_id, in.n_vertices, "genvertex_id");
    production = resolve(in, in.production_vertex, in.production_null, "production_vertex");
    end = resolve(in, in.end_vertex, in.end_null, "end_vertex");
    incoming = group(end, in.n_vertices);
    outgoing = group(production, in.n_vertices);
}

bool Graph::earlier(int64_t a, int64_t b) const {
    const uint64_t first = magnitude(in.p_hepmc_id[a]), second = magnitude(in.p_hepmc_id[b]);
    return first != second ? first < second : in.genparticle_id[a] < in.genparticle_id[b];
}

// Every root is followed to its last descendant before the next: a walk over all events at once, level by
// level, would leave the processor's caches at each step.
std::vector<int64_t> Graph::ordered() const {
    constexpr int64_t done = -1;
    const auto n = static_cast<size_t>(in.n_vertices);
    std::vector<int64_t> waiting(n, 0), order;
    order.reserve(n);
    for (size_t p = 0; p < end.size(); ++p)
        if (end[p] != none && production[p] != none) ++waiting[static_cast<size_t>(end[p])];
    const auto take = [&](int64_t v) {
        waiting[static_cast<size_t>(v)] = done;
        order.push_back(v);
    };
    for (size_t v = 0, next = 0; v < n; ++v) {
        if (waiting[v] == 0) take(static_cast<int64_t>(v));
        for (; next < order.size(); ++next)
            for (int64_t p : outgoing.of(order[next])) {
                const int64_t w = end[static_cast<size_t>(p)];
                if (w != none && --waiting[static_cast<size_t>(w)] == 0) take(w);
            }
    }
    if (order.size() == n) return order;
    const auto stuck = std::find_if(waiting.begin(), waiting.end(), [](int64_t w) { return w > 0; }) - waiting.begin();
    fail("Event " + std::to_string(in.v_event_id[stuck]) + ": the decay graph has a cycle that leads to vertex " +
         std::to_string(in.genvertex_id[stuck]) + ", expected none. Correct or skip the event.");
}

} // namespace sqlamarr::truth
