#include "shower.h"

/* Tables, made once when the library is loaded: the same bits on every processor. */
enum { N_NORMAL = 1024, N_OFFSET = 64 };
#define NORMAL_END 6.4
static double normal_table[N_NORMAL + 2];               /* Phi(t) - 1/2, t from 0 to NORMAL_END */
static double part_scale[N_PARTS];                      /* 1 / (Phi(reach) - Phi(-reach)) */
static double asymmetry_table[N_REGIONS][N_OFFSET + 1]; /* at offsets from 0 to half a cell */

static double half_normal(double t) {
    const double at = t * (N_NORMAL / NORMAL_END);
    if (!(at < N_NORMAL)) return .5;
    const int i = (int)at;
    return mix(normal_table[i], normal_table[i + 1], at - i);
}

double shower_below(int part, double distance) {
    const double d = clamp(distance, -REACH, REACH), h = part_scale[part] * half_normal(fabs(d) / PART_SIGMA[part]);
    return .5 + (d < 0. ? -h : h);
}

double shower_fraction(double x0, double x1, double y0, double y1) {
    double sum = 0.;
    for (int k = 0; k < N_PARTS; ++k)
        sum +=
            PART_WEIGHT[k] * (shower_below(k, x1) - shower_below(k, x0)) * (shower_below(k, y1) - shower_below(k, y0));
    return sum;
}

/* A shower at `offset` from the centre of a cell, in y at the centre. */
static double asymmetry_at(double cell, double offset) {
    double left = 0., right = 0., all = 0.;
    const double low = -.5 * cell - offset, high = .5 * cell - offset;
    left = shower_fraction(low - cell, low, -1.5 * cell, 1.5 * cell);
    right = shower_fraction(high, high + cell, -1.5 * cell, 1.5 * cell);
    all = shower_fraction(low - cell, high + cell, -1.5 * cell, 1.5 * cell);
    return (right - left) / all;
}

double shower_offset(int region, double asymmetry) {
    const double *table = asymmetry_table[region], a = fabs(asymmetry), cell = REGION[region].cell;
    int low = 0, high = N_OFFSET;
    if (!(a < table[N_OFFSET])) return asymmetry < 0. ? -.5 * cell : .5 * cell;
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (a < table[middle])
            high = middle;
        else
            low = middle;
    }
    const double at = (low + (a - table[low]) / (table[high] - table[low])) * .5 * cell / N_OFFSET;
    return asymmetry < 0. ? -at : at;
}

__attribute__((constructor)) static void make_tables(void) {
    for (int i = 0; i < N_NORMAL + 2; ++i) normal_table[i] = pm_normal_cdf(i * (NORMAL_END / N_NORMAL)) - .5;
    for (int k = 0; k < N_PARTS; ++k) part_scale[k] = .5 / half_normal(REACH / PART_SIGMA[k]);
    for (int r = 0; r < N_REGIONS; ++r)
        for (int i = 0; i <= N_OFFSET; ++i)
            asymmetry_table[r][i] = asymmetry_at(REGION[r].cell, i * .5 * REGION[r].cell / N_OFFSET);
}
