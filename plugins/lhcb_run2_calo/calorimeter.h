/* LHCb's electromagnetic calorimeter: its cells and how well it measures. Lengths in mm, energies in MeV. */
#ifndef LHCB_RUN2_CALO_CALORIMETER_H
#define LHCB_RUN2_CALO_CALORIMETER_H

#include <math.h>

#include "lhcb/detector.h"
#include "lhcb_run2/interpolation.h"
#include "portable_math.h"

enum { INNER, MIDDLE, OUTER, N_REGIONS };

/* Square cells on a grid with a corner at x = y = 0; a region is a rectangle without the one inside it
 * (active half sizes of the design report; cells of 40.4, 60.6, 121.2 mm). */
typedef struct {
    double cell;        /* width of a cell */
    int half_x, half_y; /* half sizes in cells */
    int hole_x, hole_y; /* half sizes of what is not of the region, in cells */
    int first;          /* number of its first cell; the grid is numbered as if there were no hole */
} ecal_region;

static const ecal_region REGION[N_REGIONS] = {
    {40.4, 24, 18, 8, 8, 0}, {60.6, 32, 20, 16, 12, 1728}, {121.2, 32, 26, 16, 10, 4288}};
enum { N_CELLS = 7616 };

/* -1: the point is not in the active area. */
static inline int region_at(double x, double y) {
    const double ax = fabs(x), ay = fabs(y);
    if (!(ax < LHCB_ECAL_HALF_X && ay < LHCB_ECAL_HALF_Y) || (ax < LHCB_ECAL_HOLE_HALF && ay < LHCB_ECAL_HOLE_HALF))
        return -1;
    for (int r = INNER; r < OUTER; ++r)
        if (ax < REGION[r].half_x * REGION[r].cell && ay < REGION[r].half_y * REGION[r].cell) return r;
    return OUTER;
}

/* Transverse energy for a particle from the interaction point. */
static inline double transverse_at(double energy, double x, double y) {
    const double r2 = x * x + y * y;
    return energy * sqrt(r2 / (r2 + LHCB_ECAL_Z * LHCB_ECAL_Z));
}

/* Energy resolution in Run 2 (arXiv:2008.11556, CERN-THESIS-2024-108, eq. 1.8). */
#define NOISE (LHCB_ECAL_NOISE * 1e3) /* MeV, of a cluster */

static inline double relative_sampling(double energy) {
    return sqrt(LHCB_ECAL_SAMPLING * LHCB_ECAL_SAMPLING * 1e3 / energy + LHCB_ECAL_CONSTANT * LHCB_ECAL_CONSTANT);
}
/* A positive factor of mean 1 and relative width sigma. */
static inline double fluctuation(double sigma, double normal) {
    const double s2 = pm_log1p(sigma * sigma);
    return pm_exp(sqrt(s2) * normal - .5 * s2);
}

/* Position resolution. */
static inline double position_sigma(int region, double energy) {
    static const double CONST[] = {LHCB_ECAL_INNER_POSITION_CONSTANT, LHCB_ECAL_MIDDLE_POSITION_CONSTANT,
                                   LHCB_ECAL_OUTER_POSITION_CONSTANT};
    static const double STOCHASTIC[] = {LHCB_ECAL_INNER_POSITION_STOCHASTIC, LHCB_ECAL_MIDDLE_POSITION_STOCHASTIC,
                                        LHCB_ECAL_OUTER_POSITION_STOCHASTIC};
    const double s = STOCHASTIC[region];
    return sqrt(CONST[region] * CONST[region] + s * s * 1e3 / energy);
}

/* Errors of the two photons of a merged pi0 beyond that: of the position, in cells, and of the energy's share.
 * Tuned to a width of the mass of about 20 MeV. */
#define SPLIT_POSITION .10
#define SHARE_SIGMA .08

static inline double rise(double x) { return 1. / (1. + pm_exp(-x)); }

#endif
