/* Quality of a reconstructed track. */
#ifndef LHCB_RUN2_QUALITY_H
#define LHCB_RUN2_QUALITY_H

#include "track.h"

typedef struct {
    double chi2_per_dof, n_dof, ghost_probability;
} track_quality;

/* normals: three independent standard normals. The first decides how bad the track is: it moves both
 * chi2 and the ghost probability. */
track_quality quality_of(const track *t, const float *normals);

/* How many more hits than usual a track like this has, as a standard normal deviate: the third of the
 * normals above, got back from the degrees of freedom. */
double surplus_of_hits(const track *t, double n_dof);

#endif
