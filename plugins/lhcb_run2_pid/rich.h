/* The two RICH detectors: likelihoods of the electron, muon, kaon and proton hypotheses. */
#ifndef LHCB_RUN2_PID_RICH_H
#define LHCB_RUN2_PID_RICH_H

#include "rich_ring.h"

/* Which normal decides what. */
enum {
    INFORMATION,
    IN_RICH2,
    QUALITY,
    SHIFT,                                /* one per radiator, like the next three */
    YIELD = SHIFT + 2,                    /* number of photo-electrons */
    CROWD = YIELD + 2,                    /* how crowded it is around the ring */
    HITS = CROWD + 2,                     /* number of hits of other particles */
    SIGNAL = HITS + 2,                    /* MAX_SIGNAL angles per radiator */
    BACKGROUND = SIGNAL + 2 * MAX_SIGNAL, /* MAX_BACKGROUND angles per radiator */
    N_RICH_READ = BACKGROUND + 2 * MAX_BACKGROUND,
    N_RICH_NORMALS = 128
};

/* Tracks without RICH information (outside or curled out of the radiator, ring not reconstructed): the
 * spike at 0 that simulation shows up to about 10 GeV (CERN-THESIS-2024-108, Fig. 4.31). Its size is
 * an assumption: 5 % at 3 GeV, 1 % at 8 GeV, and more at the edges of the acceptance. */
static inline double blind_probability(const pid_track *t) {
    const double slow = .045 * pm_exp(-(t->p - 3.) / 3.);
    const double edge = .04 * rise((17. - 1e3 * t->slope) / 2.) + .5 * rise((1e3 * t->slope - 330.) / 15.);
    return clamp(.003 + slow + edge, 0., .6);
}

/* RICH2 covers 15-120 mrad (CERN-THESIS-2024-108, section 1.2); slow particles are bent away from it, half of
 * them at 7 GeV (an assumption). */
static inline double rich2_probability(const pid_track *t) {
    const double angle = 1e3 * t->slope;
    const double bent = 1. - pm_exp(-t->p * t->p / 70.);
    return bent * rise((angle - 13.) / 1.) * rise((118. - angle) / 6.);
}

/* Rings that are not what they should be: scattering, decay in flight, interactions, a wrong track. They make the
 * misidentification of a few percent that remains where the rings are well apart; tuned to it. */
static inline double bad_probability(const pid_track *t) { return clamp(.02 + .06 * t->crowding, 0., .4); }

typedef struct {
    double yield; /* fraction of the photo-electrons that are left */
    double shift; /* factor on the ring's resolution */
} ring_quality;

static inline ring_quality quality_of_rings(const pid_track *t, double normal) {
    const double bad = bad_probability(t), u = uniform_of(normal);
    const double left = u < bad ? u / bad : 1.;
    const ring_quality q = {left, (1. + .12 * t->crowding) * (1. + 5. * (1. - left))};
    return q;
}

static inline void add_radiator(double *dll, const pid_track *t, int k, species true_species, ring_quality q,
                                const float *normals) {
    const radiator *r = &RADIATOR[k];
    ring expected[N_SPECIES];
    for (int h = 0; h < N_SPECIES; ++h) expected[h] = ring_of(r, MASS[h], t->p);
    const double mean = r->background * t->crowding;
    const double around = mean * clamp(1. + .45 * normals[CROWD + k], .2, 3.);
    ring_hits hits;
    hits.n = 0;
    add_signal(&hits, r, &expected[true_species], q.shift * r->ring_sigma * tailed(normals[SHIFT + k]), q.yield,
               clamp(normals[YIELD + k], -8., 8.), normals + SIGNAL + (size_t)k * MAX_SIGNAL);
    add_background(&hits, r, around, clamp(normals[HITS + k], -8., 8.),
                   normals + BACKGROUND + (size_t)k * MAX_BACKGROUND);
    add_likelihood(dll, r, expected, mean, &hits);
}

/* out: RichDLLe, RichDLLmu, RichDLLK, RichDLLp. in: p, eta, nTracks, charge, upstream. */
static inline void rich_row(float *out, const float *in, const float *normals, species true_species) {
    const pid_track t = pid_track_of(in, 0.f);
    const int upstream = in[4] > .5f;
    double dll[PION] = {0.};
    if (uniform_of(normals[INFORMATION]) >= blind_probability(&t)) {
        const ring_quality q = quality_of_rings(&t, normals[QUALITY]);
        add_radiator(dll, &t, 0, true_species, q, normals);
        if (!upstream && uniform_of(normals[IN_RICH2]) < rich2_probability(&t))
            add_radiator(dll, &t, 1, true_species, q, normals);
    }
    for (int h = 0; h < PION; ++h) out[h] = (float)dll[h];
}

#endif
