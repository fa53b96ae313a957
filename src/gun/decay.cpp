#include "gun/decay.h"

#include "core/portable_math.h"

#include <algorithm>
#include <string>

namespace sqlamarr::gun {

namespace {

// Trials of a decay times its daughters: a second or two, in which a decay with a chance of 1e-3 never fails.
constexpr int64_t most_work = 10'000'000;
constexpr int most_choices = 100'000;
constexpr double widths_of_first = 15; // as far above its mass as the first particle of a chain goes
constexpr size_t most_members = 100'000;
constexpr size_t many_bodies = 4; // from here on flat masses of clusters are too seldom good

bool varies(const sqlamarr_gun_species &s) { return s.width > 0 && s.n_channels > 0; }

[[noreturn]] void impossible(const sqlamarr_gun_species &species, const std::string &why) {
    throw Error(SQLAMARR_DATA, "The particle gun cannot decay the particle of PDG id " + std::to_string(species.pid) +
                                   ": " + why + ". Check its decays and the masses in them.");
}

struct Direction {
    double x, y, z;
};

Direction isotropic(Draws &draws) {
    const double z = 2.0 * draws.uniform() - 1.0, transverse = std::sqrt((1.0 - z) * (1.0 + z));
    double sine, cosine;
    pm_sincos(0x1.921fb54442d18p+2 * draws.uniform(), &sine, &cosine);
    return {transverse * cosine, transverse * sine, z};
}

// A decay in two in the mother's rest frame, seen where she has momentum p. Masses are exact, and so is
// the sum of momenta; that of energies to rounding.
void two_body(const Momentum &p, double mother, double a, double b, double size, Draws &draws, Momentum &first,
              Momentum &second) {
    const Direction d = isotropic(draws);
    const double qx = size * d.x, qy = size * d.y, qz = size * d.z, e = std::sqrt(size * size + a * a);
    const double along = qx * p.px + qy * p.py + qz * p.pz;
    const double boost = (along / (p.e + mother) + e) / mother;
    first = {qx + p.px * boost, qy + p.py * boost, qz + p.pz * boost, 0};
    second = {p.px - first.px, p.py - first.py, p.pz - first.pz, 0};
    const auto energy = [](const Momentum &m, double mass) {
        return std::sqrt(m.px * m.px + m.py * m.py + m.pz * m.pz + mass * mass);
    };
    first.e = energy(first, a);
    second.e = energy(second, b);
}

// Momentum of a decay in two, divided by the square root of the kinetic energy that it frees.
double momentum_per_root(double mother, double a, double b) {
    return std::sqrt((mother + a + b) * (mother - b + a) * (mother + b - a)) / (2.0 * mother);
}

} // namespace

void Family::begin(int32_t species, Draws &draws) {
    members.clear();
    members.push_back({gun_.species + species});
    expand(0, draws);
    Member &first = members[0];
    const auto &s = *first.species;
    if (!varies(s)) {
        first.mass = s.mass;
        return;
    }
    const double high = s.mass + widths_of_first * s.width;
    if (first.least > high)
        impossible(s,
                   "its decay products need " + std::to_string(first.least) + " MeV, more than its mass and 15 widths");
    first.mass = breit_wigner(s.mass, s.width, first.least, high, draws.uniform());
}

// Channels first, from the top down, because they decide which masses are possible.
void Family::expand(size_t i, Draws &draws) {
    const auto &s = *members[i].species;
    if (s.n_channels == 0) {
        members[i].least = s.mass;
        return;
    }
    for (int trial = 0; trial < most_choices; ++trial) {
        const double least = choose(i, draws);
        if (varies(s) || least <= s.mass) {
            members[i].least = varies(s) ? least : s.mass;
            return;
        }
        members.resize(members[i].first_daughter);
    }
    impossible(s, "its decay products are heavier than it is");
}

// Choose a channel and all that follows; returns the sum of the daughters' lowest masses.
double Family::choose(size_t i, Draws &draws) {
    const auto &s = *members[i].species;
    const auto *channel = gun_.channels + s.channels;
    if (s.n_channels > 1) {
        double u = draws.uniform();
        for (int32_t c = 0; c + 1 < s.n_channels && u >= channel->fraction; ++c) u -= (channel++)->fraction;
    }
    const size_t first = members.size(), n = static_cast<size_t>(channel->n_daughters);
    if (first + n > most_members) impossible(s, "its decay chain does not end");
    members[i].first_daughter = first;
    members[i].n_daughters = n;
    for (size_t d = 0; d < n; ++d)
        members.push_back({gun_.species + gun_.daughters[static_cast<size_t>(channel->daughters) + d], i});
    double sum = 0;
    for (size_t d = first; d < first + n; ++d) {
        expand(d, draws);
        sum += members[d].least;
    }
    return sum;
}

void Family::decay(const Momentum &momentum, const Place &place, Draws &draws) {
    members[0].momentum = momentum;
    for (size_t i = 0; i < members.size(); ++i) {
        Member &member = members[i];
        if (member.n_daughters == 0) continue;
        fly(member, member.mother == nobody ? place : members[member.mother].end, draws);
        break_up(i, draws);
    }
}

void Family::fly(Member &member, const Place &from, Draws &draws) {
    member.end = from;
    const auto &s = *member.species;
    if (varies(s) || s.ctau <= 0) return;
    const double time = -s.ctau * pm_log(draws.uniform()) / member.mass;
    const Momentum &p = member.momentum;
    member.end = {from.x + time * p.px, from.y + time * p.py, from.z + time * p.pz, from.t + time * p.e};
}

// Phase space of n bodies as a chain of decays in two (Raubold and Lynch; F. James, CERN 68-15): masses of
// resonances from their Breit-Wigners, masses of the clusters flat, and the weight, the product of
// the momenta and of what the flat masses leave out, against its upper bound. Hit or miss.
void Family::break_up(size_t i, Draws &draws) {
    const Member mother = members[i];
    const size_t n = mother.n_daughters, first = mother.first_daughter;
    double least = 0;
    bool fixed = true;
    for (size_t d = first; d < first + n; ++d) {
        least += members[d].least;
        members[d].mass = members[d].least;
        fixed = fixed && !varies(*members[d].species);
    }
    if (n == 1) {
        members[first].mass = mother.mass;
        members[first].momentum = mother.momentum;
        return;
    }
    double rest = mother.mass - least;
    const bool many = fixed && n >= many_bodies;
    const double bound = many ? most_of_many(i, rest) : n > 2 || !fixed ? most(i, least) : 0;
    const auto bodies = static_cast<int64_t>(n);
    for (int64_t trials = 1;; ++trials) {
        if (!fixed) rest = draw_masses(i, least, draws);
        const double weight = many ? draw_many(i, rest, draws) : draw_clusters(i, rest, draws);
        if (bound <= 0 || (rest >= 0 && draws.uniform() * bound <= weight)) break;
        if (trials * bodies >= most_work) improbable(i, trials);
        patience_.spend(bodies);
    }
    Momentum cluster = mother.momentum;
    for (size_t k = n - 1; k >= 1; --k) {
        Momentum others;
        two_body(cluster, clusters_[k], members[first + k].mass, clusters_[k - 1], steps_[k], draws,
                 members[first + k].momentum, others);
        cluster = others;
    }
    members[first].momentum = cluster;
}

void Family::improbable(size_t i, int64_t trials) const {
    const Member &mother = members[i];
    double sum = 0, least = 0;
    for (size_t d = mother.first_daughter; d < mother.first_daughter + mother.n_daughters; ++d) {
        sum += members[d].species->mass;
        least += members[d].least;
    }
    throw Error(SQLAMARR_DATA, "The particle gun cannot decay the particle of PDG id " +
                                   std::to_string(mother.species->pid) + " to " + std::to_string(mother.n_daughters) +
                                   " particles, which is too improbable: none of " + std::to_string(trials) +
                                   " trials found a point in phase space. Their masses sum to " + std::to_string(sum) +
                                   " MeV (at least " + std::to_string(least) +
                                   " MeV, if resonances are light), its mass is " + std::to_string(mother.mass) +
                                   " MeV. Decay it to fewer or lighter particles, or use a generator.");
}

// Masses of the daughters; returns what they leave of the mother's, which may be negative.
double Family::draw_masses(size_t i, double least, Draws &draws) {
    const Member &mother = members[i];
    double rest = mother.mass;
    for (size_t d = mother.first_daughter; d < mother.first_daughter + mother.n_daughters; ++d) {
        Member &daughter = members[d];
        const auto &s = *daughter.species;
        if (varies(s)) {
            const double high = std::max(mother.mass - (least - daughter.least), daughter.least);
            daughter.mass = breit_wigner(s.mass, s.width, daughter.least, high, draws.uniform());
        }
        rest -= daughter.mass;
    }
    return rest;
}

// Cluster k holds daughters 0 to k. Its mass: theirs and a share of what is left, ascending. Returns the weight.
double Family::draw_clusters(size_t i, double rest, Draws &draws) {
    const Member &mother = members[i];
    const size_t n = mother.n_daughters;
    clusters_.resize(n);
    steps_.resize(n);
    cuts_.resize(n);
    for (size_t k = 1; k + 1 < n; ++k) cuts_[k] = draws.uniform();
    if (n > 3) std::sort(cuts_.begin() + 1, cuts_.begin() + static_cast<std::ptrdiff_t>(n) - 1);
    double sum = members[mother.first_daughter].mass, weight = 1;
    clusters_[0] = sum;
    for (size_t k = 1; k < n; ++k) {
        const double mass = members[mother.first_daughter + k].mass;
        sum += mass;
        clusters_[k] = k + 1 < n ? sum + cuts_[k] * rest : mother.mass;
        steps_[k] = two_body_momentum(clusters_[k], mass, clusters_[k - 1]);
        weight *= steps_[k];
        if (k + 1 < n) weight *= rest;
    }
    return weight;
}

// A bound of the weight: every step as if all that is left were there for it, and the daughters as light
// as they can be (the momenta fall with every one of these masses).
double Family::most(size_t i, double least) const {
    const Member &mother = members[i];
    const double rest = mother.mass - least;
    double sum = members[mother.first_daughter].least, bound = 1;
    for (size_t k = 1; k < mother.n_daughters; ++k) {
        const double mass = members[mother.first_daughter + k].least;
        bound *= two_body_momentum(rest + sum + mass, mass, sum);
        if (k + 1 < mother.n_daughters) bound *= rest;
        sum += mass;
    }
    return bound;
}

// For many bodies the kinetic energies of the clusters, K_k = mass - sum of the daughters' masses, are drawn
// as slow particles would have them: steps of the K_k are a Dirichlet distribution with parameters 3/2. The density
// of that is the product of the square roots of the steps; so the weight is the product of p_k / sqrt(K_k - K_(k-1)).
double Family::draw_many(size_t i, double rest, Draws &draws) {
    const Member &mother = members[i];
    const size_t n = mother.n_daughters;
    clusters_.resize(n);
    steps_.resize(n);
    cuts_.resize(n);
    double kinetic = 0;
    for (size_t k = 1; k < n; ++k) { // Gamma(3/2) = Gamma(1) + Gamma(1/2)
        const double normal = pm_normal_quantile(draws.uniform());
        cuts_[k] = kinetic += 0.5 * normal * normal - pm_log(draws.uniform());
    }
    double sum = members[mother.first_daughter].mass, weight = 1;
    clusters_[0] = sum;
    for (size_t k = 1; k < n; ++k) {
        const double mass = members[mother.first_daughter + k].mass;
        sum += mass;
        clusters_[k] = k + 1 < n ? sum + rest * (cuts_[k] / kinetic) : mother.mass;
        steps_[k] = two_body_momentum(clusters_[k], mass, clusters_[k - 1]);
        weight *= momentum_per_root(clusters_[k], mass, clusters_[k - 1]);
    }
    return weight;
}

// A bound of that weight: it grows with the cluster's mass, which has at most all of the kinetic energy; in the
// mass of the smaller cluster its maximum is where the derivative vanishes, or the nearest possible mass.
double Family::most_of_many(size_t i, double rest) const {
    const Member &mother = members[i];
    double sum = members[mother.first_daughter].mass, bound = 1;
    for (size_t k = 1; k < mother.n_daughters; ++k) {
        const double m = members[mother.first_daughter + k].mass, a = sum + m + std::max(rest, 0.0);
        const double best = (std::sqrt((a - m) * (a - m) + 3.0 * (a + m) * (a + m)) - (a - m)) / 3.0;
        bound *= momentum_per_root(a, m, std::min(std::max(best, sum), a - m));
        sum += m;
    }
    return bound * (1.0 + 1e-12); // rounding
}

} // namespace sqlamarr::gun
