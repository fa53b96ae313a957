#include "truth_graph.h"

#include "errors.h"

#include <algorithm>
#include <string>

namespace sqlamarr::truth {

namespace {

[[noreturn]] void fail(const std::string &message) { throw Error(SQLAMARR_DATA, message); }

void check_ascending(const int64_t *ids, int64_t n, const char *column) {
    for (int64_t i = 1; i < n; ++i)
        if (ids[i - 1] >= ids[i])
            fail(std::string(column) + " must ascend without repetition; row " + std::to_string(i) + " holds " +
                 std::to_string(ids[i]) + " after " + std::to_string(ids[i - 1]) + ". Sort by id and drop duplicates.");
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

uint64_t magnitude(int64_t value) {
    return value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

} // namespace

Graph::Graph(const sqlamarr_truth_input &input) : in(input) {
    check_ascending(in.genparticle_id, in.n_particles, "genparticle_id");
    check_ascending(in.genvertex_id, in.n_vertices, "genvertex_id");
    production = resolve(in, in.production_vertex, in.production_null, "production_vertex");
    end = resolve(in, in.end_vertex, in.end_null, "end_vertex");
    incoming = group(end, in.n_vertices);
    outgoing = group(production, in.n_vertices);
}

bool Graph::earlier(int64_t a, int64_t b) const {
    const uint64_t first = magnitude(in.p_hepmc_id[a]), second = magnitude(in.p_hepmc_id[b]);
    return first != second ? first < second : in.genparticle_id[a] < in.genparticle_id[b];
}

std::vector<int64_t> Graph::ordered() const {
    const auto n = static_cast<size_t>(in.n_vertices);
    std::vector<int64_t> waiting(n, 0), order;
    order.reserve(n);
    for (size_t p = 0; p < end.size(); ++p)
        if (end[p] != none && production[p] != none) ++waiting[static_cast<size_t>(end[p])];
    for (size_t v = 0; v < n; ++v)
        if (!waiting[v]) order.push_back(static_cast<int64_t>(v));
    for (size_t i = 0; i < order.size(); ++i)
        for (int64_t p : outgoing.of(order[i])) {
            const int64_t v = end[static_cast<size_t>(p)];
            if (v != none && --waiting[static_cast<size_t>(v)] == 0) order.push_back(v);
        }
    if (order.size() == n) return order;
    const auto stuck = std::find_if(waiting.begin(), waiting.end(), [](int64_t w) { return w > 0; }) - waiting.begin();
    fail("Event " + std::to_string(in.v_event_id[stuck]) + ": the decay graph has a cycle that leads to vertex " +
         std::to_string(in.genvertex_id[stuck]) + ", expected none. Mend or skip the event.");
}

// Monte Carlo particle numbering scheme, Review of Particle Physics: n nr nL nq1 nq2 nq3 nJ.
bool is_hadron_boson_or_charged_lepton(int64_t pid) {
    const uint64_t code = magnitude(pid);
    if (code >= 1000000000) return code < 1100000000; // nuclei: 10LZZZAAAI
    if (code >= 9900000) return false;                // generator specific states
    if (code <= 100) {
        const bool lepton = code == 11 || code == 13 || code == 15 || code == 17;
        return lepton || (code >= 22 && code <= 25) || (code >= 32 && code <= 42);
    }
    if (code == 110 || code == 990 || code == 9990) return false; // reggeon, pomeron, odderon
    return code / 10 % 10 != 0 && code / 100 % 10 != 0;           // a diquark has no third quark
}

} // namespace sqlamarr::truth
