/* Errors of a reconstructed track's state at a fixed z, in the one form that both the residuals and
 * the covariance matrix are made of.
 *
 * The state is carried from the first measured point back to the beam: with the arm between the two,
 *     dx = -arm dtx + e_x,    sigma(x)^2 = (arm sigma(tx))^2 + sigma(e_x)^2,
 * and y alike. This is what makes x and tx strongly anticorrelated.
 */
#ifndef LHCB_RUN2_TRACK_ERRORS_H
#define LHCB_RUN2_TRACK_ERRORS_H

#include "track.h"

typedef struct {
    double slope;    /* sigma(tx) = sigma(ty) */
    double offset;   /* sigma(e_x) = sigma(e_y) [mm] */
    double arm;      /* from the state to the first measured point [mm] */
    double momentum; /* sigma(p)/p */
    double mixing;   /* correlation of q/p and tx */
} track_errors;

/* Cores of the residuals in units of the nominal errors, and of what is reported. */
static const double CORE_VELO = .94, CORE_MOMENTUM = .9;

/* Nominal errors; surplus: that of hits (surplus_of_hits), with which a track is measured better. */
track_errors track_errors_of(const track *t, double surplus);

#endif
