/* What the models of single photons are told: where the photon hits and where it comes from. */
#ifndef LHCB_RUN2_CALO_SIGNAL_H
#define LHCB_RUN2_CALO_SIGNAL_H

#include "calorimeter.h"

typedef struct {
    double x, y;   /* on the calorimeter's face [mm] */
    double energy; /* [MeV] */
    double z;      /* of the origin [mm] */
    int region;    /* -1: outside */
    int from_pi0;
} photon;

#define PHOTON_INPUT "x_ecal", "y_ecal", "log10_p", "tx", "ty", "x", "y", "z", "from_pi0"
#define PHOTON_MIN -(float)LHCB_ECAL_HALF_X, -(float)LHCB_ECAL_HALF_Y, 1.5f, -.35f, -.3f, -1000, -1000, -500, 0
#define PHOTON_MAX (float)LHCB_ECAL_HALF_X, (float)LHCB_ECAL_HALF_Y, 5.5f, .35f, .3f, 1000, 1000, 5000, 1

static inline photon photon_of(const float *in) {
    photon p;
    p.x = clamp(in[0], -1e5, 1e5);
    p.y = clamp(in[1], -1e5, 1e5);
    p.energy = pm_exp(clamp(in[2], 0., 8.) * 2.302585092994046);
    p.z = clamp(in[7], -1e5, 1e5);
    p.region = region_at(p.x, p.y);
    p.from_pi0 = in[8] > .5f;
    return p;
}

#endif
