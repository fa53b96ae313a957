/* Elementary functions with the same bits on every processor, in C11 and in C++20.
 *
 * A libm may choose its code by processor, and its last bit with it. Here only IEEE 754 operations
 * that are exact by definition (+ - * /, sqrt) and integer operations decide a result. Compile with
 * -ffp-contract=off and without -ffast-math.
 *
 * Method: the argument is reduced to a short interval, where a polynomial is evaluated by Horner's
 * rule. Coefficients: near-minimax fits (mpmath.chebyfit, 200 bits and more) of the function and
 * interval named beside them, rounded to double. `pm_` is double, `pmf_` float32; the float functions
 * have no branches, so that compilers vectorise loops over them.
 */
#ifndef SQLAMARR_PORTABLE_MATH_H
#define SQLAMARR_PORTABLE_MATH_H

#ifdef __FAST_MATH__
#error "portable_math.h needs IEEE arithmetic: compile without -ffast-math"
#endif

#ifdef __cplusplus
#include <cmath>
#include <cstdint>
#include <cstring>
#else
#include <math.h>
#include <stdint.h>
#include <string.h>
#endif

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

/* ---- bits --------------------------------------------------------------------------------- */

#define PM_INF ((double)INFINITY)
#define PM_NAN ((double)NAN)

static inline uint64_t pm_bits(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
static inline double pm_from_bits(uint64_t u) {
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}
static inline uint32_t pmf_bits(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
static inline float pmf_from_bits(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}
static inline double pm_abs(double x) { return pm_from_bits(pm_bits(x) & 0x7fffffffffffffffu); }
static inline double pm_copysign(double x, double sign) {
    return pm_from_bits((pm_bits(x) & 0x7fffffffffffffffu) | (pm_bits(sign) & 0x8000000000000000u));
}
static inline double pm_power_of_two(int e) { return pm_from_bits((uint64_t)(e + 1023) << 52); } /* -1022..1023 */

/* Nearest integer, |x| < 2^51. */
static inline double pm_nearest(double x) { return (x + 0x1.8p52) - 0x1.8p52; }

/* x * 2^e, rounded once also where the result is subnormal; -2100 < e < 2100. */
static inline double pm_scale(double x, int e) {
    if (e >= -1021 && e <= 1022) return x * pm_power_of_two(e);
    if (e > 0) return x * pm_power_of_two(1022) * pm_power_of_two(e - 1022 > 1023 ? 1023 : e - 1022);
    return x * pm_power_of_two(e + 1000 < -1022 ? -1022 : e + 1000) * pm_power_of_two(-1000);
}

static inline double pm_polynomial(double x, const double *c, int n) {
    double sum = c[n - 1];
    for (int i = n - 2; i >= 0; --i) sum = sum * x + c[i];
    return sum;
}

/* ---- pairs of doubles: hi + lo, |lo| <= half a unit in the last place of hi -------------------- */

typedef struct pm_pair {
    double hi, lo;
} pm_pair;

static inline pm_pair pm_make(double hi, double lo) {
    pm_pair p;
    p.hi = hi;
    p.lo = lo;
    return p;
}
static inline pm_pair pm_sum_ordered(double a, double b) { /* |a| >= |b| or a = 0 */
    const double s = a + b;
    return pm_make(s, b - (s - a));
}
static inline pm_pair pm_sum(double a, double b) {
    const double s = a + b, t = s - a;
    return pm_make(s, (a - (s - t)) + (b - t));
}
static inline pm_pair pm_product(double a, double b) {       /* Dekker; exact unless it over- or underflows */
    const double ca = 134217729.0 * a, cb = 134217729.0 * b; /* 2^27 + 1 */
    const double ah = ca - (ca - a), bh = cb - (cb - b), al = a - ah, bl = b - bh, p = a * b;
    return pm_make(p, ((ah * bh - p) + ah * bl + al * bh) + al * bl);
}
static inline pm_pair pm_pair_product(pm_pair a, pm_pair b) {
    const pm_pair p = pm_product(a.hi, b.hi);
    return pm_sum_ordered(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}
static inline pm_pair pm_pair_sum(pm_pair a, pm_pair b) {
    const pm_pair s = pm_sum(a.hi, b.hi);
    return pm_sum_ordered(s.hi, s.lo + (a.lo + b.lo));
}

/* ---- exponential --------------------------------------------------------------------------- */

/* e^(x + lo), lo a small correction. exp(r) = 1 + r + r^2 P(r), |r| <= ln 2 / 2. */
static inline double pm_exp_pair(double x, double lo) {
    static const double P[] = {0x1.0000000000000p-1,  0x1.5555555555557p-3,  0x1.5555555555556p-5,
                               0x1.11111111100bep-7,  0x1.6c16c16c162c3p-10, 0x1.a01a01abf85abp-13,
                               0x1.a01a01a6e1e2ap-16, 0x1.71de01fdbf9cap-19, 0x1.27e4db46cddd1p-22,
                               0x1.af4e554377204p-26, 0x1.1f7340dbc337ep-29};
    if (x != x) return x;
    if (x > 709.79) return PM_INF;
    if (x < -745.2) return 0.0;
    const double k = pm_nearest(x * 0x1.71547652b82fep+0);
    const pm_pair r = pm_sum(x - k * 0x1.62e42fee00000p-1, lo - k * 0x1.a39ef35793c76p-33);
    const double tail = r.lo + r.hi * r.hi * pm_polynomial(r.hi, P, 11);
    const pm_pair one = pm_sum_ordered(1.0, r.hi);
    return pm_scale(one.hi + (one.lo + tail), (int)k);
}
static inline double pm_exp(double x) { return pm_exp_pair(x, 0.0); }

/* ---- logarithms ---------------------------------------------------------------------------- */

/* x = 2^*e * m with m in [sqrt(1/2), sqrt(2)); x positive and finite. */
static inline double pm_split(double x, int *e) {
    int shift = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        shift = -54;
    }
    const uint64_t u = pm_bits(x) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
    *e = (int)(u >> 52) - 1023 + shift;
    return pm_from_bits((u & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu);
}

/* 1: x is positive and finite; else *result is the logarithm of x. */
static inline int pm_log_ordinary(double x, double *result) {
    if (x > 0.0 && x < PM_INF) return 1;
    *result = x != x ? x : x == 0.0 ? -PM_INF : x < 0.0 ? PM_NAN : PM_INF;
    return 0;
}

/* log(1 + f) = 2 atanh(s), s = f / (2 + f): 2 s = f - s f and s f = f^2/2 - s f^2/2. */
static inline double pm_log(double x) {
    static const double R[] = {0x1.5555555555555p-1, 0x1.9999999999a38p-2, 0x1.2492492476c42p-2, 0x1.c71c720168526p-3,
                               0x1.745cf8fe328f9p-3, 0x1.3b1c36b445cebp-3, 0x1.0fbe71ad855c9p-3, 0x1.0c05166ec4148p-3};
    double special;
    if (!pm_log_ordinary(x, &special)) return special;
    int e;
    const double f = pm_split(x, &e) - 1.0, s = f / (2.0 + f), z = s * s, half = 0.5 * f * f;
    const double tail = s * (half + z * pm_polynomial(z, R, 8));
    return e * 0x1.62e42fee00000p-1 - ((half - (tail + e * 0x1.a39ef35793c76p-33)) - f);
}

/* log(x) to about 2^-64 relative; x positive and finite. */
static inline pm_pair pm_log_pair(double x) {
    static const double R[] = {/* (2 atanh(s) - 2 s - 2 s^3 / 3) / s^5 in s^2 */
                               0x1.999999999999ap-2, 0x1.2492492492522p-2, 0x1.c71c71c6ea994p-3, 0x1.745d177a9cebap-3,
                               0x1.3b1395cf37e45p-3, 0x1.1118c8814a0b1p-3, 0x1.df7ca8236e9e1p-4, 0x1.e02fc68c381f4p-4};
    int e;
    const double m = pm_split(x, &e), f = m - 1.0;
    const pm_pair d = pm_sum_ordered(2.0, f);
    const double q = f / d.hi;
    const pm_pair p = pm_product(q, d.hi);
    const pm_pair s = pm_sum_ordered(q, ((f - p.hi) - p.lo - q * d.lo) / d.hi);
    const pm_pair z = pm_pair_product(s, s);
    const pm_pair third = pm_pair_product(z, pm_make(0x1.5555555555555p-1, 0x1.5555555555555p-55));
    const pm_pair sum =
        pm_pair_sum(pm_sum_ordered(2.0, third.hi), pm_make(third.lo + z.hi * z.hi * pm_polynomial(z.hi, R, 8), 0.0));
    const pm_pair ln2 = pm_pair_sum(pm_make(e * 0x1.62e42fef00000p-1, 0.0), pm_product(e, 0x1.473de6af278edp-34));
    return pm_pair_sum(ln2, pm_pair_product(s, sum));
}

static inline double pm_log10(double x) {
    double special;
    if (!pm_log_ordinary(x, &special)) return special;
    const pm_pair l = pm_pair_product(pm_log_pair(x), pm_make(0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57));
    return l.hi + l.lo;
}

static inline double pm_log1p(double x) {
    const double u = 1.0 + x;
    if (u == 1.0) return x; /* also keeps -0 */
    if (!(u > 0.0 && u < PM_INF)) return pm_log(u);
    return pm_log(u) + (x - (u - 1.0)) / u * (pm_abs(x) < 0x1p53);
}

/* x^y for x >= 0 (NaN for x < 0). */
static inline double pm_pow(double x, double y) {
    if (y == 0.0 || x == 1.0) return 1.0;
    if (x != x || y != y || x < 0.0) return PM_NAN;
    if (x == 0.0 || x == PM_INF) return (x == 0.0) == (y > 0.0) ? 0.0 : PM_INF;
    if (pm_abs(y) > 1e300) return (x > 1.0) == (y > 0.0) ? PM_INF : 0.0; /* else the products overflow */
    const pm_pair l = pm_log_pair(x);
    if (pm_abs(l.hi * y) > 1000.0) return l.hi * y > 0.0 ? PM_INF : 0.0;
    const pm_pair p = pm_product(l.hi, y);
    return pm_exp_pair(p.hi, p.lo + l.lo * y);
}

/* ---- sine and cosine -------------------------------------------------------------------------- */

/* High 64 bits of a * b. */
static inline uint64_t pm_multiply_high(uint64_t a, uint64_t b) {
    const uint64_t al = a & 0xffffffffu, ah = a >> 32, bl = b & 0xffffffffu, bh = b >> 32;
    const uint64_t middle = ah * bl + ((al * bl) >> 32), cross = al * bh + (middle & 0xffffffffu);
    return ah * bh + (middle >> 32) + (cross >> 32);
}

/* Reduction of a large argument: the bits of 2/pi that matter, times the significand, modulo 4. */
static inline pm_pair pm_reduce_large(double x, int *quadrant) {
    static const uint64_t bits[] = {/* 2/pi, after 64 zero bits */
                                    0x0000000000000000u, 0xa2f9836e4e441529u, 0xfc2757d1f534ddc0u, 0xdb6295993c439041u,
                                    0xfe5163abdebbc561u, 0xb7246e3a424dd2e0u, 0x06492eea09d1921cu, 0xfe1deb1cb129a73eu,
                                    0xe88235f52ebb4484u, 0xe99c7026b45f7e41u, 0x3991d639835339f4u, 0x9c845f8bbdf9283bu,
                                    0x1ff897ffde05980fu, 0xef2f118b5a0a6d1fu, 0x6d367ecf27cb09b7u, 0x4f463f669e5fea2du,
                                    0x7527bac7ebe5f17bu, 0x3d0739f78a5292eau, 0x6bfb5fb11f8d5d08u, 0x56033046fc7b6babu};
    const uint64_t u = pm_bits(x), m = (u & 0x000fffffffffffffu) | 0x0010000000000000u;
    const int first = (int)((u >> 52) & 0x7ff) - 1075 - 2 + 64, word = first / 64, shift = first % 64;
    uint64_t w[3];
    for (int i = 0; i < 3; ++i)
        w[i] = shift ? (bits[word + i] << shift) | (bits[word + i + 1] >> (64 - shift)) : bits[word + i];
    const uint64_t low = m * w[2], middle_a = pm_multiply_high(m, w[2]), middle_b = m * w[1];
    const uint64_t middle = middle_a + middle_b, carry = middle < middle_a;
    const uint64_t high = m * w[0] + pm_multiply_high(m, w[1]) + carry;
    uint64_t a = (high << 2) | (middle >> 62), b = (middle << 2) | (low >> 62); /* fraction, 128 bits */
    int q = (int)(high >> 62);
    const int negative = (int)(a >> 63);
    if (negative) {
        q += 1;
        b = ~b + 1;
        a = ~a + (b == 0);
    }
    *quadrant = (u >> 63) ? (4 - (q & 3)) & 3 : q & 3;
    const double sign = negative != (int)(u >> 63) ? -1.0 : 1.0;
    const pm_pair top = pm_sum_ordered((double)(a >> 11) * 0x1p-53, (double)(a & 0x7ffu) * 0x1p-64);
    const pm_pair f = pm_pair_sum(top, pm_make((double)(b >> 11) * 0x1p-117, 0.0));
    const pm_pair r = pm_pair_product(f, pm_make(0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54));
    return pm_make(sign * r.hi, sign * r.lo);
}

/* x - quadrant pi/2, |result| <= pi/4; x finite. pi/2 in parts of 33, 33 and 53 bits. */
static inline pm_pair pm_reduce(double x, int *quadrant) {
    if (pm_abs(x) > 100000.0) return pm_reduce_large(x, quadrant);
    const double k = pm_nearest(x * 0x1.45f306dc9c883p-1);
    *quadrant = (int)((int64_t)k & 3);
    const pm_pair r = pm_sum(x - k * 0x1.921fb54400000p+0, -(k * 0x1.0b4611a600000p-34));
    const pm_pair s = pm_sum(r.hi, -(k * 0x1.3198a2e037073p-69));
    return pm_sum_ordered(s.hi, s.lo + r.lo);
}

static inline double pm_sin_kernel(pm_pair r) {
    static const double S[] = {-0x1.5555555555555p-3, 0x1.1111111110bb1p-7,   -0x1.a01a019e8357dp-13,
                               0x1.71de37961e4c6p-19, -0x1.ae600a926c89ap-26, 0x1.5e0af186af739p-33};
    const double z = r.hi * r.hi;
    return r.hi + (r.hi * z * pm_polynomial(z, S, 6) + r.lo * (1.0 - 0.5 * z));
}
static inline double pm_cos_kernel(pm_pair r) {
    static const double C[] = {0x1.5555555555555p-5,   -0x1.6c16c16c16966p-10, 0x1.a01a019f4e867p-16,
                               -0x1.27e4fa17a41b4p-22, 0x1.1eeb68b109173p-29,  -0x1.907d7aebd5e3dp-37};
    const double z = r.hi * r.hi, half = 0.5 * z, one = 1.0 - half;
    return one + (((1.0 - one) - half) + (z * z * pm_polynomial(z, C, 6) - r.hi * r.lo));
}

static inline void pm_sincos(double x, double *sine, double *cosine) {
    if (!(pm_abs(x) < PM_INF)) {
        *sine = *cosine = PM_NAN;
        return;
    }
    if (pm_abs(x) < 0x1p-30) {
        *sine = x;
        *cosine = 1.0;
        return;
    } /* also keeps -0 */
    int quadrant;
    const pm_pair r = pm_reduce(x, &quadrant);
    const double s = pm_sin_kernel(r), c = pm_cos_kernel(r);
    *sine = (quadrant & 1) ? c : s;
    *cosine = (quadrant & 1) ? s : c;
    if (quadrant & 2) *sine = -*sine;
    if ((quadrant + 1) & 2) *cosine = -*cosine;
}
static inline double pm_sin(double x) {
    double s, c;
    pm_sincos(x, &s, &c);
    return s;
}
static inline double pm_cos(double x) {
    double s, c;
    pm_sincos(x, &s, &c);
    return c;
}

/* ---- arc tangent -------------------------------------------------------------------------------- */

/* atan(a / b), 0 <= a <= b, b > 0, in [0, pi/4]; a / b above tan(pi/8) through pi/4 - atan((b - a) / (b + a)). */
static inline double pm_atan_ratio(double a, double b) {
    static const double A[] = {-0x1.5555555555555p-2, 0x1.9999999999953p-3,  -0x1.249249248d7cap-3,
                               0x1.c71c71c30300bp-4,  -0x1.745d165d9ee17p-4, 0x1.3b1392d04b71cp-4,
                               -0x1.110e875de57ebp-4, 0x1.e19a0439b3b4bp-5,  -0x1.ac7a216389ddfp-5,
                               0x1.74dbcb5c2167ap-5,  -0x1.1b2e7e3386b79p-5, 0x1.0ac7d2dc4c828p-6};
    const int upper = a > b * 0x1.a827999fcef32p-2;
    const double t = upper ? (b - a) / (b + a) : a / b, z = t * t;
    const double rest = t * z * pm_polynomial(z, A, 12);
    return upper ? 0x1.921fb54442d18p-1 + (0x1.1a62633145c07p-55 - rest - t) : t + rest;
}

/* The signed zeros and infinities as in C's Annex F. */
static inline double pm_atan2(double y, double x) {
    if (x != x || y != y) return PM_NAN;
    double a = pm_abs(y), b = pm_abs(x), angle;
    if (a == PM_INF || b == PM_INF) {
        a = a == PM_INF;
        b = b == PM_INF;
    }
    if (a > 0x1p1000 || b > 0x1p1000) {
        a *= 0x1p-30;
        b *= 0x1p-30;
    }
    if (a <= b)
        angle = a == 0.0 ? 0.0 : pm_atan_ratio(a, b);
    else
        angle = 0x1.921fb54442d18p+0 - (pm_atan_ratio(b, a) - 0x1.1a62633145c07p-54);
    if (pm_bits(x) >> 63) angle = 0x1.921fb54442d18p+1 - (angle - 0x1.1a62633145c07p-53);
    return pm_copysign(angle, y);
}
static inline double pm_atan(double x) { return pm_atan2(x, 1.0); }

/* ---- hyperbolic ---------------------------------------------------------------------------------- */

static inline double pm_tanh(double x) {
    static const double T[] = {-0x1.5555555555555p-2,  0x1.1111111111030p-3,  -0x1.ba1ba1b9fe8a1p-5,
                               0x1.664f4876fd0d1p-6,   -0x1.226e32ec0ef6ap-7, 0x1.d6d33860c95aap-9,
                               -0x1.7d97c2add0641p-10, 0x1.34c5272f2c133p-11, -0x1.ec0a900d5815dp-13,
                               0x1.64e9db7df7707p-14,  -0x1.59718922d52fap-16};
    const double a = pm_abs(x), z = x * x;
    if (a < 0.55) return pm_copysign(x + x * z * pm_polynomial(z, T, 11), x); /* keeps -0 */
    return x != x ? x : pm_copysign(a > 20.0 ? 1.0 : 1.0 - 2.0 / (pm_exp(2.0 * a) + 1.0), x);
}

static inline double pm_asinh(double x) {
    const double a = pm_abs(x);
    if (!(a < 0x1p28)) return pm_copysign(pm_log(a) + 0x1.62e42fefa39efp-1, x);
    return pm_copysign(pm_log1p(a + a * a / (1.0 + sqrt(1.0 + a * a))), x);
}

/* ---- error function and the normal distribution ----------------------------------------------------- */

/* erfc(x) e^(x^2), 1 <= x <= 27.5: polynomial / (1 + x), in (x - 4) / (x + 4). */
static inline double pm_erfc_scaled(double x) {
    static const double G[] = {
        0x1.5eb7f6ecb19a9p-1,   -0x1.9841f8fe19461p-3,  0x1.df6f7856005e3p-4,   -0x1.89dfde1d9771dp-5,
        0x1.03a8439377bf8p-8,   0x1.f5c2a42572f20p-7,   -0x1.1ef9faf7ec699p-6,  0x1.8e8471e27a2e2p-7,
        -0x1.8db87b51114b2p-8,  0x1.1567531e012b4p-9,   -0x1.98b3667b62eb6p-12, -0x1.f877057219e90p-15,
        0x1.0c92565b89b99p-14,  -0x1.b9414a41b30f8p-17, -0x1.15aaf728fdf7cp-18, 0x1.636170c7bd35ap-19,
        0x1.688a9114aac1ep-29,  -0x1.812fd281c833fp-22, 0x1.be90bbc183a89p-25,  0x1.57324ede85dc5p-25,
        -0x1.59233d2513de3p-27, -0x1.bceb9379753aep-30};
    return pm_polynomial((x - 4.0) / (x + 4.0), G, 22) / (1.0 + x);
}
/* (erf(x) - x) / x in x^2, |x| <= 1. */
static inline double pm_erf_small(double x) {
    static const double E[] = {0x1.06eba8214db69p-3,   -0x1.812746b0379e6p-2,  0x1.ce2f21a042b30p-4,
                               -0x1.b82ce31284e00p-6,  0x1.565bcd0dbaa38p-8,   -0x1.c02db3dac435fp-11,
                               0x1.f9a321d5b8e1ep-14,  -0x1.f4d1e3183f7aep-17, 0x1.b9df224ca4b97p-20,
                               -0x1.5f1ecb6f0764cp-23, 0x1.f7b4bf3b13964p-27,  -0x1.389d4f2641625p-30,
                               0x1.05ffd737fb32ep-34};
    return x + x * pm_polynomial(x * x, E, 13);
}
/* erfc(x + lo), lo a small correction. */
static inline double pm_erfc_pair(double x, double lo) {
    if (x != x) return x;
    if (pm_abs(x) < 1.0) return (1.0 - pm_erf_small(x)) - 0x1.20dd750429b6dp+0 * pm_exp(-x * x) * lo;
    if (pm_abs(x) > 27.5) return x > 0.0 ? 0.0 : 2.0;
    const double a = pm_abs(x);
    const pm_pair square = pm_product(a, a);
    const double tail = pm_exp_pair(-square.hi, -square.lo - 2.0 * x * lo) * pm_erfc_scaled(a);
    return x > 0.0 ? tail : 2.0 - tail;
}
static inline double pm_erfc(double x) { return pm_erfc_pair(x, 0.0); }
static inline double pm_erf(double x) { return pm_abs(x) < 1.0 ? pm_erf_small(x) : 1.0 - pm_erfc(x); }

/* Standard normal cumulative distribution, accurate in both tails. */
static inline double pm_normal_cdf(double x) {
    if (!(pm_abs(x) < 40.0)) return x != x ? x : x > 0.0 ? 1.0 : 0.0;
    const pm_pair t = pm_pair_product(pm_make(-x, 0.0), pm_make(0x1.6a09e667f3bcdp-1, -0x1.bdd3413b26456p-55));
    return 0.5 * pm_erfc_pair(t.hi, t.lo);
}

/* Its inverse below p = 0.2, with r = sqrt(-2 ln p): -(r + polynomial in (r - k) / (r + k)). */
static inline double pm_normal_quantile_tail(double p) {
    static const double A[] = {/* 1.79 < r < 4.65, k = 2.875 */
                               -0x1.768b2acee4694p-1, 0x1.b86820ae89486p-1, -0x1.5a370dc80152ap-2, 0x1.0586f018fc6bbp-2,
                               -0x1.3fd2da79c165fp-3, 0x1.17d1acd88427ap-3, -0x1.9e7e0d603fac7p-4, 0x1.7ae50cd5cf204p-4,
                               -0x1.2db16fda59bf2p-4, 0x1.1aa44fc738437p-4, -0x1.d8100e6804fcbp-5, 0x1.c064b1b60c0c8p-5,
                               -0x1.824dc3dc41560p-5, 0x1.725326c8f7028p-5, -0x1.3e0f2d5b128d1p-5, 0x1.34f40ef8ca28dp-5,
                               -0x1.5de335522d038p-5, 0x1.4ae875db80c7fp-5};
    static const double B[] = {
        /* 4.65 < r < 12.1, k = 7.5 */
        -0x1.967bb1c0cd362p-2, 0x1.1531cb9595070p-1, -0x1.3740b3f38340bp-2, 0x1.f2517e1b6baa1p-3,
        -0x1.7056d6ec46be2p-3, 0x1.33c2f12717e58p-3, -0x1.e9c0e7ab252cbp-4, 0x1.a7472cc3a76d3p-4,
        -0x1.61c97bdabebd7p-4, 0x1.3bbc2285211cep-4, -0x1.1231065094e38p-4, 0x1.f54379f6b689fp-5,
        -0x1.b689614754d45p-5, 0x1.970168990e501p-5, -0x1.c6baeb378274cp-5, 0x1.aacb748dbf836p-5};
    static const double C[] = {
        /* 12.1 < r < 39, k = 21.75 */
        -0x1.7981cb6e638b8p-3, 0x1.1cc10c84e877fp-2, -0x1.83ad1b2e0cc12p-3, 0x1.4c58a30150ee1p-3,
        -0x1.15191484ed5c1p-3, 0x1.edaae0e133ee0p-4, -0x1.b0ad9801af8f8p-4, 0x1.88b6295c37463p-4,
        -0x1.604070b03bed3p-4, 0x1.434d1609c6c70p-4, -0x1.25f5103236127p-4, 0x1.0fe1818f66da3p-4,
        -0x1.f2de6509a1a15p-5, 0x1.d02da55fd9d03p-5, -0x1.aff307345ff7cp-5, 0x1.946250079c105p-5,
        -0x1.5a5c2fb93c06dp-5, 0x1.43957ea465bbep-5, -0x1.dc1c9d1eecd2ap-5, 0x1.c75f1328cb449p-5};
    const double r = sqrt(-2.0 * pm_log(p));
    if (r < 4.65) return -(r + pm_polynomial((r - 2.875) / (r + 2.875), A, 18));
    if (r < 12.1) return -(r + pm_polynomial((r - 7.5) / (r + 7.5), B, 16));
    return -(r + pm_polynomial((r - 21.75) / (r + 21.75), C, 20));
}
static inline double pm_normal_quantile(double p) {
    static const double Q[] = {/* quantile / (p - 1/2) - 2.5 in (p - 1/2)^2 */
                               0x1.b263fec4e0b2cp-8,   0x1.4ffddeaa22dcfp+1,   0x1.71713082d8aaep+2,
                               0x1.f55d0d79de7e1p+3,   0x1.78494abb0e62ep+5,   0x1.2ba8e344e4fa1p+7,
                               0x1.f04476b9f7d9ap+8,   0x1.a6929b201377bp+10,  0x1.6dcceb326c72fp+12,
                               0x1.5057afeec0bbcp+14,  0x1.9c2f2e06c1df6p+15,  0x1.5bbd70a830a7cp+19,
                               -0x1.68e819cde011bp+22, 0x1.3c0ab85b11e23p+26,  -0x1.33a3545919b9dp+29,
                               0x1.c6aa79313afdfp+31,  -0x1.8b791fff55f89p+33, 0x1.693c8f464a3a6p+34};
    if (!(p > 0.0 && p < 1.0)) return p == 0.0 ? -PM_INF : p == 1.0 ? PM_INF : PM_NAN;
    if (p < 0.2) return pm_normal_quantile_tail(p);
    if (p > 0.8) return -pm_normal_quantile_tail(1.0 - p);
    const double q = p - 0.5, z = q * q;
    return q * 2.5 + q * pm_polynomial(z, Q, 18);
}

/* ---- float32, without branches ------------------------------------------------------------------------ */

/* condition ? a : b by masks: compilers keep a ternary on floats as a branch, for its traps. */
static inline float pmf_select(int condition, float a, float b) {
    const uint32_t mask = 0u - (uint32_t)(condition != 0);
    return pmf_from_bits((pmf_bits(a) & mask) | (pmf_bits(b) & ~mask));
}

/* Integer part by adding and taking away 1.5 * 2^23; its bits are the integer. */
static inline float pmf_exp(float x) {
    const float a = pmf_select(x < -104.0f, -104.0f, pmf_select(x > 89.0f, 89.0f, x));
    const float shifted = a * 0x1.715476p+0f + 0x1.8p23f, k = shifted - 0x1.8p23f;
    const float r = (a - k * 0x1.62e4p-1f) - k * 0x1.7f7d1cp-20f;
    const float p = 0x1p-1f + r * (0x1.5554d8p-3f + r * (0x1.555516p-5f + r * (0x1.12106cp-7f + r * 0x1.6d1606p-10f)));
    const uint32_t n = pmf_bits(shifted) - 0x4b400000u + 256u, half = n >> 1; /* k + 256 in two factors */
    const float first = pmf_from_bits((half - 128u + 127u) << 23),
                second = pmf_from_bits((n - half - 128u + 127u) << 23);
    return (1.0f + (r + r * r * p)) * first * second;
}

/* log(x) for x positive, normal and finite; anything else gives a meaningless number. */
static inline float pmf_log_normal(float x) {
    const uint32_t u = pmf_bits(x) + (0x3f800000u - 0x3f3504f3u);
    const float e = (float)((int32_t)(u >> 23) - 127);
    const float f = pmf_from_bits((u & 0x007fffffu) + 0x3f3504f3u) - 1.0f, s = f / (2.0f + f), z = s * s;
    const float half = 0.5f * f * f;
    const float tail =
        s * (half + z * (0x1.555556p-1f + z * (0x1.9999ecp-2f + z * (0x1.245c44p-2f + z * 0x1.ddced8p-3f))));
    return e * 0x1.62e4p-1f - ((half - (tail + e * 0x1.7f7d1cp-20f)) - f);
}
static inline float pmf_log(float x) {
    const int small = x < 0x1p-126f;
    float result = pmf_log_normal(x * pmf_select(small, 0x1p23f, 1.0f));
    result = result - pmf_select(small, 0x1.fe2804p+3f, 0.0f); /* 23 ln 2 */
    result = pmf_select(x < INFINITY, result, x);              /* infinity and NaN pass through */
    return pmf_select(x > 0.0f, result, pmf_select(x == 0.0f, -INFINITY, NAN));
}

/* sin and cos of r in [-pi/4, pi/4]. */
static inline float pmf_sin_kernel(float r) {
    const float z = r * r;
    return r + r * z * (-0x1.555556p-3f + z * (0x1.11110ep-7f + z * (-0x1.a013a8p-13f + z * 0x1.6dbe08p-19f)));
}
static inline float pmf_cos_kernel(float r) {
    const float z = r * r;
    return 1.0f - (0.5f * z - z * z * (0x1.555554p-5f + z * (-0x1.6c12d2p-10f + z * 0x1.9bd89cp-16f)));
}
/* sin and cos of 2 pi turns, |turns| < 2^20. */
static inline void pmf_sincos(float turns, float *sine, float *cosine) {
    const float quarters = turns * 4.0f, shifted = quarters + 0x1.8p23f;
    const uint32_t q = pmf_bits(shifted);
    const float r = (quarters - (shifted - 0x1.8p23f)) * 0x1.921fb6p+0f;
    const float s = pmf_sin_kernel(r), c = pmf_cos_kernel(r);
    const uint32_t swap = 0u - (q & 1u), sb = pmf_bits(s), cb = pmf_bits(c), mixed = (sb ^ cb) & swap;
    *sine = pmf_from_bits((sb ^ mixed) ^ ((q & 2u) << 30));
    *cosine = pmf_from_bits((cb ^ mixed) ^ (((q + 1u) & 2u) << 30));
}

#endif
