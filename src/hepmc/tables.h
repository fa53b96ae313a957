// The tables of parsed events, and what was refused.
#pragma once

#include "columns/columns.h"
#include "hepmc/record.h"

#include <vector>

namespace sqlamarr::hepmc {

struct Tables {
    Columns events, vertices, particles, weights, errors;

    Tables();
    // Append one event: its records and their descriptions, `n` of each, in order.
    // Make room for the rows of so much text.
    void expect(size_t bytes);
    void append(const std::vector<Record> &records, const sqlamarr_hepmc_record *where, size_t n);
    void reject(int64_t event_id, const Malformed &reason);
};

} // namespace sqlamarr::hepmc

struct sqlamarr_hepmc {
    sqlamarr_columns events, vertices, particles, weights, errors;

    explicit sqlamarr_hepmc(sqlamarr::hepmc::Tables &&tables)
        : events{std::move(tables.events)}, vertices{std::move(tables.vertices)},
          particles{std::move(tables.particles)}, weights{std::move(tables.weights)}, errors{std::move(tables.errors)} {
    }
};
