/* The covariance matrix that the track fit reports for a reconstructed state, at its z.
 *
 * Built from the same errors as the residuals, with the track-to-track scatter of the compiled LHCb
 * 2016 model. The correlations are those of independent errors mixed by matrices, so the result is
 * positive definite for every row.
 */
#include <math.h>

#include "model.h"
#include "portable_math.h"
#include "quality.h"
#include "track_errors.h"

enum { N_DIFFERENCE, N_XY, N_USED };

/* The cores of the errors. The fit takes x and y alike, to 2 %: C_xx ~ C_yy, C_txtx ~ C_tyty
 * (CERN-THESIS-2024-108, eq. 4.9). */
static track_errors reported(track_errors e, double difference) {
    const double velo = CORE_VELO * pm_exp(difference);
    e.slope *= velo;
    e.offset *= velo;
    e.momentum *= CORE_MOMENTUM;
    return e;
}

/* Correlation of x and tx, and ln sigma(x), of one projection. */
static double log_variance_of_position(const track_errors *e, double *correlation) {
    const double along = e->arm * e->slope;
    const double variance = along * along + e->offset * e->offset;
    *correlation = -along / sqrt(variance);
    return pm_log(variance);
}

/* a, b: correlations of x, tx and of y, ty; c: of q/p and tx; r: of the two projections. */
static void correlations(float *out, double a, double b, double c, double r) {
    const double u = sqrt(1. - a * a), v = sqrt(1. - b * b);
    out[0] = (float)(r * (a * b + u * v)); /* x y */
    out[1] = (float)a;                     /* x tx */
    out[2] = (float)(r * b);               /* y tx */
    out[3] = (float)(r * a);               /* x ty */
    out[4] = (float)b;                     /* y ty */
    out[5] = (float)r;                     /* tx ty */
    out[6] = (float)(a * c);               /* x q/p */
    out[7] = (float)(r * b * c);           /* y q/p */
    out[8] = (float)c;                     /* tx q/p */
    out[9] = (float)(r * c);               /* ty q/p */
}

static void covariance_row(float *out, const float *in, const float *raw) {
    float normals[N_USED];
    for (int i = 0; i < N_USED; ++i) normals[i] = (float)clamp(raw[i], -5., 5.);
    const track t = track_of(in, in + 3, in[5], in[9] > .5f, class_of(in[13], in[14]));
    const track_errors nominal = track_errors_of(&t, surplus_of_hits(&t, in[7]));
    const track_errors ex = reported(nominal, .02 * normals[N_DIFFERENCE]);
    const track_errors ey = reported(nominal, -.02 * normals[N_DIFFERENCE]);
    double a, b;
    out[0] = (float)log_variance_of_position(&ex, &a);
    out[1] = (float)log_variance_of_position(&ey, &b);
    out[2] = (float)(2. * pm_log(ex.slope));
    out[3] = (float)(2. * pm_log(ey.slope));
    out[4] = (float)(2. * pm_log(ex.momentum / t.p));
    correlations(out + 5, a, b, ex.mixing, clamp(.03 * normals[N_XY], -.2, .2));
}

static const char *const INPUT[] = {"x",       "y",          "z",       "tx",          "ty",
                                    "log10_p", "chi2PerDoF", "nDoF",    "ghostProb",   "is_e",
                                    "is_mu",   "is_h",       "is_long", "is_upstream", "is_downstream"};
static const char *const OUTPUT[] = {"log_cov00", "log_cov11", "log_cov22", "log_cov33", "log_cov44",
                                     "corr01",    "corr02",    "corr12",    "corr03",    "corr13",
                                     "corr23",    "corr04",    "corr14",    "corr24",    "corr34"};
static const float MIN[] = {-300, -300, -2000, -.45f, -.45f, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0};
static const float MAX[] = {300, 300, 2800, .45f, .45f, 5.3f, 10, 60, .4f, 1, 1, 1, 1, 1, 1};

RANDOM_MODEL(covariance, covariance_row, INPUT, OUTPUT, MIN, MAX,
             "errors from the J/psi measurement of 2012 and the compiled LHCb 2016 MagUp tracking "
             "model, measured on toy tracks");
READS(covariance, {0, N_USED});
