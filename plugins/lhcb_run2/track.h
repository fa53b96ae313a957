/* Classes and species of tracks, as resolution and covariance are told them. */
#ifndef LHCB_RUN2_TRACK_H
#define LHCB_RUN2_TRACK_H

#include "interpolation.h"

typedef enum { LONG_TRACK, UPSTREAM_TRACK, DOWNSTREAM_TRACK, N_TRACK_CLASSES } track_class;

/* Nothing set: a long track. */
static inline track_class class_of(float is_upstream, float is_downstream) {
    return is_downstream > .5f ? DOWNSTREAM_TRACK : is_upstream > .5f ? UPSTREAM_TRACK : LONG_TRACK;
}

/* A genuine muon is measured like a hadron. (The muon columns of the compiled LHCb 2016 model are
 * much wider: its muons include those from pions and kaons that decay in flight.) */
typedef struct {
    track_class type;
    int electron;   /* 1 or 0 */
    double x, y, z; /* state closest to the beam [mm] */
    double tx, ty;  /* slopes dx/dz, dy/dz */
    double slope;   /* hypot(tx, ty) */
    double p;       /* [MeV] */
    double log10_p; /* of p/MeV */
} track;

/* position: x, y, z; slopes: tx, ty. Wild values are brought back into a wide range. */
track track_of(const float *position, const float *slopes, float log10_p, int electron, track_class type);

#endif
