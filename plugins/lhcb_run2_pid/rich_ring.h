/* A Cherenkov ring: what each hypothesis expects, and the photo-electrons that are seen. */
#ifndef LHCB_RUN2_PID_RICH_RING_H
#define LHCB_RUN2_PID_RICH_RING_H

#include "particle.h"
#include "uniform.h"

/* Hits of a radiator that have a random angle: as many as the 128 normals of a track have room for. */
enum { N_RADIATORS = 2, MAX_SIGNAL = 36, MAX_BACKGROUND = 22 };

/* n: CERN-THESIS-2024-108 and LHCb's published thresholds (9.3, 17.7 GeV and 15.6, 29.7 GeV).
 * Photo-electrons and single-photon resolutions: Eur. Phys. J. C 73 (2013) 2431 (arXiv:1211.6759).
 * for data 20 and 16, in simulation 28 and 23. Ring resolution and background are tuned so that efficiency and
 * misidentification of kaons come out as published. */
typedef struct {
    double n;            /* refractive index */
    double yield;        /* photo-electrons of a saturated ring */
    double photon_sigma; /* resolution of one photon's angle [mrad] */
    double ring_sigma;   /* of what all photons of a ring have in common (track, alignment) [mrad] */
    double background;   /* hits inside the window, at 200 tracks */
    double window;       /* largest angle looked at [mrad] */
} radiator;

static const radiator RADIATOR[N_RADIATORS] = {{1.0014, 25., 1.57, .34, 7., 62.}, /* RICH1, C4F10 */
                                               {1.0005, 19., .68, .15, 6., 38.}}; /* RICH2, CF4 */

/* The angle's distribution in the likelihood: Student's with 7 degrees of freedom, a Gaussian with tails. */
#define KERNEL_HEIGHT .38500
#define KERNEL_WIDTH (1. / 7.)
#define LEAST_BACKGROUND .03 /* hits per mrad: noise of the photo-detectors */

typedef struct {
    double yield;  /* photo-electrons expected */
    double angle;  /* [mrad] */
    double height; /* of the density of photo-electrons at that angle [1/mrad] */
} ring;

/* cos(angle) = 1 / (n beta); no light below the threshold. */
static inline ring ring_of(const radiator *r, double mass, double p) {
    const double m = 1e-3 * mass / p, n2 = r->n * r->n;
    const double sin2 = 1. - (1. + m * m) / n2, saturated = 1. - 1. / n2;
    ring at = {0., 0., 0.};
    if (sin2 <= 0.) return at;
    at.yield = r->yield * sin2 / saturated;
    at.angle = 1e3 * sqrt(sin2) * (1. + sin2 / 6.); /* arc sine */
    at.height = at.yield * KERNEL_HEIGHT / r->photon_sigma;
    return at;
}

typedef struct {
    int n;
    double angle[MAX_SIGNAL + MAX_BACKGROUND];
} ring_hits;

/* Poisson quantile of a normal deviate (Cornish and Fisher), 0 to most. */
static inline int poisson_of(double mean, double normal, int most) {
    const double x = mean + sqrt(mean) * normal + (normal * normal - 1.) / 6.;
    return mean > 0. ? (int)clamp(x + .5, 0., most + .5) : 0;
}

/* A normal with tails, still of width 1 in its core. */
static inline double tailed(double normal) {
    const double z = clamp(normal, -6., 6.);
    return z * (1. + .04 * z * z);
}

/* Photo-electrons of the particle itself, all displaced by `shift` [mrad]. */
static inline void add_signal(ring_hits *hits, const radiator *r, const ring *expected, double shift, double yield,
                              double normal, const float *angles) {
    const int n = poisson_of(expected->yield * yield, normal, MAX_SIGNAL);
    for (int i = 0; i < n; ++i)
        hits->angle[hits->n++] = fabs(expected->angle + shift + r->photon_sigma * tailed(angles[i]));
}

/* Hits of other particles, evenly over the area of the window. Those beyond MAX_BACKGROUND are not drawn:
 * near the beam (a third of the tracks at eta 4.3 and 220 tracks) and in the most crowded events only the likelihood
 * knows of them, and is worth less. */
static inline void add_background(ring_hits *hits, const radiator *r, double mean, double normal, const float *angles) {
    const int n = poisson_of(mean, normal, MAX_BACKGROUND);
    for (int i = 0; i < n; ++i) hits->angle[hits->n + i] = r->window * sqrt((double)uniform_of(angles[i]));
    hits->n += n;
}

/* Hits whose densities are multiplied as fractions, and divided once: up to 1e17 each. */
enum { DIVIDED_TOGETHER = 8 };

/* dll[h] += ln L(h) - ln L(pion) of an extended likelihood over the hits. The product of all densities stays far
 * within the range of a double: each is between 0.03 and 100 hits per mrad, and there are at most 60. */
static inline void add_likelihood(double *dll, const radiator *r, const ring *expected, double background,
                                  const ring_hits *hits) {
    const double slope = 2. * background / (r->window * r->window), scale = 1. / r->photon_sigma;
    double density[N_SPECIES] = {1., 1., 1., 1., 1.};
    for (int begin = 0; begin < hits->n; begin += DIVIDED_TOGETHER) {
        const int end = begin + DIVIDED_TOGETHER < hits->n ? begin + DIVIDED_TOGETHER : hits->n;
        double above[N_SPECIES] = {1., 1., 1., 1., 1.}, under[N_SPECIES] = {1., 1., 1., 1., 1.};
        for (int i = begin; i < end; ++i) {
            const double below = LEAST_BACKGROUND + slope * hits->angle[i];
            for (int h = 0; h < N_SPECIES; ++h) {
                const double d = (hits->angle[i] - expected[h].angle) * scale, t = 1. + KERNEL_WIDTH * d * d;
                const double kernel = (t * t) * (t * t);
                above[h] *= below * kernel + expected[h].height;
                under[h] *= kernel;
            }
        }
        for (int h = 0; h < N_SPECIES; ++h) density[h] *= above[h] / under[h];
    }
    for (int h = 0; h < PION; ++h)
        dll[h] += pm_log(density[h] / density[PION]) - (expected[h].yield - expected[PION].yield);
}

#endif
