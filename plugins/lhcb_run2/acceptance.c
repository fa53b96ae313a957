/* Probability that a particle flies into the detector's angular acceptance.
 *
 * It says nothing about reaching the T stations: magnet, absorption and decay are inside the
 * efficiency, as in the compiled LHCb 2016 model that the numbers were measured on.
 */
#include "efficiency.h"
#include "model.h"
#include "portable_math.h"

static double rise(double x) { return 1. / (1. + pm_exp(-x)); }

enum { INNERMOST = N_ETA - 1, LAST_INSIDE = N_ETA - 2 }; /* rows of eta 5.25 (10.5 mrad) and 5.0 */

/* Inner edge. At 50 GeV the measured acceptance is 0.27, 0.33, 0.54, 0.87, 0.94, 0.97 at
 * 8, 10, 11, 12, 13, 15 mrad; at 10 GeV it stays at 0.75 down to 8 mrad. So: a step at 11.1 mrad on
 * a pedestal that the row of 10.5 mrad gives for each momentum. Below 6 mrad is the beam pipe. */
static double inner_edge(const particle *p) {
    const double step = rise((1e3 * p->slope - 11.1) / .45), step_at_last_row = .20861;
    const double ratio =
        prompt_value(p, ETA[INNERMOST], IN_ACCEPTANCE) / prompt_value(p, ETA[LAST_INSIDE], IN_ACCEPTANCE);
    const double pedestal = clamp((ratio - step_at_last_row) / (1. - step_at_last_row), 0., 1.);
    return mix(step, 1., pedestal) * (1. - fade(1e3 * p->slope, 3., 6.));
}

/* Outer edge. Measured for hadrons: 0.98, 0.97, 0.95, 0.935 at tx = 0.25, 0.30, 0.35, 0.38 and
 * 0.975, 0.96, 0.93, 0.895 at the same ty; 400 mrad is where generated samples are cut. */
static double outer_edge(const particle *p) {
    return rise((.465 - fabs(p->tx)) / .03) * rise((.517 - fabs(p->ty)) / .058) * rise((.415 - p->slope) / .008);
}

static void acceptance_row(float *out, const float *in) {
    const particle p = particle_of(in);
    const double forward = 1. - fade(p.eta, 1.2, 1.4);
    const double inside = prompt_value(&p, clamp(p.eta, 2.25, 5.), IN_ACCEPTANCE);
    const double displaced = left_of(&p, displacement_of(&p), IN_ACCEPTANCE);
    out[0] = (float)(inside * forward * displaced * inner_edge(&p) * outer_edge(&p));
}

static const char *const INPUT[] = {PARTICLE_INPUT};
static const char *const OUTPUT[] = {"acceptance"};
static const float MIN[] = {PARTICLE_MIN};
static const float MAX[] = {PARTICLE_MAX};

MODEL(acceptance, acceptance_row, INPUT, OUTPUT, MIN, MAX,
      "interpolated from the compiled LHCb 2016 MagUp tracking model, measured on toy tracks");
