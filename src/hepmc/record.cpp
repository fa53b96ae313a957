#include "hepmc/record.h"

#include <algorithm>

namespace sqlamarr::hepmc {

void Record::clear() {
    auto kept_weights = std::move(weights);
    auto kept_vertices = std::move(vertices);
    auto kept_particles = std::move(particles);
    *this = Record{};
    weights = std::move(kept_weights);
    vertices = std::move(kept_vertices);
    particles = std::move(kept_particles);
    weights.clear();
    vertices.clear();
    particles.clear();
}

void read_units(Record &record, Line &line) {
    if (!record.vertices.empty() || !record.particles.empty())
        line.fail("units must be stated before the first vertex and particle of a record");
    const std::string_view momentum = line.word("the unit of momentum");
    if (momentum != "MEV" && momentum != "GEV")
        line.fail("the unit of momentum must be MEV or GEV, found \"" + excerpt(momentum) + "\"");
    const std::string_view length = line.word("the unit of length");
    if (length != "MM" && length != "CM")
        line.fail("the unit of length must be MM or CM, found \"" + excerpt(length) + "\"");
    line.expect_end();
    record.to_mev = momentum == "GEV" ? 1000 : 1;
    record.to_mm = length == "CM" ? 10 : 1;
}

void read_cross_section(Record &record, Line &line) {
    record.cross_section = line.real("the cross-section");
    record.cross_section_error = line.real("the error of the cross-section");
}

namespace {

// Almost every generator lists vertices in the order of decay: then no cycle is possible.
bool in_order(const Record &record) {
    return std::ranges::all_of(record.particles, [](const Particle &particle) {
        return particle.production == none || particle.end == none || particle.production < particle.end;
    });
}

// Kahn's algorithm over vertices; what is never freed of its incoming edges lies on a cycle or behind one.
void refuse_cycles(const Record &record) {
    const size_t n = record.vertices.size();
    std::vector<int32_t> waiting(n, 0), first_out(n, none), next_out(record.particles.size(), none), ready;
    for (size_t i = 0; i < record.particles.size(); ++i) {
        const Particle &particle = record.particles[i];
        if (particle.production == none || particle.end == none) continue;
        ++waiting[static_cast<size_t>(particle.end)];
        next_out[i] = first_out[static_cast<size_t>(particle.production)];
        first_out[static_cast<size_t>(particle.production)] = static_cast<int32_t>(i);
    }
    for (size_t v = 0; v < n; ++v) {
        if (waiting[v] == 0) ready.push_back(static_cast<int32_t>(v));
    }
    for (size_t done = 0; done < ready.size(); ++done) {
        for (int32_t p = first_out[static_cast<size_t>(ready[done])]; p != none; p = next_out[static_cast<size_t>(p)]) {
            const int32_t next = record.particles[static_cast<size_t>(p)].end;
            if (--waiting[static_cast<size_t>(next)] == 0) ready.push_back(next);
        }
    }
    for (size_t v = 0; v < n; ++v) {
        if (waiting[v] > 0)
            record.fail("a particle is its own ancestor: the decays around vertex " +
                        std::to_string(record.vertices[v].hepmc_id) + " form a cycle");
    }
}

int32_t mother_vertex(const Record &record, int32_t vertex) {
    const int32_t mother = record.vertices[static_cast<size_t>(vertex)].first_in;
    return mother == none ? none : record.particles[static_cast<size_t>(mother)].production;
}

// As HepMC3 does: a vertex at (0, 0, 0, 0) has no position of its own and stands where the production
// vertex of its first incoming particle stands, and in the end where the event was shifted to.
void inherit_positions(Record &record) {
    std::vector<int32_t> path;
    std::vector<uint8_t> settled(record.vertices.size(), 0);
    for (size_t start = 0; start < record.vertices.size(); ++start) {
        if (record.vertices[start].has_position()) continue;
        path.clear();
        auto at = static_cast<int32_t>(start);
        while (at != none && !settled[static_cast<size_t>(at)]) {
            if (record.vertices[static_cast<size_t>(at)].has_position()) break;
            path.push_back(at);
            at = mother_vertex(record, at);
        }
        Vertex source;
        source.x = record.x, source.y = record.y, source.z = record.z, source.t = record.t;
        if (at != none) source = record.vertices[static_cast<size_t>(at)];
        for (const int32_t index : path) {
            Vertex &vertex = record.vertices[static_cast<size_t>(index)];
            vertex.x = source.x, vertex.y = source.y, vertex.z = source.z, vertex.t = source.t;
            settled[static_cast<size_t>(index)] = 1;
        }
    }
}

} // namespace

void finish(Record &record) {
    if (!in_order(record)) refuse_cycles(record);
    inherit_positions(record);
}

} // namespace sqlamarr::hepmc
