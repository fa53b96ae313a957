/* The whole system: likelihoods of all detectors added up, and probabilities made of them. */
#ifndef LHCB_RUN2_PID_COMBINED_H
#define LHCB_RUN2_PID_COMBINED_H

#include "particle.h"

/* What RICH and MUON do not measure, and is drawn from the true species: variables y of unit width with
 * a mean that depends on the species. CALORIMETER tells electrons, PENETRATION (energy in the
 * calorimeters) muons from hadrons; STRANGE and BARYON stand for all else that the classifiers are told
 * (quality of track and rings, decays in flight): a kaon's and a proton's evidence against a pion's. */
enum { CALORIMETER, PENETRATION, STRANGE, BARYON, N_EVIDENCE, N_COMBINED_NORMALS = 64 };

static const double EVIDENCE[N_SPECIES][N_EVIDENCE] = {{3.2, 0., 0., 0.}, /* electron */
                                                       {-.5, 1.6, 0., 0.}, /* muon */
                                                       {0., 0., 1.0, 0.}, /* kaon */
                                                       {0., 0., 0., 1.0}, /* proton */
                                                       {0., 0., 0., 0.}}; /* pion */

typedef struct {
    double value[N_EVIDENCE];
} evidence;

static inline evidence evidence_of(species s, const float *normals) {
    evidence e;
    for (int k = 0; k < N_EVIDENCE; ++k) e.value[k] = EVIDENCE[s][k] + clamp(normals[k], -8., 8.);
    return e;
}

/* ln of the ratio of probabilities of evidence k under hypothesis h and under the pion's. */
static inline double ratio_of(const evidence *e, int k, species h) {
    const double a = EVIDENCE[h][k], b = EVIDENCE[PION][k];
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

/* A likelihood ratio that is wrong with a small probability is worth no more than that. */
static inline double believed(double ratio, double scale, double most) {
    const double x = scale * ratio;
    return x / sqrt(1. + x * x / (most * most));
}

/* ln of the odds of each hypothesis, as the classifiers see them; the pion's is 0. */
static const double PRIOR[2][N_SPECIES] = {{-2.5, -2., -1., -1.6, 0.}, {-2.5, .5, -1., -1.6, 0.}};

static inline void scores_of(double *score, const likelihoods *l, const evidence *e) {
    for (int h = 0; h < N_SPECIES; ++h) {
        score[h] = PRIOR[l->is_muon][h] + (h < PION ? believed(l->rich[h], .35, 7.) : 0.);
        for (int k = 0; k < N_EVIDENCE; ++k) score[h] += ratio_of(e, k, (species)h);
    }
    score[MUON] += l->is_muon ? believed(l->muon, .7, 4.) : -3.;
}

/* Probability of h against all others; sharpness turns odds into the classifier's. */
static inline double probability_of(const double *score, int h, double sharpness, double offset) {
    double largest = -1e9, sum = 0.;
    for (int k = 0; k < N_SPECIES; ++k)
        if (k != h && score[k] > largest) largest = score[k];
    for (int k = 0; k < N_SPECIES; ++k)
        if (k != h) sum += pm_exp(score[k] - largest);
    return rise(sharpness * (score[h] - largest - pm_log(sum)) + offset);
}

/* in: p, eta, nTracks, charge, isMuon, RichDLLe, RichDLLmu, RichDLLK, RichDLLp, MuonMuLL, MuonBkgLL.
 * out: PIDe, PIDK, PIDp, ProbNNe, ProbNNpi, ProbNNk, ProbNNp, PIDmu, ProbNNmu. */
static inline void combined_row(float *out, const float *in, const float *normals, species true_species) {
    const likelihoods l = likelihoods_of(in);
    const evidence e = evidence_of(true_species, normals);
    double score[N_SPECIES];
    scores_of(score, &l, &e);
    out[0] = (float)(l.rich[ELECTRON] + ratio_of(&e, CALORIMETER, ELECTRON));
    out[1] = (float)l.rich[KAON]; /* the calorimeters see no difference between hadrons */
    out[2] = (float)l.rich[PROTON];
    out[3] = (float)probability_of(score, ELECTRON, 1., 0.);
    out[4] = (float)probability_of(score, PION, 1., 0.);
    out[5] = (float)probability_of(score, KAON, 1., 0.);
    out[6] = (float)probability_of(score, PROTON, 1., 0.);
    out[7] = (float)(l.rich[MUON] + l.muon + ratio_of(&e, PENETRATION, MUON));
    out[8] = (float)probability_of(score, MUON, 1., 0.);
}

#endif
