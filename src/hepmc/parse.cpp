// HepMC text in, tables out: the C API over the readers of the two formats.
#include "core/errors.h"
#include "hepmc/tables.h"

#include <memory>

using namespace sqlamarr;

namespace {

void check_bounds(const sqlamarr_hepmc_record &record, int64_t length) {
    if (record.begin < 0 || record.end < record.begin || record.end > length)
        throw Error(SQLAMARR_DATA, "A HepMC record must lie within the text of " + std::to_string(length) +
                                       " bytes, found bytes " + std::to_string(record.begin) + " to " +
                                       std::to_string(record.end) + ".");
    if (record.format != 2 && record.format != 3)
        throw Error(SQLAMARR_DATA,
                    "A HepMC record must have format 2 or 3, found " + std::to_string(record.format) + ".");
}

void refuse_too_many(const char *what, int64_t rows, int64_t line) {
    if (rows > hepmc::rows_per_event)
        throw hepmc::Malformed{line, "an event may have at most " + std::to_string(hepmc::rows_per_event) + " " + what +
                                         ", found " + std::to_string(rows) + ": split it"};
}

void read_event(std::vector<hepmc::Record> &pool, const char *text, const sqlamarr_hepmc_record *where, size_t n) {
    if (pool.size() < n) pool.resize(n);
    int64_t vertices = 0, particles = 0;
    refuse_too_many("collisions", static_cast<int64_t>(n), where[0].line);
    for (size_t i = 0; i < n; ++i) {
        const std::string_view body(text + where[i].begin, static_cast<size_t>(where[i].end - where[i].begin));
        (where[i].format == 2 ? hepmc::read_hepmc2 : hepmc::read_hepmc3)(pool[i], body, where[i].line);
        vertices += static_cast<int64_t>(pool[i].vertices.size());
        particles += static_cast<int64_t>(pool[i].particles.size());
        refuse_too_many("vertices", vertices, where[i].line);
        refuse_too_many("particles", particles, where[i].line);
    }
}

hepmc::Tables parse(const char *text, const sqlamarr_hepmc_record *records, size_t n) {
    hepmc::Tables tables;
    std::vector<hepmc::Record> pool;
    size_t bytes = 0;
    for (size_t i = 0; i < n; ++i) bytes += static_cast<size_t>(records[i].end - records[i].begin);
    tables.expect(bytes);
    for (size_t begin = 0, end = 0; begin < n; begin = end) {
        while (end < n && records[end].event_id == records[begin].event_id) ++end;
        try {
            read_event(pool, text, records + begin, end - begin);
            tables.append(pool, records + begin, end - begin);
        } catch (const hepmc::Malformed &reason) {
            tables.reject(records[begin].event_id, reason);
        }
    }
    return tables;
}

} // namespace

int sqlamarr_hepmc_parse(const char *text, int64_t length, const sqlamarr_hepmc_record *records, int64_t n_records,
                         sqlamarr_hepmc **out) {
    return guard([&] {
        for (int64_t i = 0; i < n_records; ++i) check_bounds(records[i], length);
        *out = std::make_unique<sqlamarr_hepmc>(parse(text, records, static_cast<size_t>(n_records))).release();
    });
}

const sqlamarr_columns *sqlamarr_hepmc_table(const sqlamarr_hepmc *parsed, const char *name) {
    const std::string_view wanted(name);
    if (wanted == "GenEvents") return &parsed->events;
    if (wanted == "GenVertices") return &parsed->vertices;
    if (wanted == "GenParticles") return &parsed->particles;
    if (wanted == "GenWeights") return &parsed->weights;
    return wanted == "errors" ? &parsed->errors : nullptr;
}

void sqlamarr_hepmc_free(sqlamarr_hepmc *parsed) { delete parsed; }
