/* Species of charged particles and what the models are told about a track. */
#ifndef LHCB_RUN2_PID_PARTICLE_H
#define LHCB_RUN2_PID_PARTICLE_H

#include <math.h>

#include "lhcb_run2/interpolation.h"
#include "portable_math.h"

/* Hypotheses are compared with the pion: it comes last. */
typedef enum { ELECTRON, MUON, KAON, PROTON, PION, N_SPECIES } species;

static const double MASS[N_SPECIES] = {.51099895, 105.65838, 493.677, 938.27209, 139.57039}; /* MeV, PDG */

/* Nothing here depends on the charge: in LHCb the detectors are nearly symmetric. */
typedef struct {
    double p;        /* reconstructed momentum [GeV] */
    double eta;      /* reconstructed pseudorapidity */
    double slope;    /* tangent of the angle to the beam */
    double n_tracks; /* reconstructed tracks in the event */
    double crowding; /* hits of other particles around it: 1 at 200 tracks and eta 3; they lie denser near the beam */
    int is_muon;
} pid_track;

/* Wild values are brought back into a wide range. fifth: isMuon, or 0 where there is none. */
static inline pid_track pid_track_of(const float *in, float fifth) {
    pid_track t;
    t.p = 1e-3 * clamp(in[0], 1., 1e8);
    t.eta = clamp(in[1], -10., 10.);
    const double e = pm_exp(t.eta);
    t.slope = t.eta > .01 ? 2. / (e - 1. / e) : 100.;
    t.n_tracks = clamp(in[2], 0., 3000.);
    t.crowding = t.n_tracks / 200. * pm_exp(.65 * (clamp(t.eta, 2., 5.) - 3.));
    t.is_muon = fifth > .5f;
    return t;
}

/* 1 far above x = 0, 0 far below. */
static inline double rise(double x) { return 1. / (1. + pm_exp(-x)); }

#endif
