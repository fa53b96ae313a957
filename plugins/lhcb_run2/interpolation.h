/* Clamping and linear interpolation. A NaN is taken as the lower bound: no result is ever NaN. */
#ifndef LHCB_RUN2_INTERPOLATION_H
#define LHCB_RUN2_INTERPOLATION_H

static inline double clamp(double x, double low, double high) {
    return x > low ? (x < high ? x : high) : low;
}

/* Falls smoothly from 1 where x is `full` or beyond to 0 where it is `none` or beyond. */
static inline double fade(double x, double full, double none) {
    const double t = clamp((x - full) / (none - full), 0., 1.);
    return 1. - t * t;
}

typedef struct {
    int i;    /* between node i and node i + 1 */
    double w; /* weight of node i + 1 */
} interval;

/* The interval of n rising nodes that x lies in; outside, the nearest node. */
static inline interval locate(const double *node, int n, double x) {
    int i = 0;
    while (i < n - 2 && x >= node[i + 1]) ++i;
    const interval at = {i, clamp((x - node[i]) / (node[i + 1] - node[i]), 0., 1.)};
    return at;
}

static inline double mix(double a, double b, double w) { return a + w * (b - a); }

static inline double interpolate(const double *node, const double *value, int n, double x) {
    const interval at = locate(node, n, x);
    return mix(value[at.i], value[at.i + 1], at.w);
}

#endif
