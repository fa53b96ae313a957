/* What tells photons from electrons, hadrons and merged pi0: three numbers in (0, 1), drawn. */
#ifndef LHCB_RUN2_CALO_IDENTIFICATION_H
#define LHCB_RUN2_CALO_IDENTIFICATION_H

#include "calorimeter.h"
#include "lhcb/codes.h"

enum { N_IDENTIFICATION = 3 };

/* Logistic functions of a normal number whose mean grows with the transverse energy. Clusters of more energy are
 * told apart more surely (CERN-THESIS-2024-108, figs. 4.63 and 4.64); all numbers here are assumptions. */
static inline void identify(int type, double transverse, const float *normals, float *out) {
    static const double PHOTON_ID[] = {0., 1.6, -.2, .4, -.6}; /* by type, at 1 GeV of transverse energy */
    static const double NOT_E[] = {0., 2.2, 1.9, 2., -1.8};
    static const double NOT_H[] = {0., 2., 2.4, 2.1, 1.8};
    const double growth = pm_log(clamp(transverse, 50., 2e4) / 1e3);
    out[0] = (float)rise(PHOTON_ID[type] + .5 * growth + 1.3 * (double)normals[0]);
    out[1] = (float)rise(NOT_E[type] * (1. + .2 * growth) + 1.2 * (double)normals[1]);
    out[2] = (float)rise(NOT_H[type] + .7 * growth + 1.2 * (double)normals[2]);
}

#endif
