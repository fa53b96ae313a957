/* The measured efficiencies, interpolated. */
#ifndef LHCB_RUN2_EFFICIENCY_H
#define LHCB_RUN2_EFFICIENCY_H

#include "efficiency_tables.h"
#include "particle.h"

typedef const float momentum_row[N_P][N_CELL];

static inline double prompt_value(const particle *p, double eta, double log10_p, int what) {
    const interval e = locate(ETA, N_ETA, eta), m = locate(LOG10_P, N_P, log10_p);
    momentum_row *t = &PROMPT[p->species][e.i];
    return mix(mix(t[0][m.i][what], t[0][m.i + 1][what], m.w),
               mix(t[1][m.i][what], t[1][m.i + 1][what], m.w), e.w);
}

static inline double displaced_value(const particle *p, double z, int what) {
    const interval d = locate(Z, N_Z, z), m = locate(LOG10_P, N_P, p->log10_p);
    momentum_row *t = &DISPLACED[p->species][d.i];
    return mix(mix(t[0][m.i][what], t[0][m.i + 1][what], m.w),
               mix(t[1][m.i][what], t[1][m.i + 1][what], m.w), d.w);
}

/* What is left of a probability when the particle starts at a displacement of z [mm]: never more
 * than 1, although the table rises by 3 % at 50 mm. */
static inline double left_of(const particle *p, double z, int what) {
    return clamp(displaced_value(p, z, what) / displaced_value(p, 0., what), 0., 1.);
}

#endif
