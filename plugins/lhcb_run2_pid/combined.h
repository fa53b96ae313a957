/* The whole system: likelihoods of all detectors added up, and probabilities made of them. */
#ifndef LHCB_RUN2_PID_COMBINED_H
#define LHCB_RUN2_PID_COMBINED_H

#include "particle.h"

/* What RICH and MUON do not measure, and is drawn from the true species: variables y of unit width with
 * a mean that depends on the species. CALORIMETER tells electrons, PENETRATION (energy in the
 * calorimeters) muons from hadrons; HEAVY and BARYON stand for all else that the classifiers are told
 * (quality of track and rings, decays in flight): kaons and protons against pions, protons against kaons.
 * These numbers and those below are tuned to the efficiencies of ProbNN in LHCb's calibration samples, as RapidSim
 * has them (below 40 GeV). */
enum { CALORIMETER, PENETRATION, HEAVY, BARYON, N_EVIDENCE, MUON_NOISE = N_EVIDENCE };
enum { N_COMBINED_READ = MUON_NOISE + 1, N_COMBINED_NORMALS = 64 };

static const double EVIDENCE[N_SPECIES][N_EVIDENCE] = {{3.4, 0., 0., 0.},  /* electron */
                                                       {-.5, .7, 0., 0.},  /* muon */
                                                       {0., 0., 1.8, 0.},  /* kaon */
                                                       {0., 0., 1.8, 1.6}, /* proton */
                                                       {0., 0., 0., 0.}};  /* pion */

typedef struct {
    double strength[N_EVIDENCE]; /* factor on the means, where the track is */
    double value[N_EVIDENCE];
} evidence;

/* The calorimeter begins at 19-26 mrad; crowded surroundings tell less. */
static inline evidence strengths_of(const pid_track *t) {
    const double covered = rise((1e3 * t->slope - 20.) / 2.);
    const double clear = 1.27 / (1. + .2 * t->crowding);
    const evidence e = {{covered, covered, clear, clear}, {0.}};
    return e;
}

static inline double mean_of(const evidence *e, species s, int k) { return e->strength[k] * EVIDENCE[s][k]; }

/* A hadron whose hits in the MUON system look like a muon's mostly is one: it decayed in flight. */
static inline evidence evidence_of(const pid_track *t, species s, double looks_like_muon, const float *normals) {
    evidence e = strengths_of(t);
    for (int k = 0; k < N_EVIDENCE; ++k) e.value[k] = mean_of(&e, s, k) + clamp(normals[k], -8., 8.);
    e.value[PENETRATION] += looks_like_muon * (mean_of(&e, MUON, PENETRATION) - mean_of(&e, s, PENETRATION));
    return e;
}

/* ln of the ratio of probabilities of evidence k under hypothesis h and under the pion's. */
static inline double ratio_of(const evidence *e, int k, species h) {
    const double a = mean_of(e, h, k), b = mean_of(e, PION, k);
    return (a - b) * (e->value[k] - .5 * (a + b));
}

enum { COMBINED_IN = 11, COMBINED_OUT = 9 };

typedef struct {
    double rich[PION];
    double muon; /* MuonMuLL - MuonBkgLL; 0 without isMuon */
    int is_muon;
} likelihoods;

static inline likelihoods likelihoods_of(const float *in) {
    likelihoods l;
    for (int h = 0; h < PION; ++h) l.rich[h] = clamp(in[5 + h], -1e5, 1e5);
    l.is_muon = in[4] > .5f;
    l.muon = l.is_muon ? clamp(in[9], -1e3, 1e3) - clamp(in[10], -1e3, 1e3) : 0.;
    return l;
}

/* Likelihoods are wrong with a small probability (rings that are not what they should be): a ratio is worth no more
 * than that allows. */
static inline double believed(double ratio, double scale, double most) {
    const double x = scale * ratio;
    return x / sqrt(1. + x * x / (most * most));
}

/* The classifiers trust a RICH likelihood less than it claims. */
static const double TRUST[N_SPECIES] = {.35, .25, .35, .35, .35};

/* ln of the odds of each hypothesis, as the classifiers see them; the pion's is 0. */
static const double PRIOR[2][N_SPECIES] = {{-1.55, -2., -1.2, -1.8, 0.}, {-1.55, 2., -1.2, -1.8, 0.}};

/* Also muons get a wide range of ProbNNmu: what the classifier makes of the chambers is partly noise. */
static inline double muon_score(const likelihoods *l, double normal) {
    return l->is_muon ? believed(l->muon, .25, 1.2) + 1.4 * clamp(normal, -8., 8.) : -8.;
}

/* RICH likelihoods are compared with the best of them, so that two large ones do not look equal. */
static inline void scores_of(double *score, const likelihoods *l, const evidence *e) {
    double best = 0.; /* the pion's */
    for (int h = 0; h < PION; ++h) best = l->rich[h] > best ? l->rich[h] : best;
    for (int h = 0; h < N_SPECIES; ++h) {
        score[h] = PRIOR[l->is_muon][h] + believed((h < PION ? l->rich[h] : 0.) - best, TRUST[h], 10. * TRUST[h]);
        for (int k = 0; k < N_EVIDENCE; ++k) score[h] += ratio_of(e, k, (species)h);
    }
}

/* Each classifier is one of its own, and does not mind every rival: [h][k] is the factor on the odds of k where
 * h is asked for; e^.8, e^.3, e^-3, e^-.6, e^1, e^-9.5, e^.2, e^-2.8 as they were tuned. */
static const double RIVAL[N_SPECIES][N_SPECIES] = {{0., 1., 1., 1., 1.},
                                                   {1., 0., 2.2255, 1.3499, 1.},
                                                   {.049787, 1., 0., .54881, 1.},
                                                   {.049787, .54881, 2.7183, 0., .54881},
                                                   {7.4852e-5, 1., 1.2214, .060810, 0.}};
static const double SHARPNESS[N_SPECIES] = {.8, 1.1, 1.6, 1.1, 1.};

/* Odds of every hypothesis, relative to the best one's. */
static inline void odds_of(double *odds, const double *score) {
    double best = score[0];
    for (int h = 1; h < N_SPECIES; ++h) best = score[h] > best ? score[h] : best;
    for (int h = 0; h < N_SPECIES; ++h) odds[h] = pm_exp(score[h] - best);
}

/* Probability of h against all others: 1 / (1 + (odds of the others / its own)^sharpness). */
static inline double probability_of(const double *odds, int h) {
    double others = 0.;
    for (int k = 0; k < N_SPECIES; ++k) others += RIVAL[h][k] * odds[k];
    return rise(SHARPNESS[h] * pm_log(odds[h] / others));
}

/* in: p, eta, nTracks, charge, isMuon, RichDLLe, RichDLLmu, RichDLLK, RichDLLp, MuonMuLL, MuonBkgLL.
 * out: PIDe, PIDK, PIDp, ProbNNe, ProbNNpi, ProbNNk, ProbNNp, PIDmu, ProbNNmu. */
static inline void combined_row(float *out, const float *in, const float *normals, species true_species) {
    const likelihoods l = likelihoods_of(in);
    const pid_track t = pid_track_of(in, in[4]);
    const evidence e = evidence_of(&t, true_species, l.is_muon ? rise(l.muon) : 0., normals);
    double score[N_SPECIES], odds[N_SPECIES];
    scores_of(score, &l, &e);
    score[MUON] += muon_score(&l, normals[MUON_NOISE]);
    odds_of(odds, score);
    out[0] = (float)(l.rich[ELECTRON] + ratio_of(&e, CALORIMETER, ELECTRON));
    out[1] = (float)l.rich[KAON]; /* the calorimeters see no difference between hadrons */
    out[2] = (float)l.rich[PROTON];
    out[3] = (float)probability_of(odds, ELECTRON);
    out[4] = (float)probability_of(odds, PION);
    out[5] = (float)probability_of(odds, KAON);
    out[6] = (float)probability_of(odds, PROTON);
    out[7] = (float)(l.rich[MUON] + l.muon + ratio_of(&e, PENETRATION, MUON));
    out[8] = (float)probability_of(odds, MUON);
}

#endif
