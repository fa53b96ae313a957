// A particle and all that comes of it: channels, masses, momenta, places.
#pragma once

#include "core/errors.h"
#include "gun/draws.h"
#include "sqlamarr.h"

#include <cstdint>
#include <vector>

namespace sqlamarr::gun {

struct Momentum { // MeV
    double px = 0, py = 0, pz = 0, e = 0;
};

struct Place { // mm, mm/c
    double x = 0, y = 0, z = 0, t = 0;
};

constexpr size_t nobody = SIZE_MAX;

struct Member {
    const sqlamarr_gun_species *species;
    size_t mother = nobody;
    size_t first_daughter = 0, n_daughters = 0;
    double least = 0, mass = 0; // the lowest mass that its decay chain allows; the mass that it has
    Momentum momentum{};
    Place end{};
};

// Asks after some work (in trials of a daughter, a tenth of a second of them or less) whether to go on.
class Patience {
public:
    explicit Patience(int (*stop)(void)) : stop_(stop) {}

    void spend(int64_t work) {
        left_ -= work;
        if (left_ > 0) return;
        left_ = work_between;
        if (stop_ != nullptr && stop_()) throw Error(SQLAMARR_INTERNAL, "The particle gun was interrupted.");
    }

private:
    static constexpr int64_t work_between = 500'000;
    int (*stop_)(void);
    int64_t left_ = work_between;
};

// The tree of one particle; daughters of one mother stand beside each other, after her.
class Family {
public:
    Family(const sqlamarr_gun &gun, Patience &patience) : gun_(gun), patience_(patience) {}

    // Choose the decays of the whole chain, and the mass of its first particle.
    void begin(int32_t species, Draws &draws);
    // Decay the first particle, which has this momentum and begins here.
    void decay(const Momentum &momentum, const Place &place, Draws &draws);

    double mass() const { return members[0].mass; }
    std::vector<Member> members;

private:
    void expand(size_t i, Draws &draws);
    double choose(size_t i, Draws &draws);
    static void fly(Member &member, const Place &from, Draws &draws);
    void break_up(size_t i, Draws &draws);
    double draw_masses(size_t i, double least, Draws &draws);
    double draw_clusters(size_t i, double rest, Draws &draws);
    double most(size_t i, double least) const;
    double draw_many(size_t i, double rest, Draws &draws);
    double most_of_many(size_t i, double rest) const;

    [[noreturn]] void improbable(size_t i, int64_t trials) const;

    const sqlamarr_gun &gun_;
    Patience &patience_;
    std::vector<double> cuts_, clusters_, steps_; // of the decay at hand: see draw_clusters
};

// Momentum of both daughters where the mother rests; 0 if it cannot decay to them.
double two_body_momentum(double mother, double a, double b);
// Mass from a relativistic Breit-Wigner of constant width, cut to [low, high].
double breit_wigner(double mass, double width, double low, double high, double u);

} // namespace sqlamarr::gun
