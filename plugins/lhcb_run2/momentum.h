/* The reconstructed momentum. */
#ifndef LHCB_RUN2_MOMENTUM_H
#define LHCB_RUN2_MOMENTUM_H

#include "track.h"

/* ln(p reconstructed / p true) is -`error`; an electron loses energy before, by its own normal.
 * The result, p reconstructed - p true [MeV], is bounded to -0.95 p and 8 p. */
double momentum_residual(const track *t, double error, float loss_normal);

#endif
