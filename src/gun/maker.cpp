// Particle gun: the generator's tables made from a description instead of read from a file.
#include "core/codes.h"
#include "core/errors.h"
#include "core/portable_math.h"
#include "gun/decay.h"
#include "gun/distribution.h"
#include "hepmc/record.h"
#include "hepmc/tables.h"

#include <algorithm>
#include <memory>
#include <optional>

namespace sqlamarr::gun {

namespace {

using hepmc::none;
using hepmc::Record;

constexpr int64_t work_of_event = 50; // in trials of a daughter, roughly
enum SizeKind { size_p, size_pt, size_energy, size_kinetic };
enum AngleKind { angle_theta, angle_eta, angle_rapidity, angle_cosine };

struct Prepared {
    const sqlamarr_gun &gun;
    std::vector<Distribution> distributions;
    std::vector<std::optional<Joint>> joints; // by head

    explicit Prepared(const sqlamarr_gun &g) : gun(g) {
        for (int32_t i = 0; i < g.n_distributions; ++i) distributions.emplace_back(g.distributions[i], g.numbers);
        for (int32_t h = 0; h < g.n_heads; ++h) {
            const auto &head = g.heads[h];
            auto &joint = joints.emplace_back();
            if (head.joint >= 0) joint.emplace(g.numbers + head.joint, head.joint_n[0], head.joint_n[1]);
        }
    }
    double draw(int32_t index, Draws &draws) const {
        return distributions[static_cast<size_t>(index)](draws.uniform());
    }
};

double sinh(double x) { return 0.5 * (pm_exp(x) - pm_exp(-x)); }
double cosh(double x) { return 0.5 * (pm_exp(x) + pm_exp(-x)); }

double total(int32_t kind, double size, double mass) {
    if (kind == size_kinetic) return std::sqrt(size * (size + 2.0 * mass));
    if (kind != size_energy) return size;
    if (size < mass)
        throw Error(SQLAMARR_DATA, "The particle gun drew an energy of " + std::to_string(size) +
                                       " MeV, below the mass of the particle, " + std::to_string(mass) +
                                       " MeV. Raise the lower limit of 'energy', or give 'kinetic_energy'.");
    return std::sqrt((size - mass) * (size + mass));
}

// Transverse and longitudinal momentum.
void components(const sqlamarr_gun_head &head, double size, double angle, double mass, double &pt, double &pz) {
    const bool transverse = head.size_kind == size_pt;
    const double p = transverse ? size : total(head.size_kind, size, mass);
    double sine, cosine;
    switch (head.angle_kind) {
    case angle_eta:
        pt = transverse ? p : p / cosh(angle);
        pz = transverse ? p * sinh(angle) : p * pm_tanh(angle);
        return;
    case angle_rapidity: // with pT only
        pt = p;
        pz = std::sqrt(p * p + mass * mass) * sinh(angle);
        return;
    case angle_cosine:
        cosine = angle;
        sine = std::sqrt((1.0 - angle) * (1.0 + angle));
        break;
    default: pm_sincos(angle, &sine, &cosine);
    }
    pt = transverse ? p : p * sine;
    pz = transverse ? p * (cosine / sine) : p * cosine;
}

Momentum draw_momentum(const Prepared &plan, int32_t h, double mass, Draws &draws) {
    const auto &head = plan.gun.heads[h];
    double size, angle, sine, cosine, pt, pz;
    if (const auto &joint = plan.joints[static_cast<size_t>(h)]) {
        joint->draw(draws, size, angle);
    } else {
        size = plan.draw(head.size, draws);
        angle = plan.draw(head.angle, draws);
    }
    components(head, size, angle, mass, pt, pz);
    pm_sincos(plan.draw(head.phi, draws), &sine, &cosine);
    Momentum p{pt * cosine, pt * sine, pz, 0};
    p.e = std::sqrt(p.px * p.px + p.py * p.py + p.pz * p.pz + mass * mass);
    return p;
}

int32_t choose(const sqlamarr_gun &gun, const sqlamarr_gun_head &head, Draws &draws) {
    const auto *choice = gun.choices + head.choices;
    if (head.n_choices == 1) return choice->species;
    double u = draws.uniform();
    for (int32_t c = 0; c + 1 < head.n_choices && u >= choice->fraction; ++c) u -= (choice++)->fraction;
    return choice->species;
}

class Maker {
public:
    Maker(const sqlamarr_gun &gun, uint64_t key, Patience &patience)
        : plan_(gun), key_(key), patience_(patience), family_(gun, patience) {}

    void make(const sqlamarr_gun_event &event, Record &out) {
        const int64_t id = event.event_id + event.collision;
        patience_.spend(work_of_event);
        std::swap(record_, out); // both keep their memory
        record_.to_mev = record_.to_mm = 1;
        record_.event_number = event.number;
        record_.vertices.clear();
        record_.particles.clear();
        Draws draws(key_, id, 0);
        const auto *origin = plan_.gun.origin;
        const Place place{plan_.draw(origin[0], draws), plan_.draw(origin[1], draws), plan_.draw(origin[2], draws),
                          plan_.draw(origin[3], draws)};
        add_particle(codes::system, codes::beam, {}, 0, none);
        record_.particles[0].end = add_vertex(place, true);
        for (int32_t h = 0; h < plan_.gun.n_heads; ++h) shoot(h, id, place);
        sum_up(record_.particles[0], 0);
        std::swap(record_, out);
    }

private:
    void shoot(int32_t h, int64_t id, const Place &collision) {
        const auto &head = plan_.gun.heads[h];
        Draws draws(key_, id, static_cast<uint32_t>(h) + 1);
        Place place = collision;
        int32_t vertex = 0;
        if (head.place[0] >= 0) {
            place.x += plan_.draw(head.place[0], draws);
            place.y += plan_.draw(head.place[1], draws);
            place.z += plan_.draw(head.place[2], draws);
            vertex = add_vertex(place, false);
        }
        const size_t before = record_.particles.size();
        if (vertex) { // as HepMC wants it, something ends there: what the vertex is made from, whatever it was
            add_particle(codes::system, codes::documentation, {}, 0, none);
            record_.particles.back().end = vertex;
        }
        family_.begin(choose(plan_.gun, head, draws), draws);
        family_.decay(draw_momentum(plan_, h, family_.mass(), draws), place, draws);
        store(vertex);
        if (vertex) sum_up(record_.particles[before], vertex);
    }

    void store(int32_t vertex) {
        const auto first = record_.particles.size();
        for (const Member &member : family_.members) {
            const bool head = member.mother == nobody;
            const int32_t from = head ? vertex : record_.particles[first + member.mother].end;
            const auto &s = *member.species;
            const int32_t status = head ? s.status_first : s.status_made;
            add_particle(s.pid, status, member.momentum, member.mass, from);
            if (member.n_daughters) record_.particles.back().end = add_vertex(member.end, false);
        }
    }

    void add_particle(int64_t pid, int64_t status, const Momentum &p, double mass, int32_t production) {
        record_.particles.push_back({.hepmc_id = static_cast<int64_t>(record_.particles.size()) + 1,
                                     .pid = pid,
                                     .status = status,
                                     .px = p.px,
                                     .py = p.py,
                                     .pz = p.pz,
                                     .pe = p.e,
                                     .m = mass,
                                     .production = production});
    }

    int32_t add_vertex(const Place &place, bool primary) {
        const auto index = static_cast<int32_t>(record_.vertices.size());
        record_.vertices.push_back(
            {.hepmc_id = -index - 1, .x = place.x, .y = place.y, .z = place.z, .t = place.t, .primary = primary});
        return index;
    }

    // The collision as a whole carries what all particles that it makes have together.
    void sum_up(hepmc::Particle &system, int32_t vertex) {
        for (const auto &p : record_.particles) {
            if (p.production != vertex) continue;
            system.px += p.px;
            system.py += p.py;
            system.pz += p.pz;
            system.pe += p.pe;
        }
        const double p2 = system.px * system.px + system.py * system.py + system.pz * system.pz;
        system.m = std::sqrt(std::max(system.pe * system.pe - p2, 0.0));
    }

    Prepared plan_;
    uint64_t key_;
    Patience &patience_;
    Family family_;
    Record record_;
};

} // namespace

} // namespace sqlamarr::gun

using namespace sqlamarr;

int sqlamarr_gun_make(const sqlamarr_gun *gun, uint64_t key, const sqlamarr_gun_event *events, int64_t n,
                      int (*stop)(void), sqlamarr_hepmc **out) {
    return guard([&] {
        gun::Patience patience(stop);
        gun::Maker maker(*gun, key, patience);
        hepmc::Tables tables;
        std::vector<hepmc::Record> records(1);
        for (int64_t i = 0; i < n; ++i) {
            sqlamarr_hepmc_record where{};
            where.event_id = events[i].event_id;
            where.datasource_id = events[i].datasource_id;
            where.collision = events[i].collision;
            maker.make(events[i], records[0]);
            tables.append(records, &where, 1);
        }
        *out = std::make_unique<sqlamarr_hepmc>(std::move(tables)).release();
    });
}
