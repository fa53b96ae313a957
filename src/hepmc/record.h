// One HepMC record (a collision) between text and tables: arrays with links by index, reused from record to record.
#pragma once

#include "hepmc/line.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace sqlamarr::hepmc {

constexpr int32_t none = -1;
constexpr int64_t rows_per_event = 1'000'000; // ids of an event's rows: event_id + 0 ... 999 999
constexpr double absent = std::numeric_limits<double>::quiet_NaN();

struct Vertex {
    int64_t hepmc_id = 0, status = 0;
    double x = 0, y = 0, z = 0, t = 0;
    int32_t first_in = none; // first incoming particle: where a missing position is inherited from
    bool primary = false;

    bool has_position() const { return x != 0 || y != 0 || z != 0 || t != 0; }
};

struct Particle {
    int64_t hepmc_id = 0, pid = 0, status = 0;
    double px = 0, py = 0, pz = 0, pe = 0, m = 0;
    int64_t link = 0; // as in the file. HepMC2: barcode of the end vertex; HepMC3: id of the parent
    int32_t production = none, end = none;
};

struct Record {
    int64_t first_line = 0, last_line = 0;
    int64_t event_number = 0, process_id = 0;
    bool has_process_id = false;
    double scale = absent, alpha_qcd = absent, alpha_qed = absent;
    double cross_section = absent, cross_section_error = absent;
    double x = 0, y = 0, z = 0, t = 0; // shift of the event
    double to_mev = 1000, to_mm = 1;   // HepMC's defaults where a record states no units: GeV and mm
    int64_t declared_vertices = 0, declared_particles = -1;
    int64_t beams[2] = {0, 0}; // barcodes, HepMC2 only
    std::vector<double> weights;
    std::vector<Vertex> vertices;
    std::vector<Particle> particles;

    void clear();
    [[noreturn]] void fail(const std::string &what) const { throw Malformed{last_line, what}; }
};

// Calls `handle(Line)` for every line that is not empty; throws if the last one does not end in a newline.
template <class Handle> void each_line(Record &record, std::string_view text, int64_t number, Handle &&handle) {
    const char *position = text.data(), *end = position + text.size();
    record.first_line = number;
    while (position != end) {
        const auto *newline =
            static_cast<const char *>(std::memchr(position, '\n', static_cast<size_t>(end - position)));
        const char *stop = newline ? newline : end;
        record.last_line = number;
        if (!newline)
            Line(position, stop, number)
                .fail("the input ends in the middle of a line, where a newline was expected: "
                      "it is truncated");
        const char *trimmed = stop != position && stop[-1] == '\r' ? stop - 1 : stop;
        if (trimmed != position) handle(Line(position, trimmed, number));
        position = newline + 1;
        ++number;
    }
}

// What stands in both formats between the places that a particle has in the record.
inline void read_kinematics(Line &line, Particle &particle) {
    particle.pid = line.integer("the PDG code");
    particle.px = line.finite("px");
    particle.py = line.finite("py");
    particle.pz = line.finite("pz");
    particle.pe = line.finite("the energy");
    particle.m = line.finite("the mass");
    particle.status = line.integer("the status");
}

void read_units(Record &record, Line &line);
void read_cross_section(Record &record, Line &line);

// Fill `record` from the text of one record, links included; throw Malformed.
void read_hepmc2(Record &record, std::string_view text, int64_t line);
void read_hepmc3(Record &record, std::string_view text, int64_t line);

// What both formats share, once the links stand: no cycles, positions inherited.
void finish(Record &record);

} // namespace sqlamarr::hepmc
