#include "hepmc/tables.h"

#include <array>
#include <initializer_list>

namespace sqlamarr::hepmc {
namespace {

void declare(Columns &table, std::initializer_list<const char *> integers, std::initializer_list<const char *> reals) {
    for (const char *name : integers) table.add(name, SQLAMARR_INT64);
    for (const char *name : reals) table.add(name, SQLAMARR_FLOAT64);
}

template <size_t n> std::array<Column *, n> handles(Columns &table) {
    std::array<Column *, n> out{};
    for (size_t i = 0; i < n; ++i) out[i] = &table.columns[i];
    return out;
}

void push_or_null(Column &column, bool present, int64_t value) { present ? column.push(value) : column.push_null(); }

void append_event(Columns &table, const Record &record, const sqlamarr_hepmc_record &where) {
    const auto c = handles<16>(table);
    c[0]->push(where.event_id + where.collision);
    c[1]->push(where.event_id);
    c[2]->push(static_cast<int64_t>(where.collision));
    c[3]->push(where.datasource_id);
    c[4]->push(record.event_number);
    push_or_null(*c[5], record.has_process_id, record.process_id);
    c[6]->push(record.scale);
    c[7]->push(record.alpha_qcd);
    c[8]->push(record.alpha_qed);
    c[9]->push(record.weights.empty() ? 1.0 : record.weights.front());
    c[10]->push(record.t * record.to_mm);
    c[11]->push(record.x * record.to_mm);
    c[12]->push(record.y * record.to_mm);
    c[13]->push(record.z * record.to_mm);
    c[14]->push(record.cross_section);
    c[15]->push(record.cross_section_error);
}

void append_vertices(Columns &table, const Record &record, const sqlamarr_hepmc_record &where, int64_t id) {
    const auto c = handles<10>(table);
    for (const Vertex &vertex : record.vertices) {
        c[0]->push(id++);
        c[1]->push(where.event_id);
        c[2]->push(where.event_id + where.collision);
        c[3]->push(vertex.hepmc_id);
        c[4]->push(vertex.status);
        c[5]->push(static_cast<int64_t>(vertex.primary));
        c[6]->push(vertex.t * record.to_mm);
        c[7]->push(vertex.x * record.to_mm);
        c[8]->push(vertex.y * record.to_mm);
        c[9]->push(vertex.z * record.to_mm);
    }
}

void append_particles(Columns &table, const Record &record, const sqlamarr_hepmc_record &where, int64_t id,
                      int64_t first_vertex) {
    const auto c = handles<13>(table);
    for (const Particle &particle : record.particles) {
        c[0]->push(id++);
        c[1]->push(where.event_id);
        c[2]->push(where.event_id + where.collision);
        c[3]->push(particle.hepmc_id);
        push_or_null(*c[4], particle.production != none, first_vertex + particle.production);
        push_or_null(*c[5], particle.end != none, first_vertex + particle.end);
        c[6]->push(particle.pid);
        c[7]->push(particle.status);
        c[8]->push(particle.pe * record.to_mev);
        c[9]->push(particle.px * record.to_mev);
        c[10]->push(particle.py * record.to_mev);
        c[11]->push(particle.pz * record.to_mev);
        c[12]->push(particle.m * record.to_mev);
    }
}

void append_weights(Columns &table, const Record &record, const sqlamarr_hepmc_record &where) {
    const auto c = handles<4>(table);
    for (size_t i = 0; i < record.weights.size(); ++i) {
        c[0]->push(where.event_id);
        c[1]->push(where.event_id + where.collision);
        c[2]->push(static_cast<int64_t>(i));
        c[3]->push(record.weights[i]);
    }
}

} // namespace

Tables::Tables() {
    declare(events, {"genevent_id", "event_id", "collision", "datasource_id", "event_number", "process_id"},
            {"scale", "alpha_qcd", "alpha_qed", "weight", "t", "x", "y", "z", "cross_section", "cross_section_error"});
    declare(vertices, {"genvertex_id", "event_id", "genevent_id", "hepmc_id", "status", "is_primary"},
            {"t", "x", "y", "z"});
    declare(
        particles,
        {"genparticle_id", "event_id", "genevent_id", "hepmc_id", "production_vertex", "end_vertex", "pid", "status"},
        {"pe", "px", "py", "pz", "m"});
    declare(weights, {"event_id", "genevent_id", "position"}, {"value"});
    declare(errors, {"event_id", "line"}, {});
    errors.add("message", SQLAMARR_TEXT);
}

// A particle takes about 100 bytes of text, and there are two or three of them to a vertex. What is not
// filled costs nothing: the system gives memory where it is written to.
void Tables::expect(size_t bytes) {
    const auto reserve = [](Columns &table, size_t rows) {
        for (Column &column : table.columns)
            column.type == SQLAMARR_INT64 ? column.integers.reserve(rows) : column.reals.reserve(rows);
    };
    reserve(particles, bytes / 80);
    reserve(vertices, bytes / 160);
}

void Tables::append(const std::vector<Record> &records, const sqlamarr_hepmc_record *where, size_t n) {
    int64_t vertex = where[0].event_id, particle = where[0].event_id;
    for (size_t i = 0; i < n; ++i) {
        append_event(events, records[i], where[i]);
        append_vertices(vertices, records[i], where[i], vertex);
        append_particles(particles, records[i], where[i], particle, vertex);
        append_weights(weights, records[i], where[i]);
        vertex += static_cast<int64_t>(records[i].vertices.size());
        particle += static_cast<int64_t>(records[i].particles.size());
    }
}

void Tables::reject(int64_t event_id, const Malformed &reason) {
    errors.columns[0].push(event_id);
    errors.columns[1].push(reason.line);
    errors.columns[2].push(std::string_view(reason.message));
}

} // namespace sqlamarr::hepmc
