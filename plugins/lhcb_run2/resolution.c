/* What the reconstruction makes of a true state closest to the beam: reconstructed minus true.
 *
 * The errors are drawn at the z of the true state, from the same widths and correlations that the
 * covariance matrix reports; the reconstructed track is then followed to its own closest approach.
 */
#include <math.h>

#include "model.h"
#include "momentum.h"
#include "quality.h"
#include "track_errors.h"

/* Which normal is used for what: the first three are those of quality_of. */
enum {
    BAD,
    N_GHOST,
    N_HITS,
    TAIL_V,
    TAIL_P,
    N_SLOPE_R,
    N_SLOPE_A,
    N_OFFSET_R,
    N_OFFSET_A,
    N_QP,
    N_LOSS,
    N_SHIFT,
    N_USED
};

/* Tails: some tracks have their errors multiplied, the more often the worse their quality. The cores keep
 * half of the 16-84 % range at the nominal error. */
static double widened(const float *normals, int which, double above, double core, double tail) {
    const double deviate = .5 * (double)normals[BAD] + .866 * (double)normals[which];
    return deviate > above ? tail : core;
}

typedef struct {
    double x, y, tx, ty; /* at fixed z [mm, 1] */
    double unit_tx;      /* tx in units of its core width */
} residuals;

/* The vertex detector measures the distance from the beam better than the angle around it: 47 against
 * 62 um at 10 GeV, 19 against 31 um at 30 GeV in the compiled model, so sigma(x) peaks at
 * phi = +-pi/2 (CERN-THESIS-2024-108, fig. 4.20). The fit reports the mean of the two. */
static void turn(const track *t, double radial, double around, double *x, double *y) {
    const int velo = t->type != DOWNSTREAM_TRACK && t->slope > 1e-9;
    const double cosine = velo ? t->tx / t->slope : 1., sine = velo ? t->ty / t->slope : 0.;
    const double r = velo ? .86 * radial : radial, a = velo ? 1.122 * around : around;
    *x = cosine * r - sine * a;
    *y = sine * r + cosine * a;
}

/* One track in 20 is in the tails: 4-7 % of the compiled model's residuals are beyond three robust
 * sigmas. */
static residuals at_fixed_z(const track_errors *e, const track *t, const float *normals) {
    const double scale = widened(normals, TAIL_V, 1.6449, CORE_VELO, 10.);
    double unit_ty, offset_x, offset_y;
    residuals r;
    turn(t, normals[N_SLOPE_R], normals[N_SLOPE_A], &r.unit_tx, &unit_ty);
    turn(t, normals[N_OFFSET_R], normals[N_OFFSET_A], &offset_x, &offset_y);
    r.tx = scale * e->slope * r.unit_tx;
    r.ty = scale * e->slope * unit_ty;
    r.x = -e->arm * r.tx + scale * e->offset * offset_x;
    r.y = -e->arm * r.ty + scale * e->offset * offset_y;
    return r;
}

/* Relative error of q/p. One track in ten is in the tails; the 95 % range is 3.1 (3 GeV) to 6 (60 GeV and
 * more) robust sigmas wide. */
static double momentum_error(const track_errors *e, const track *t, double unit_tx, const float *normals) {
    const double tail = 4.6 + clamp(t->p / 60e3, 0., 1.) * 4.5;
    const double scale = widened(normals, TAIL_P, 1.2816, CORE_MOMENTUM, tail);
    const double c = e->mixing;
    return scale * e->momentum * (c * unit_tx + sqrt(1. - c * c) * normals[N_QP]);
}

/* Where a downstream track is closest to the beam is hardly known: its state is found hundreds of mm
 * away along its own line. Compiled model, pions from K0S: sigma(dz) [mm] at 3, 5, 10, 20, 40, 60 GeV;
 * dx is tx dz. */
static double downstream_shift(const track *t, double normal) {
    static const double LOG10_P[] = {3.4771, 3.6990, 4., 4.3010, 4.6021, 4.7782};
    static const double SIGMA_Z[] = {531., 456., 225., 134., 61., 37.};
    return interpolate(LOG10_P, SIGMA_Z, 6, t->log10_p) * normal;
}

/* Distance along z from the true state to the reconstructed track's closest approach to x = y = 0.
 * Below 0.1 mrad there is no such point. */
static double step_to_beam(const track *t, const residuals *r, double normal) {
    const double tx = t->tx + r->tx, ty = t->ty + r->ty;
    const double dz = -((t->x + r->x) * tx + (t->y + r->y) * ty) / (tx * tx + ty * ty + 1e-8);
    const double shift = t->type == DOWNSTREAM_TRACK ? downstream_shift(t, normal) : 0.;
    return clamp(dz + shift, -5000., 5000.);
}

static void resolution_row(float *out, const float *in, const float *raw) {
    float normals[N_USED];
    for (int i = 0; i < N_USED; ++i) normals[i] = (float)clamp(raw[i], -6., 6.);
    const track t = track_of(in, in + 3, in[5], in[6] > .5f, class_of(in[10], in[11]));
    const track_quality q = quality_of(&t, normals + BAD);
    const track_errors e = track_errors_of(&t, surplus_of_hits(&t, q.n_dof));
    const residuals r = at_fixed_z(&e, &t, normals);
    const double error = momentum_error(&e, &t, r.unit_tx, normals);
    const double dz = step_to_beam(&t, &r, normals[N_SHIFT]);
    out[0] = (float)(r.x + (t.tx + r.tx) * dz);
    out[1] = (float)(r.y + (t.ty + r.ty) * dz);
    out[2] = (float)dz;
    out[3] = (float)r.tx;
    out[4] = (float)r.ty;
    out[5] = (float)momentum_residual(&t, error, normals[N_LOSS]);
    out[6] = (float)q.chi2_per_dof;
    out[7] = (float)q.n_dof;
    out[8] = (float)q.ghost_probability;
}

static const char *const INPUT[] = {"x",    "y",     "z",    "tx",      "ty",          "log10_p",
                                    "is_e", "is_mu", "is_h", "is_long", "is_upstream", "is_downstream"};
static const char *const OUTPUT[] = {"dx", "dy", "dz", "dtx", "dty", "dp", "chi2PerDoF", "nDoF", "ghostProb"};
static const float MIN[] = {-300, -300, -2000, -.45f, -.45f, 3, 0, 0, 0, 0, 0, 0};
static const float MAX[] = {300, 300, 2800, .45f, .45f, 5.3f, 1, 1, 1, 1, 1, 1};

RANDOM_MODEL(resolution, resolution_row, INPUT, OUTPUT, MIN, MAX,
             "errors from the J/psi measurement of 2012 and the compiled LHCb 2016 MagUp tracking "
             "model, measured on toy tracks");
READS(resolution, {0, N_USED});
