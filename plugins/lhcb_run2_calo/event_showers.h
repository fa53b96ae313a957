/* The particles of an event, the showers that they leave, and what each contributes to each cluster. */
#ifndef LHCB_RUN2_CALO_EVENT_SHOWERS_H
#define LHCB_RUN2_CALO_EVENT_SHOWERS_H

#include "clusters.h"
#include "lhcb/codes.h"
#include "sqlamarr_plugin.h"

enum { X, Y, P, TX, TY, X_ORIGIN, Y_ORIGIN, Z_ORIGIN, KIND, N_IN };

/* Normals of a row. A cluster takes those of its largest contributor. */
enum {
    N_SHOWER,
    N_HIT_X,
    N_HIT_Y,
    N_NOISE,
    N_PID,
    N_SHARE = N_PID + 3,
    N_SPLIT_X,
    N_SPLIT_Y,
    N_SPLIT_PID,
    N_USED = N_SPLIT_PID + 3
};
enum { N_RANDOM = 16 };

typedef struct {
    double x, y; /* where it hits, with the error of the measurement */
    double energy;
    int kind, first, n; /* its deposits */
    const float *normals;
} particle;

typedef struct {
    int cluster, particle;
    double energy;
} contribution; /* those of a particle stand together */

typedef struct {
    int largest, second; /* contributors to a cluster, -1: none */
    double first_energy, second_energy;
} contributors;

typedef struct {
    int n, n_contributions;
    particle *particles;
    deposits showers;
    ecal *cells;
    contribution *contributions;
    contributors *of_cluster;
    double *part; /* per cluster, what one particle contributes */
} event_showers;

/* All showers, the clusters of at least this transverse energy [MeV] in their largest cell, and who contributed to
 * them; 0: out of memory. Free it in any case. */
int reconstruct(event_showers *w, const sqlamarr_event_input *in, double seed_threshold);
void free_showers(event_showers *w);

#endif
