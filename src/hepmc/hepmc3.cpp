// Records of HepMC3's Asciiv3: particles are numbered from 1; a P line names its parent, a vertex or a particle.
#include "core/codes.h"
#include "hepmc/index.h"

namespace sqlamarr::hepmc {
namespace {

constexpr int64_t most_rows = 1'000'000'000;

void read_position(Line &line, double &x, double &y, double &z, double &t) {
    x = line.finite("x");
    y = line.finite("y");
    z = line.finite("z");
    t = line.finite("t");
    line.expect_end();
}

void read_event_line(Record &record, Line &line) {
    record.event_number = line.integer("the event number");
    record.declared_vertices = line.count("the number of vertices", most_rows);
    record.declared_particles = line.count("the number of particles", most_rows);
    if (line.at_end()) return;
    if (line.word("@") != "@") line.fail("expected @ before the position of the event");
    read_position(line, record.x, record.y, record.z, record.t);
}

// Attributes are free text; only those whose meaning HepMC3 defines are read, if they are numbers.
void read_attribute(Record &record, Line &line) {
    if (line.integer("the id of the attribute's owner") != 0) return;
    const std::string_view name = line.word("the name of the attribute");
    if (name == "GenCrossSection") return read_cross_section(record, line);
    if (name == "event_scale") record.scale = line.real("the scale");
    if (name == "alphaQCD") record.alpha_qcd = line.real("alpha QCD");
    if (name == "alphaQED") record.alpha_qed = line.real("alpha QED");
    if (name != "signal_process_id") return;
    record.process_id = line.integer("the process id");
    record.has_process_id = true;
}

struct Incoming {
    int32_t vertex;
    int64_t particle;
};

struct Reader {
    Record &record;
    std::vector<Incoming> incoming{}; // from the lists of the V lines, in HepMC3's order
    bool begun = false, has_weights = false;

    void read(Line line) {
        const char kind = line.kind();
        line.skip_kind();
        if (!begun && kind != 'E') line.fail("expected a line that begins with E");
        switch (kind) {
        case 'E': return event(line);
        case 'P': return particle(line);
        case 'V': return vertex(line);
        case 'U': return read_units(record, line);
        case 'W': return weights(line);
        case 'A': return record.particles.empty() && record.vertices.empty() ? read_attribute(record, line) : void();
        case 'T': return;
        default: line.fail("an unknown kind of line; expected one of E, U, W, A, T, V, P");
        }
    }
    void event(Line &line) {
        if (begun) line.fail("a second E line in one record");
        begun = true;
        read_event_line(record, line);
    }
    void weights(Line &line) {
        // A later W line belongs to the run information of what follows.
        if (has_weights || !record.particles.empty() || !record.vertices.empty()) return;
        has_weights = true;
        while (!line.at_end()) record.weights.push_back(line.real("a weight"));
    }
    void particle(Line &line);
    void vertex(Line &line);
    void list_of_incoming(Line &line, std::string_view list);
};

void Reader::particle(Line &line) {
    Particle particle;
    particle.hepmc_id = line.integer("the id");
    const auto expected = static_cast<int64_t>(record.particles.size()) + 1;
    if (particle.hepmc_id != expected)
        line.fail("particles are numbered in order: expected particle " + std::to_string(expected) + ", found " +
                  std::to_string(particle.hepmc_id));
    particle.link = line.integer("the parent");
    read_kinematics(line, particle);
    line.expect_end();
    record.particles.push_back(particle);
}

void Reader::vertex(Line &line) {
    Vertex vertex;
    vertex.hepmc_id = line.integer("the id");
    if (vertex.hepmc_id >= 0) line.fail("the id of a vertex must be negative");
    vertex.status = line.integer("the status");
    const std::string_view rest = line.rest();
    const size_t close = rest.find(']');
    if (rest.empty() || rest[0] != '[' || close == std::string_view::npos)
        line.fail("expected the list of incoming particles, [1,2,...]");
    record.vertices.push_back(vertex);
    list_of_incoming(line, rest.substr(1, close - 1));
    Line tail(rest.data() + close + 1, rest.data() + rest.size(), line.number());
    if (tail.at_end()) return;
    if (tail.word("@") != "@") line.fail("expected @ before the position of the vertex");
    Vertex &added = record.vertices.back();
    read_position(tail, added.x, added.y, added.z, added.t);
}

// HepMC3 takes the particles that it already knows in the order of the list, then the others by id.
void Reader::list_of_incoming(Line &line, std::string_view list) {
    const auto known = static_cast<int64_t>(record.particles.size());
    const auto index = static_cast<int32_t>(record.vertices.size()) - 1;
    std::vector<int64_t> later;
    const char *position = list.data(), *last = position + list.size();
    while ((position = skip_blanks(position, last)) != last) {
        int64_t id = 0;
        const char *end = scan_integer(position, last, id);
        if (end == position || (end != last && *end != ',')) line.fail("expected ids of particles between [ and ]");
        if (id < 0) line.fail("expected positive ids of particles between [ and ], found " + std::to_string(id));
        if (id > known)
            later.push_back(id);
        else if (id > 0)
            incoming.push_back({index, id}); // 0: none
        position = end == last ? end : end + 1;
    }
    std::sort(later.begin(), later.end());
    later.erase(std::unique(later.begin(), later.end()), later.end());
    for (const int64_t id : later) incoming.push_back({index, id});
}

// Who refers to a particle: put into words only where the reference is wrong.
struct Referrer {
    const char *kind;
    int64_t id;
    std::string words() const { return std::string(kind) + " " + std::to_string(id); }
};

Particle &existing(Record &record, int64_t id, const Referrer &referrer) {
    if (id < 1 || id > static_cast<int64_t>(record.particles.size()))
        record.fail(referrer.words() + " refers to particle " + std::to_string(id) +
                    ", which the record does not contain");
    return record.particles[static_cast<size_t>(id) - 1];
}

void enter(Record &record, int64_t id, int32_t vertex, const Referrer &referrer) {
    Particle &particle = existing(record, id, referrer);
    if (particle.end == vertex) return;
    if (particle.end != none) record.fail("particle " + std::to_string(id) + " ends in two vertices");
    particle.end = vertex;
    int32_t &first = record.vertices[static_cast<size_t>(vertex)].first_in;
    if (first == none) first = static_cast<int32_t>(id) - 1;
}

// A parent that is a particle stands for a vertex without a line of its own, made where it is first named.
int32_t vertex_of_parent(Record &record, const Particle &child) {
    const Referrer referrer{"particle", child.hepmc_id};
    const Particle &parent = existing(record, child.link, referrer);
    if (parent.end == none) {
        record.vertices.emplace_back(); // its id, 0 so far, is given later
        enter(record, child.link, static_cast<int32_t>(record.vertices.size()) - 1, referrer);
    }
    return parent.end;
}

void link(Record &record, const std::vector<Incoming> &incoming) {
    const VertexIndex index(record);
    for (const Incoming &in : incoming) {
        const int64_t id = record.vertices[static_cast<size_t>(in.vertex)].hepmc_id;
        enter(record, in.particle, in.vertex, {"vertex", id});
    }
    for (Particle &particle : record.particles) {
        if (particle.link > 0) particle.production = vertex_of_parent(record, particle);
        if (particle.link >= 0) continue;
        particle.production = index.find(particle.link);
        if (particle.production == none)
            record.fail("particle " + std::to_string(particle.hepmc_id) + " comes from vertex " +
                        std::to_string(particle.link) + ", which the record does not contain");
    }
}

void check_counts(const Record &record) {
    const auto differ = [&](const char *what, int64_t announced, size_t found) {
        if (announced != static_cast<int64_t>(found))
            record.fail("the E line announces " + std::to_string(announced) + " " + what + ", found " +
                        std::to_string(found));
    };
    differ("particles", record.declared_particles, record.particles.size());
    differ("vertices", record.declared_vertices, record.vertices.size());
}

// Vertices without a line of their own get the ids that are free, from -1 down, in order of appearance.
void name_implicit_vertices(Record &record) {
    std::vector<uint8_t> taken(record.vertices.size() + 1, 0);
    for (const Vertex &vertex : record.vertices) {
        if (vertex.hepmc_id < 0 && vertex.hepmc_id >= -static_cast<int64_t>(record.vertices.size()))
            taken[static_cast<size_t>(-vertex.hepmc_id)] = 1;
    }
    size_t next = 1;
    for (Vertex &vertex : record.vertices) {
        if (vertex.hepmc_id != 0) continue;
        while (taken[next]) ++next;
        vertex.hepmc_id = -static_cast<int64_t>(next++);
    }
}

void find_primaries(Record &record) {
    for (const Particle &particle : record.particles) {
        if (particle.production == none && particle.end != none && particle.status == codes::beam)
            record.vertices[static_cast<size_t>(particle.end)].primary = true;
    }
}

} // namespace

void read_hepmc3(Record &record, std::string_view text, int64_t line) {
    record.clear();
    Reader reader{record};
    each_line(record, text, line, [&](Line next) { reader.read(next); });
    link(record, reader.incoming);
    check_counts(record);
    name_implicit_vertices(record);
    find_primaries(record);
    finish(record);
}

} // namespace sqlamarr::hepmc
