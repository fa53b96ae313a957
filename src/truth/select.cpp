// MCParticles and MCVertices: the generator's graph reduced to the particles that matter.
#include "columns/columns.h"
#include "core/codes.h"
#include "core/errors.h"
#include "core/pdg.h"
#include "truth/graph.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <ranges>

namespace sqlamarr::truth {

namespace {

using Flags = std::vector<uint8_t>;

size_t at(int64_t row) { return static_cast<size_t>(row); }

class Selection {
public:
    Selection(const sqlamarr_truth_input &input, const sqlamarr_truth_options &options)
        : graph(input), order(graph.ordered()), kept(at(input.n_particles)), signal(at(input.n_particles)),
          place(at(input.n_vertices)), anchor(at(input.n_vertices), none), used(at(input.n_vertices)) {
        for (int64_t p = 0; p < input.n_particles; ++p) {
            kept[at(p)] = wanted(p, options);
            signal[at(p)] = input.status[p] == options.signal_status;
        }
        if (options.collapse_copies) collapse();
        find_places();
        for (int64_t v : order) anchor[at(v)] = find_anchor(v);
        mark_used();
    }

    Graph graph;
    std::vector<int64_t> order;
    Flags kept, signal;
    std::vector<int64_t> place;  // by vertex, itself, or for a primary the first of its collision at the same place
    std::vector<int64_t> anchor; // by vertex, its anchor
    Flags used;                  // vertices that become MCVertices

    // The kept particle that decays at vertex v, none at a primary.
    int64_t mother(int64_t v) const {
        return graph.in.is_primary[v] ? none : first(v, [&](int64_t p) { return kept[at(p)] != 0; });
    }

private:
    bool wanted(int64_t p, const sqlamarr_truth_options &options) const {
        const int64_t status = graph.in.status[p];
        for (int64_t i = 0; i < options.n_statuses; ++i)
            if (options.statuses[i] == status) return true;
        if (!options.keep_decayed || graph.end[at(p)] == none || !decays_somewhere(graph.in.pid[p])) return false;
        if (status == codes::documentation || status == codes::beam) return false;
        // Generators document the steps of a hard process with 11 to 200, but write a new particle that flies there
        // too.
        return status < 11 || status > 200 || flew(p);
    }

    bool flew(int64_t p) const {
        const int64_t from = graph.production[at(p)], to = graph.end[at(p)];
        const auto &in = graph.in;
        return from != none && (in.x[from] != in.x[to] || in.y[from] != in.y[to] || in.z[from] != in.z[to]);
    }

    template <class Accept> int64_t first(int64_t v, Accept accept) const {
        int64_t best = none;
        for (int64_t p : graph.incoming.of(v))
            if (accept(p) && (best == none || graph.earlier(p, best))) best = p;
        return best;
    }

    // The particle of which the only one that ends at vertex v is a copy, or none.
    int64_t copied_to(int64_t v) const {
        const auto in = graph.incoming.of(v);
        if (in.size() != 1) return none;
        int64_t same = none;
        for (int64_t p : graph.outgoing.of(v)) {
            if (graph.in.pid[p] == graph.in.pid[in[0]]) {
                if (same != none) return none;
                same = p;
            } else if (graph.in.pid[p] != 22) {
                return none;
            }
        }
        return same;
    }

    // Backwards through the chains: a copy goes only if a later one of its chain stays.
    void collapse() {
        Flags represented = kept;
        std::vector<int64_t> next(kept.size(), none);
        for (int64_t v : order | std::views::reverse) {
            const int64_t daughter = copied_to(v);
            if (daughter == none || !represented[at(daughter)]) continue;
            const int64_t copy = graph.incoming.of(v)[0];
            next[at(copy)] = daughter;
            represented[at(copy)] = 1;
            kept[at(copy)] = 0;
        }
        for (int64_t v : order)
            for (int64_t p : graph.incoming.of(v))
                if (next[at(p)] != none && signal[at(p)]) signal[at(next[at(p)])] = 1;
    }

    // Generators may give each beam a vertex of its own where they meet: that is one vertex of the collision.
    void find_places() {
        std::vector<int64_t> primaries; // of the collision at hand, at different places
        for (int64_t v = 0; v < graph.in.n_vertices; ++v) {
            place[at(v)] = v;
            if (!graph.in.is_primary[v]) continue;
            if (!primaries.empty() && graph.in.v_genevent_id[primaries.back()] != graph.in.v_genevent_id[v])
                primaries.clear();
            const auto same = std::ranges::find_if(primaries, [&](int64_t other) { return together(v, other); });
            if (same == primaries.end())
                primaries.push_back(v);
            else
                place[at(v)] = *same;
        }
    }

    bool together(int64_t a, int64_t b) const {
        const auto &in = graph.in;
        return in.t[a] == in.t[b] && in.x[a] == in.x[b] && in.y[a] == in.y[b] && in.z[a] == in.z[b];
    }

    int64_t find_anchor(int64_t v) const {
        const auto in = graph.incoming.of(v);
        if (graph.in.is_primary[v]) return place[at(v)];
        if (std::ranges::any_of(in, [&](int64_t p) { return kept[at(p)] != 0; })) return v;
        const int64_t p = first(v, [&](int64_t q) { return graph.production[at(q)] != none; });
        return p == none ? v : anchor[at(graph.production[at(p)])];
    }

    void mark_used() {
        for (int64_t v = 0; v < graph.in.n_vertices; ++v)
            if (graph.in.is_primary[v]) used[at(place[at(v)])] = 1;
        for (size_t p = 0; p < kept.size(); ++p) {
            if (!kept[p]) continue;
            if (graph.end[p] != none) used[at(place[at(graph.end[p])])] = 1;
            if (graph.production[p] != none) used[at(anchor[at(graph.production[p])])] = 1;
        }
    }
};

using Rows = std::vector<int64_t>;

Rows rows_of(const Flags &mask) {
    Rows rows;
    rows.reserve(static_cast<size_t>(std::ranges::count_if(mask, [](uint8_t flag) { return flag != 0; })));
    for (size_t row = 0; row < mask.size(); ++row)
        if (mask[row]) rows.push_back(static_cast<int64_t>(row));
    return rows;
}

void copy(Columns &table, const char *name, const int64_t *values, const Rows &rows) {
    auto &out = table.add(name, SQLAMARR_INT64).integers;
    out.reserve(rows.size());
    for (int64_t row : rows) out.push_back(values[row]);
}

void copy(Columns &table, const char *name, const double *values, const Rows &rows) {
    auto &out = table.add(name, SQLAMARR_FLOAT64).reals;
    out.reserve(rows.size());
    for (int64_t row : rows) out.push_back(values[row]);
}

// References of the given rows; `target(p)` is a row of `ids`, or none for NULL.
template <class Target>
void refer(Columns &table, const char *name, const Rows &rows, const int64_t *ids, Target target) {
    auto &column = table.add(name, SQLAMARR_INT64);
    column.integers.reserve(rows.size());
    for (int64_t p : rows) {
        const int64_t row = target(p);
        if (row == none)
            column.push_null();
        else
            column.push(ids[row]);
    }
}

void fill_vertices(Columns &table, const Selection &s) {
    const auto &in = s.graph.in;
    const Rows rows = rows_of(s.used);
    copy(table, "mcvertex_id", in.genvertex_id, rows);
    copy(table, "event_id", in.v_event_id, rows);
    copy(table, "genevent_id", in.v_genevent_id, rows);
    copy(table, "genvertex_id", in.genvertex_id, rows);
    copy(table, "status", in.v_status, rows);
    copy(table, "is_primary", in.is_primary, rows);
    copy(table, "t", in.t, rows);
    copy(table, "x", in.x, rows);
    copy(table, "y", in.y, rows);
    copy(table, "z", in.z, rows);
}

// Charges by PDG code; the few species of an event come again and again.
class Charges {
public:
    std::optional<int64_t> operator()(int64_t pid) {
        Entry &entry = entries_[magnitude(pid) % entries_.size()];
        if (entry.pid != pid) entry = {pid, look_up(pid)};
        return entry.charge;
    }

private:
    struct Entry {
        int64_t pid = 0; // which has no charge
        std::optional<int64_t> charge{};
    };
    static std::optional<int64_t> look_up(int64_t pid) {
        const auto three = pdg_three_charge(pid);
        return three && *three % 3 == 0 ? std::optional<int64_t>(*three / 3) : std::nullopt;
    }
    std::vector<Entry> entries_ = std::vector<Entry>(1021);
};

void fill_charges(Columns &table, const Selection &s, const Rows &rows) {
    auto &column = table.add("charge", SQLAMARR_INT64);
    column.integers.reserve(rows.size());
    Charges charges;
    for (int64_t p : rows) {
        if (const auto charge = charges(s.graph.in.pid[p]))
            column.push(*charge);
        else
            column.push_null();
    }
}

void fill_links(Columns &table, const Selection &s, const Rows &rows) {
    const auto &in = s.graph.in;
    const auto origin = [&](int64_t p) {
        const int64_t v = s.graph.production[at(p)];
        return v == none ? none : s.anchor[at(v)];
    };
    const auto mother = [&](int64_t p) { return origin(p) == none ? none : s.mother(origin(p)); };
    refer(table, "production_vertex", rows, in.genvertex_id, origin);
    refer(table, "end_vertex", rows, in.genvertex_id, [&](int64_t p) {
        const int64_t v = s.graph.end[at(p)];
        return v == none ? none : s.place[at(v)];
    });
    refer(table, "mother", rows, in.genparticle_id, mother);
}

void fill_particles(Columns &table, const Selection &s) {
    const auto &in = s.graph.in;
    const Rows rows = rows_of(s.kept);
    copy(table, "mcparticle_id", in.genparticle_id, rows);
    copy(table, "event_id", in.p_event_id, rows);
    copy(table, "genevent_id", in.p_genevent_id, rows);
    copy(table, "genparticle_id", in.genparticle_id, rows);
    fill_links(table, s, rows);
    copy(table, "pid", in.pid, rows);
    copy(table, "status", in.status, rows);
    copy(table, "pe", in.pe, rows);
    copy(table, "px", in.px, rows);
    copy(table, "py", in.py, rows);
    copy(table, "pz", in.pz, rows);
    copy(table, "m", in.m, rows);
    fill_charges(table, s, rows);
    auto &is_signal = table.add("is_signal", SQLAMARR_INT64).integers;
    for (int64_t p : rows) is_signal.push_back(s.signal[at(p)]);
}

} // namespace

} // namespace sqlamarr::truth

int sqlamarr_select_truth(const sqlamarr_truth_input *input, const sqlamarr_truth_options *options,
                          sqlamarr_columns **mcparticles, sqlamarr_columns **mcvertices) {
    return sqlamarr::guard([&] {
        const sqlamarr::truth::Selection selection(*input, *options);
        auto particles = std::make_unique<sqlamarr_columns>();
        auto vertices = std::make_unique<sqlamarr_columns>();
        sqlamarr::truth::fill_particles(particles->table, selection);
        sqlamarr::truth::fill_vertices(vertices->table, selection);
        *mcparticles = particles.release();
        *mcvertices = vertices.release();
    });
}
