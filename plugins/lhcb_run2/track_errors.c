#include "track_errors.h"

#include <math.h>

#include "portable_math.h"

/* log10(p/MeV) of 3, 5, 10, 20, 40, 60, 100 and 235 GeV */
enum { N_P = 8 };
static const double LOG10_P[N_P] = {3.4771, 3.6990, 4., 4.3010, 4.6021, 4.7782, 5., 5.3711};

/* sigma(p)/p of long tracks: geometric mean of the 2012 J/psi measurement (the graph in RapidSim's
 * smear12.root: 0.50, 0.48, 0.52, 0.60, 0.70, 0.86, 1.12 % at 5, 10, 20, 40, 60, 100, 235 GeV) and of
 * the compiled LHCb 2016 model (0.478, 0.358, 0.347, 0.370, 0.371, 0.430, 0.516 % at 3-100 GeV). */
static const double LONG_P[N_P] = {.0049, .0042, .0041, .0044, .0047, .0055, .0067, .0088};

/* The same divided by its value averaged over eta, at 5, 10, 20 and 40 GeV (compiled model) */
enum { N_SLOPES = 4, N_COLUMNS = 4 };
static const double SLOPE_OF_ETA[N_SLOPES] = {.01646, .03664, .0998, .2245}; /* eta 4.8, 4, 3, 2.2 */
static const double COLUMN[N_COLUMNS] = {3.6990, 4., 4.3010, 4.6021};
static const double LONG_P_OF_ETA[N_SLOPES][N_COLUMNS] = {
    {1.96, 2.22, 1.46, 1.40}, {1.15, 1.01, .95, 1.11}, {.81, .95, 1.00, .97}, {.75, .69, .81, .86}};

/* Upstream tracks see the fringe field alone. Compiled model: residuals 18.6, 19.8, 27.6 % and
 * reported 12.8, -, 18.5 % at 3, 5, 10 GeV; above it is an extrapolation. */
static const double UPSTREAM_P[N_P] = {.16, .185, .24, .35, .5, .6, .7, .8};

/* Downstream pions from K0S. Compiled model: 0.59, 0.45, 0.46, 0.56, 0.79, 0.87 % at 3-60 GeV */
static const double DOWNSTREAM_P[N_P] = {.0053, .0044, .0047, .0056, .0075, .0085, .0098, .012};

/* Downstream tracks start at the TT. Compiled model, sigma(tx) of residuals and of the covariance:
 * 1.85, 1.52e-3 at 5 GeV; 0.72, 0.45e-3 at 20 GeV. */
static const double DOWNSTREAM_SLOPE[N_P] = {2.4e-3, 1.65e-3, .95e-3, .53e-3, .33e-3, .26e-3, .2e-3, .15e-3};

static double long_momentum_error(const track *t) {
    const interval s = locate(SLOPE_OF_ETA, N_SLOPES, t->slope);
    const interval c = locate(COLUMN, N_COLUMNS, t->log10_p);
    const double (*g)[N_COLUMNS] = &LONG_P_OF_ETA[s.i];
    const double low = mix(g[0][c.i], g[0][c.i + 1], c.w), high = mix(g[1][c.i], g[1][c.i + 1], c.w);
    return interpolate(LOG10_P, LONG_P, N_P, t->log10_p) * mix(low, high, s.w);
}

/* The first sensor is 8 mm from the beam (thesis CERN-THESIS-2024-108: 8.2 mm; the median x-tx
 * correlations of the covariance, -0.976, -0.965, -0.924 at 3, 10, 50 GeV, give 8.1, 8.7, 12 mm:
 * the straighter the track, the more its later points count). The detector spans about
 * -300 < z < 750 mm. */
static double velo_arm(const track *t, double p_gev) {
    const double radius = 8. + .085 * clamp(p_gev, 0., 60.);
    const double arm = clamp(radius / (t->slope + 1e-6), 15., 650.);
    return clamp(-300. - t->z, arm, 2500.);
}

/* sigma(tx) = a + 2.88e-3 GeV/p: multiple scattering, and a = 5e-5 from the hits (both fitted to the
 * compiled model's residuals, averaged over eta), better the longer the track in the vertex detector.
 * sigma(e_x) from the correlations above: 31, 13, 7 um at 3, 10, 50 GeV, and from the impact
 * parameter, 13 + 25 GeV/pT um, which the three together reproduce (published: 11.6 + 23.4 um in the
 * Delphes card of LHCb, 12.6 + 24.0 um in RapidSim). Electrons are up to 1.25 times worse in slope,
 * and 1.1-1.5 times in impact parameter. */
static void velo_errors(track_errors *e, const track *t, double p_gev) {
    const double of_hits = 5e-5 * sqrt(clamp(t->slope, .01, .4) / .0636);
    const double worse = t->electron ? mix(1., 1.25, clamp((t->log10_p - 3.7) / .6, 0., 1.)) : 1.;
    e->slope = worse * (of_hits + 2.88e-3 / p_gev);
    e->offset = (t->electron ? 2.2 : 1.) * (.0085 + .07 / p_gev);
    e->arm = velo_arm(t, p_gev);
}

/* From the first TT plane, z = 2320 mm, to the state. sigma(e_x) from the compiled model's
 * covariance: sigma(x) = 1.85, 0.61 mm and x-tx correlation -0.80, -0.81 at 5, 20 GeV. */
static void downstream_errors(track_errors *e, const track *t, double p_gev) {
    e->slope = interpolate(LOG10_P, DOWNSTREAM_SLOPE, N_P, t->log10_p);
    e->offset = .15 + 5. / p_gev;
    e->arm = clamp(2320. - t->z, 50., 3500.);
}

/* Scatter of ln sigma from track to track, by the number of hits. Compiled model, half-spread of ln C of
 * the slopes: 0.59, 0.47, 0.52 at 3, 10, 50 GeV, of which eta causes 0.05, 0.15, 0.46; of q/p: 0.24,
 * 0.21, 0.52. That residuals scatter with what the fit reports is what a fit is for. */
static void scatter(track_errors *e, const track *t, double surplus) {
    const double of_slope = clamp(.29 - .14 * (t->log10_p - 3.4771), .1, .3);
    e->slope *= pm_exp(-of_slope * surplus);
    e->offset *= pm_exp(-of_slope * surplus);
    e->momentum *= pm_exp(-.1 * surplus);
}

track_errors track_errors_of(const track *t, double surplus) {
    const double p_gev = clamp(t->p / 1e3, .2, 1000.);
    track_errors e;
    if (t->type == DOWNSTREAM_TRACK) {
        downstream_errors(&e, t, p_gev);
        e.momentum = interpolate(LOG10_P, DOWNSTREAM_P, N_P, t->log10_p);
        e.mixing = .3 * clamp(p_gev / 20., 0., 1.);
    } else {
        velo_errors(&e, t, p_gev);
        e.momentum = t->type == LONG_TRACK ? long_momentum_error(t) : interpolate(LOG10_P, UPSTREAM_P, N_P, t->log10_p);
        e.mixing = t->type == LONG_TRACK ? -.042 * clamp(p_gev / 50., 0., 1.) : .03;
    }
    scatter(&e, t, surplus);
    return e;
}
