/* Clamping and interpolation. A NaN is taken as the lower bound: no result is ever NaN. */
#ifndef LHCB_RUN2_INTERPOLATION_H
#define LHCB_RUN2_INTERPOLATION_H

static inline double clamp(double x, double low, double high) { return x > low ? (x < high ? x : high) : low; }

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

/* Slope at a node between two intervals of lengths h and slopes d: zero at an extremum, else the
 * weighted harmonic mean (Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5 (1984) 300). */
static inline double slope_between(double h0, double h1, double d0, double d1) {
    const double a = 2. * h1 + h0, b = h1 + 2. * h0;
    return d0 * d1 > 0. ? (a + b) / (a / d0 + b / d1) : 0.;
}

/* Cubic between nodes i and i + 1 (at weight w) of n: it has a continuous slope and never leaves the
 * range of the two values. */
static inline double monotone_cubic(const double *x, const double *y, int n, int i, double w) {
    /* 0 <= i <= n - 2, from locate(). NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
    const double h = x[i + 1] - x[i], d = (y[i + 1] - y[i]) / h;
    double left = d, right = d;
    if (i > 0) left = slope_between(x[i] - x[i - 1], h, (y[i] - y[i - 1]) / (x[i] - x[i - 1]), d);
    if (i < n - 2) {
        const double next = x[i + 2] - x[i + 1];
        right = slope_between(h, next, d, (y[i + 2] - y[i + 1]) / next);
    }
    const double v = 1. - w;
    return y[i] + w * w * (3. - 2. * w) * (y[i + 1] - y[i]) + w * v * h * (v * left - w * right);
}

#endif
