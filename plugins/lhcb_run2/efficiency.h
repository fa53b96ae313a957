/* The measured efficiencies, interpolated. */
#ifndef LHCB_RUN2_EFFICIENCY_H
#define LHCB_RUN2_EFFICIENCY_H

#include "efficiency_tables.h"
#include "particle.h"

typedef const float momentum_row[N_P][N_CELL];

/* Linear in log10_p; a smooth curve without overshoot in x, of which the tables know only n nodes. */
static inline double table_value(const double *node, int n, momentum_row *row, double x, const interval *momentum,
                                 int what) {
    const interval at = locate(node, n, x);
    const int first = at.i > 0 ? at.i - 1 : 0, last = at.i + 2 < n ? at.i + 2 : n - 1;
    double value[4] = {0.};
    for (int k = first; k <= last; ++k) {
        const float (*cell)[N_CELL] = &row[k][momentum->i];
        value[k - first] = mix(cell[0][what], cell[1][what], momentum->w);
    }
    return monotone_cubic(node + first, value, last - first + 1, at.i - first, at.w);
}

static inline double prompt_value(const particle *p, double eta, int what) {
    return table_value(ETA, N_ETA, PROMPT[p->species], eta, &p->momentum, what);
}

static inline double displaced_value(const particle *p, double z, int what) {
    return table_value(Z, N_Z, DISPLACED[p->species], z, &p->momentum, what);
}

/* What is left of a probability when the particle starts at a displacement of z [mm]: never more
 * than 1, although the table rises by 3 % at 50 mm. */
static inline double left_of(const particle *p, double z, int what) {
    return clamp(displaced_value(p, z, what) / displaced_value(p, 0., what), 0., 1.);
}

#endif
