// Numbers drawn from the distributions of a particle gun, by inversion: one uniform number each.
#pragma once

#include "gun/draws.h"
#include "sqlamarr.h"

#include <vector>

namespace sqlamarr::gun {

// Contents of bins as a running sum that ends at 1.
class Bins {
public:
    Bins() = default;
    Bins(const double *contents, size_t n);

    // The bin in which u falls, and (in `u`) where in it, from 0 to 1.
    size_t find(double &u) const;

private:
    std::vector<double> upper_; // of u, by bin
};

class Distribution {
public:
    Distribution(const sqlamarr_distribution &law, const double *numbers);
    double operator()(double u) const;

private:
    double in_bins(double u) const;

    sqlamarr_distribution law_;
    const double *edges_;
    double from_ = 0, span_ = 0; // what the kind needs of its limits
    Bins bins_;
};

// Size and angle of momenta together.
class Joint {
public:
    Joint(const double *numbers, int32_t n_size, int32_t n_angle);
    void draw(Draws &draws, double &size, double &angle) const;

private:
    const double *size_edges_, *angle_edges_;
    size_t n_angle_;
    Bins bins_;
};

} // namespace sqlamarr::gun
