// Records of HepMC2's IO_GenEvent: a V line is followed by its orphans and its outgoing particles.
#include "core/codes.h"
#include "hepmc/index.h"

namespace sqlamarr::hepmc {
namespace {

constexpr int64_t most_fields = 100'000'000; // a count beyond this is damage, not data

void read_event_line(Record &record, Line &line) {
    record.event_number = line.integer("the event number");
    line.integer("the number of multiple interactions");
    record.scale = line.real("the scale");
    record.alpha_qcd = line.real("alpha QCD");
    record.alpha_qed = line.real("alpha QED");
    record.process_id = line.integer("the process id");
    record.has_process_id = true;
    line.integer("the barcode of the signal vertex");
    record.declared_vertices = line.count("the number of vertices", most_fields);
    record.beams[0] = line.integer("the barcode of the first beam");
    record.beams[1] = line.integer("the barcode of the second beam");
    const int64_t states = line.count("the number of random states", most_fields);
    for (int64_t i = 0; i < states; ++i) line.word("a random state");
    const int64_t weights = line.count("the number of weights", most_fields);
    for (int64_t i = 0; i < weights; ++i) record.weights.push_back(line.real("a weight"));
    line.expect_end();
}

// Returns how many P lines must follow.
int64_t read_vertex(Record &record, Line &line) {
    Vertex vertex;
    vertex.hepmc_id = line.integer("the barcode");
    if (vertex.hepmc_id >= 0) line.fail("the barcode of a vertex must be negative");
    vertex.status = line.integer("the id");
    vertex.x = line.finite("x");
    vertex.y = line.finite("y");
    vertex.z = line.finite("z");
    vertex.t = line.finite("t");
    const int64_t orphans = line.count("the number of orphans", most_fields);
    const int64_t outgoing = line.count("the number of outgoing particles", most_fields);
    const int64_t weights = line.count("the number of weights", most_fields);
    for (int64_t i = 0; i < weights; ++i) line.real("a weight");
    line.expect_end();
    record.vertices.push_back(vertex);
    return orphans + outgoing;
}

void read_particle(Record &record, Line &line) {
    if (record.vertices.empty()) line.fail("a particle before the first vertex of its record");
    Particle particle;
    particle.hepmc_id = line.integer("the barcode");
    read_kinematics(line, particle);
    line.real("theta of the polarization");
    line.real("phi of the polarization");
    particle.link = line.integer("the end vertex");
    const int64_t flows = line.count("the number of flows", most_fields);
    for (int64_t i = 0; i < 2 * flows; ++i) line.integer("a flow");
    line.expect_end();
    const auto vertex = static_cast<int32_t>(record.vertices.size()) - 1;
    // An orphan is listed with the vertex it ends in; it has no production vertex.
    particle.production = particle.link == record.vertices.back().hepmc_id ? none : vertex;
    record.particles.push_back(particle);
}

void check_complete(const Record &record, int64_t expected, int64_t found) {
    if (found < expected)
        record.fail("vertex " + std::to_string(record.vertices.back().hepmc_id) + " announces " +
                    std::to_string(expected) + " particles, found " + std::to_string(found));
}

void set_end(Record &record, size_t particle, int32_t vertex) {
    record.particles[particle].end = vertex;
    int32_t &first = record.vertices[static_cast<size_t>(vertex)].first_in;
    if (first == none) first = static_cast<int32_t>(particle);
}

void link_end_vertices(Record &record) {
    const VertexIndex index(record);
    for (const bool orphans : {true, false}) { // orphans come first among the incoming
        for (size_t i = 0; i < record.particles.size(); ++i) {
            const Particle &particle = record.particles[i];
            if (particle.link == 0 || (particle.production == none) != orphans) continue;
            const int32_t vertex = index.find(particle.link);
            if (vertex == none)
                record.fail("particle " + std::to_string(particle.hepmc_id) + " ends in vertex " +
                            std::to_string(particle.link) + ", which the record does not contain");
            set_end(record, i, vertex);
        }
    }
}

// Some writers list the beams among the outgoing particles of a root vertex without incoming ones.
void adopt_beams(Record &record) {
    std::vector<uint8_t> has_incoming(record.vertices.size());
    for (size_t v = 0; v < record.vertices.size(); ++v) has_incoming[v] = record.vertices[v].first_in != none;
    for (size_t i = 0; i < record.particles.size(); ++i) {
        Particle &particle = record.particles[i];
        if (particle.status != codes::beam || particle.end != none || particle.production == none) continue;
        if (has_incoming[static_cast<size_t>(particle.production)]) continue;
        const int32_t vertex = particle.production;
        particle.production = none;
        set_end(record, i, vertex);
    }
}

void flag_primary(Record &record, const Particle &beam) {
    if (beam.end != none) record.vertices[static_cast<size_t>(beam.end)].primary = true;
}

// The E line names the beams. HepMC3's converter names a particle that does not exist where there is no beam
// (10000, 0 being no id), so an unknown barcode is no error; without a known one, status 4 tells the beams.
void find_primaries(Record &record) {
    bool found = false;
    for (const Particle &particle : record.particles) {
        const int64_t id = particle.hepmc_id;
        if (id == 0 || (id != record.beams[0] && id != record.beams[1])) continue;
        found = true;
        flag_primary(record, particle);
    }
    if (found) return;
    for (const Particle &particle : record.particles) {
        if (particle.status == codes::beam && particle.production == none) flag_primary(record, particle);
    }
}

struct Reader {
    Record &record;
    int64_t expected = 0, before = 0; // P lines that the last V line announces; particles before it
    bool begun = false;

    int64_t found() const { return static_cast<int64_t>(record.particles.size()) - before; }

    void read(Line line) {
        const char kind = line.kind();
        line.skip_kind();
        if (!begun && kind != 'E') line.fail("expected a line that begins with E");
        switch (kind) {
        case 'E': return event(line);
        case 'P': return read_particle(record, line);
        case 'V': return vertex(line);
        case 'U': return read_units(record, line);
        case 'C': return read_cross_section(record, line);
        case 'N':
        case 'F':
        case 'H': return; // weight names, parton densities, heavy ions: not stored
        default: line.fail("an unknown kind of line; expected one of E, N, U, C, H, F, V, P");
        }
    }
    void event(Line &line) {
        if (begun) line.fail("a second E line in one record");
        begun = true;
        read_event_line(record, line);
    }
    void vertex(Line &line) {
        check_complete(record, expected, found());
        expected = read_vertex(record, line);
        before = static_cast<int64_t>(record.particles.size());
    }
};

} // namespace

void read_hepmc2(Record &record, std::string_view text, int64_t line) {
    record.clear();
    Reader reader{record};
    each_line(record, text, line, [&](Line next) { reader.read(next); });
    check_complete(record, reader.expected, reader.found());
    const auto vertices = static_cast<int64_t>(record.vertices.size());
    if (vertices != record.declared_vertices)
        record.fail("the E line announces " + std::to_string(record.declared_vertices) + " vertices, found " +
                    std::to_string(vertices));
    link_end_vertices(record);
    adopt_beams(record);
    find_primaries(record);
    finish(record);
}

} // namespace sqlamarr::hepmc
