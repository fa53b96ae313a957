#include "quality.h"

#include <math.h>

#include "portable_math.h"

/* Quantiles at 1, 5, 16, 25, 50, 75, 84, 95 and 99 %, measured on the compiled LHCb 2016 MagUp model:
 * prompt tracks, eta flat 2-4.9, p log-flat, 3-100 GeV (long), 2-10 GeV (upstream); pions from K0S,
 * p > 2 GeV (downstream). They are indexed by the standard normal deviate of the same probability;
 * the ends, at 4.5 sigma, are a choice: 0.4 is where ghosts are cut. */
enum { N_QUANTILES = 11, N_SETS = 4, LONG_ELECTRON = N_TRACK_CLASSES };
static const double DEVIATE[N_QUANTILES] = {-4.5,  -2.3263, -1.6449, -.9945, -.6745, 0.,
                                            .6745, .9945,   1.6449,  2.3263, 4.5};

static const double CHI2[N_SETS][N_QUANTILES] = {
    {.28, .485, .642, .781, .855, 1.028, 1.248, 1.376, 1.772, 2.563, 5.5}, /* long */
    {.05, .174, .373, .564, .663, .88, 1.153, 1.314, 1.817, 2.893, 6.5},   /* upstream */
    {.08, .258, .473, .655, .744, .94, 1.171, 1.311, 1.712, 2.621, 6.},    /* downstream */
    {.27, .468, .621, .78, .868, 1.071, 1.337, 1.512, 2.083, 3.234, 7.}};  /* long electron */

static const double NDOF[N_SETS][N_QUANTILES] = {{8., 14.3, 18.1, 24.1, 28., 32.2, 35.5, 36.9, 39.9, 42.9, 50.},
                                                 {3., 5.7, 7., 8.3, 9.1, 11.5, 14.6, 15.8, 19., 21.3, 27.},
                                                 {5., 9.3, 11.2, 14.5, 16.5, 19.7, 21.4, 22.2, 24.5, 26.7, 32.},
                                                 {8., 13.7, 17.8, 23.5, 27.2, 31.2, 34.5, 36.1, 39.5, 43., 50.}};

static const double GHOST[N_SETS][N_QUANTILES] = {
    {.0015, .0021, .0024, .0029, .0033, .0049, .0167, .03, .0914, .206, .399},
    {.0018, .0025, .0031, .0042, .0055, .0213, .0818, .1331, .2719, .3669, .399},
    {.0002, .0004, .0006, .0008, .0011, .0025, .0049, .0109, .0472, .1477, .399},
    {.0015, .0021, .0025, .0031, .0037, .0088, .0334, .0601, .1654, .3044, .399}};

/* More hits at larger angles, correlation 0.4 (compiled model), and, for long tracks, slightly
 * fewer at high momentum. Both terms have mean 0 and variance 1 over the population of the quantiles,
 * eta flat 2-4.9 and p log-flat 3-100 GeV, which so keeps its distribution. */
static double usual_hits(const track *t) {
    const double log_slope = .5 * pm_log(clamp(t->slope * t->slope, 1e-4, .16));
    const double wide = clamp((log_slope + 2.745) / .832, -2.2, 2.2);
    const double fast = t->type == LONG_TRACK ? clamp((t->log10_p - 4.239) / .4396, -1.75, 1.75) : 0.;
    return .4 * wide - .1 * fast;
}

static const double OF_TRACK = .911; /* what the deviate owes to the track alone */

static int set_of(const track *t) { return t->type == LONG_TRACK && t->electron ? LONG_ELECTRON : (int)t->type; }

static double at_deviate(const double *quantiles, double deviate) {
    return interpolate(DEVIATE, quantiles, N_QUANTILES, deviate);
}

/* Gaussian copula: 0.65 between the normals gives the measured 0.5 between chi2/ndf and the ghost
 * probability. */
track_quality quality_of(const track *t, const float *normals) {
    const int set = set_of(t);
    const double bad = normals[0];
    track_quality q;
    q.chi2_per_dof = at_deviate(CHI2[set], bad);
    q.ghost_probability = at_deviate(GHOST[set], .65 * bad + .76 * normals[1]);
    q.n_dof = at_deviate(NDOF[set], usual_hits(t) + OF_TRACK * normals[2]);
    return q;
}

double surplus_of_hits(const track *t, double n_dof) {
    const double deviate = interpolate(NDOF[set_of(t)], DEVIATE, N_QUANTILES, n_dof);
    return clamp((deviate - usual_hits(t)) / OF_TRACK, -3., 3.);
}
