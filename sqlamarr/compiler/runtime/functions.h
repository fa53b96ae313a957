/* Functions of one number for compiled models: m32_NAME in single, m64_NAME in double precision.
 *
 * Equal bits on every processor: IEEE operations alone decide a result, fused ones only where FMA is
 * written. The common float32 functions have no branches, so that loops over them are vectorised; the
 * others are computed in double precision and rounded once.
 */

/* ---- fused multiply-add ------------------------------------------------------------------------ */

/* a * b + c rounded once, without the instruction: the product is exact in double; the sum is rounded to
 * odd, so that the second rounding, to float, cannot err. */
static inline float emulated_fmaf(float a, float b, float c) {
    const double p = (double)a * (double)b, s = p + (double)c, t = s - p;
    const double error = (p - (s - t)) + ((double)c - t);
    uint64_t u = pm_bits(s);
    const uint64_t away = (uint64_t)((error > 0.0) == (s > 0.0)) * 2u - 1u; /* one unit up or down in magnitude */
    const uint64_t inexact = (uint64_t)(error != 0.0 && error == error);
    u += (inexact & (~u & 1u)) * away;
    return (float)pm_from_bits(u);
}

/* ---- float32, vectorised ----------------------------------------------------------------------------- */

static inline float m32_abs(float x) { return pmf_from_bits(pmf_bits(x) & 0x7fffffffu); }
static inline float m32_sign_of(float magnitude, float x) {
    return pmf_from_bits(pmf_bits(magnitude) | (pmf_bits(x) & 0x80000000u));
}
static inline float m32_exp(float x) { return pmf_exp(x); }
static inline float m32_log(float x) { return pmf_log(x); }

/* exp(x) - 1 for -20 < x < 88: 2^k (exp(r) - 1) + (2^k - 1), which does not cancel. */
static inline float m32_expm1_bounded(float x) {
    const float shifted = x * 0x1.715476p+0f + 0x1.8p23f, k = shifted - 0x1.8p23f;
    const float hi = x - k * 0x1.62e4p-1f, lo = k * 0x1.7f7d1cp-20f, r = hi - lo;
    /* What r has lost in rounding comes back in the last sum. */
    const float lost = (hi - r) - lo;
    const float p = 0x1p-1f + r * (0x1.5554d8p-3f + r * (0x1.555516p-5f + r * (0x1.12106cp-7f + r * 0x1.6d1606p-10f)));
    const float e = r + (lost + r * r * p);
    const float scale = pmf_from_bits((pmf_bits(shifted) - 0x4b400000u + 127u) << 23);
    return scale * e + (scale - 1.0f);
}
static inline float m32_expm1(float x) {
    const float a = pmf_select(x < -20.0f, -20.0f, pmf_select(x > 88.0f, 88.0f, x));
    float y = pmf_select(x > 88.0f, pmf_exp(x), m32_expm1_bounded(a));
    y = pmf_select(m32_abs(x) < 0x1p-13f, x * (1.0f + x * 0.5f), y);
    return pmf_select(x != x, x, y);
}
/* tanh(|x|) = e / (e + 2), e = exp(2 |x|) - 1; it is 1 from 9.02 on. */
static inline float m32_tanh(float x) {
    const float a = m32_abs(x), bounded = pmf_select(a > 10.0f, 10.0f, a);
    const float e = m32_expm1_bounded(2.0f * bounded), y = e / (e + 2.0f);
    const float small = pmf_select(a < 0x1p-12f, a, y);
    return pmf_select(x != x, x, m32_sign_of(small, x));
}
static inline float m32_sigmoid(float x) {
    const float e = pmf_exp(-m32_abs(x)), y = pmf_select(x >= 0.0f, 1.0f, e) / (1.0f + e);
    return pmf_select(x != x, x, y);
}
static inline float m32_log1p(float x) {
    const float u = 1.0f + x, ordinary = pmf_log(u) + (x - (u - 1.0f)) / u;
    float y = pmf_select(u > 0.0f && u < INFINITY, ordinary, pmf_log(u));
    y = pmf_select(m32_abs(x) < 0x1p-12f, x - x * x * 0.5f, y);
    return pmf_select(x != x, x, y);
}
static inline float m32_softplus(float x) {
    const float y = pmf_select(x > 0.0f, x, 0.0f) + m32_log1p(pmf_exp(-m32_abs(x)));
    return pmf_select(x != x, x, y);
}
static inline float m32_max(float a, float b) { return pmf_select(a >= b || a != a, a, b); }
static inline float m32_min(float a, float b) { return pmf_select(a <= b || a != a, a, b); }
static inline float m32_relu(float x) { return pmf_select(x < 0.0f, 0.0f, x); }
static inline float m32_leaky_relu(float x, float slope) { return pmf_select(x < 0.0f, x * slope, x); }
static inline float m32_elu(float x, float alpha) { return pmf_select(x < 0.0f, m32_expm1(x) * alpha, x); }
static inline float m32_where(float c, float a, float b) { return pmf_select(c != 0.0f, a, b); }

/* ---- double precision ----------------------------------------------------------------------------------- */

static inline double m64_abs(double x) { return pm_abs(x); }
static inline double m64_exp(double x) { return pm_exp(x); }
static inline double m64_log(double x) { return pm_log(x); }
static inline double m64_log1p(double x) { return pm_log1p(x); }
static inline double m64_log10(double x) { return pm_log10(x); }
static inline double m64_log2(double x) {
    double special;
    if (!pm_log_ordinary(x, &special)) return special;
    const pm_pair l = pm_pair_product(pm_log_pair(x), pm_make(0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56));
    return l.hi + l.lo;
}
static inline double m64_sin(double x) { return pm_sin(x); }
static inline double m64_cos(double x) { return pm_cos(x); }
static inline double m64_tan(double x) {
    double s, c;
    pm_sincos(x, &s, &c);
    return s / c;
}
static inline double m64_arctan(double x) { return pm_atan(x); }
static inline double m64_arcsinh(double x) { return pm_asinh(x); }
static inline double m64_tanh(double x) { return pm_tanh(x); }
static inline double m64_erf(double x) { return pm_erf(x); }
static inline double m64_normal_cdf(double x) { return pm_normal_cdf(x); }
static inline double m64_normal_quantile(double p) { return pm_normal_quantile(p); }

/* exp(x) - 1 = t (exp(x) + 1), t = tanh(x / 2); exp(x) - 1 where nothing cancels. */
static inline double m64_expm1(double x) {
    if (pm_abs(x) < 1.0) return x == 0.0 ? x : pm_tanh(0.5 * x) * (pm_exp(x) + 1.0);
    return pm_exp(x) - 1.0;
}
static inline double m64_half_exp(double x) { /* exp(x) / 2, which does not overflow before it must */
    const double e = pm_exp(0.5 * x);
    return 0.5 * e * e;
}
static inline double m64_sinh(double x) {
    const double a = pm_abs(x);
    if (a > 40.0) return pm_copysign(m64_half_exp(a), x);
    const double e = m64_expm1(a);
    return pm_copysign(0.5 * (e + e / (e + 1.0)), x);
}
static inline double m64_cosh(double x) {
    const double a = pm_abs(x);
    if (a > 40.0) return m64_half_exp(a);
    const double e = pm_exp(a);
    return 0.5 * (e + 1.0 / e);
}
static inline double m64_cbrt(double x) {
    const double a = pm_abs(x);
    if (!(a > 0.0 && a < PM_INF)) return x;
    const double y = pm_exp(pm_log(a) / 3.0);
    return pm_copysign(y - (y - a / (y * y)) / 3.0, x);
}
static inline double m64_rint(double x) {
    return pm_abs(x) < 0x1p52 ? pm_copysign((pm_abs(x) + 0x1p52) - 0x1p52, x) : x;
}
/* A negative base has a power where the exponent is an integer. */
static inline double m64_pow(double x, double y) {
    if (!(x < 0.0)) return y == 2.0 ? x * x : y == 0.5 && x < PM_INF ? sqrt(x) : pm_pow(x, y);
    if (y == 2.0) return x * x;
    if (!(m64_rint(y) == y)) return PM_NAN;
    const double half = 0.5 * y, odd = m64_rint(half) == half ? 1.0 : -1.0;
    return odd * pm_pow(-x, y);
}
static inline double m64_floor(double x) {
    const double r = m64_rint(x);
    return r > x ? pm_copysign(r - 1.0, x) : r;
}
static inline double m64_ceil(double x) {
    const double r = m64_rint(x);
    return r < x ? pm_copysign(r + 1.0, x) : r;
}
static inline double m64_sigmoid(double x) {
    const double e = pm_exp(-pm_abs(x));
    return x != x ? x : (x >= 0.0 ? 1.0 : e) / (1.0 + e);
}
static inline double m64_softplus(double x) {
    return (x > 0.0 ? x : 0.0) + (x != x ? x : pm_log1p(pm_exp(-pm_abs(x))));
}
static inline double m64_max(double a, double b) { return a >= b || a != a ? a : b; }
static inline double m64_min(double a, double b) { return a <= b || a != a ? a : b; }
static inline double m64_relu(double x) { return x < 0.0 ? 0.0 : x; }
static inline double m64_leaky_relu(double x, double slope) { return x < 0.0 ? x * slope : x; }
static inline double m64_elu(double x, double alpha) { return x < 0.0 ? m64_expm1(x) * alpha : x; }
static inline double m64_where(double c, double a, double b) { return c != 0.0 ? a : b; }

/* ---- float32 through double ---------------------------------------------------------------------------- */

#define THROUGH_DOUBLE(name)                                                                                           \
    static inline float m32_##name(float x) { return (float)m64_##name((double)x); }
THROUGH_DOUBLE(log2)
THROUGH_DOUBLE(log10)
THROUGH_DOUBLE(sin)
THROUGH_DOUBLE(cos)
THROUGH_DOUBLE(tan)
THROUGH_DOUBLE(arctan)
THROUGH_DOUBLE(arcsinh)
THROUGH_DOUBLE(sinh)
THROUGH_DOUBLE(cosh)
THROUGH_DOUBLE(cbrt)
THROUGH_DOUBLE(erf)
THROUGH_DOUBLE(normal_cdf)
THROUGH_DOUBLE(normal_quantile)
THROUGH_DOUBLE(floor)
THROUGH_DOUBLE(ceil)
THROUGH_DOUBLE(rint)
static inline float m32_pow(float x, float y) { return (float)m64_pow((double)x, (double)y); }

/* ---- both ------------------------------------------------------------------------------------------------- */

#define BOTH(name, expression)                                                                                         \
    static inline float m32_##name(float x) { return expression; }                                                     \
    static inline double m64_##name(double x) { return expression; }
#define BOTH2(name, expression)                                                                                        \
    static inline float m32_##name(float a, float b) { return expression; }                                            \
    static inline double m64_##name(double a, double b) { return expression; }
BOTH(neg, -x)
BOTH(reciprocal, 1 / x)
BOTH(square, x *x)
BOTH(sign, x > 0 ? 1 : x < 0 ? -1 : x)
BOTH(isnan, x != x)
BOTH(not, x == 0)
static inline float m32_sqrt(float x) { return sqrtf(x); }
static inline double m64_sqrt(double x) { return sqrt(x); }
BOTH2(add, a + b)
BOTH2(sub, a - b)
BOTH2(mul, a *b)
BOTH2(div, a / b)
BOTH2(lt, a < b)
BOTH2(le, a <= b)
BOTH2(gt, a > b)
BOTH2(ge, a >= b)
BOTH2(eq, a == b)
BOTH2(ne, a != b)
BOTH2(and, a != 0 && b != 0)
BOTH2(or, a != 0 || b != 0)
BOTH2(xor, (a != 0) != (b != 0))
