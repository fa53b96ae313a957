/* Probabilities that a particle in acceptance is not reconstructed, or becomes a long, an upstream
 * or a downstream track.
 *
 * Prompt particles: the table in eta and momentum. Displaced ones: the dependence on the
 * displacement, measured at eta 3, times the prompt probability; what downstream tracks gain there
 * is scaled by the prompt long efficiency, since both need the T stations.
 */
#include "efficiency.h"
#include "model.h"

typedef struct {
    double through, front, back; /* long, upstream, downstream */
} probabilities;

/* Outside the table: nothing beyond 1.5 < eta < 5.6, nor from vertices behind the TT (2.7 m). */
static double border(const particle *p) {
    return fade(p->eta, 1.9, 1.5) * fade(p->eta, 5.25, 5.6) * fade(p->z, 2500., 2800.);
}

/* Below 3 GeV, where the table ends, tracks are swept out: none reaches the T stations below
 * 1.1 GeV, where the kick of 1.23 GeV bends by more than 45 degrees. Half of the long tracks lost so
 * are upstream ones, and these end near 0.2 GeV. The shape of the fall is an assumption. */
static probabilities prompt(const particle *p) {
    const double swept = fade(p->log10_p, 3.4771, 3.0414), curled = fade(p->log10_p, 2.9, 2.3);
    const double full = prompt_value(p, p->eta, P_LONG);
    probabilities at;
    at.through = full * swept;
    at.front = (prompt_value(p, p->eta, P_UPSTREAM) + .5 * full * (1. - swept)) * curled;
    at.back = prompt_value(p, p->eta, P_DOWNSTREAM) * swept;
    return at;
}

static probabilities displaced(const particle *p) {
    const double z = displacement_of(p);
    probabilities at = prompt(p);
    const double at_eta_3 = prompt_value(p, 3., P_LONG);
    const double gain = displaced_value(p, z, P_DOWNSTREAM) - displaced_value(p, 0., P_DOWNSTREAM);
    at.back += gain * at.through / at_eta_3;
    at.through *= left_of(p, z, P_LONG);
    at.front *= left_of(p, z, P_UPSTREAM);
    return at;
}

static void efficiency_row(float *out, const float *in) {
    const particle p = particle_of(in);
    const probabilities at = displaced(&p);
    const double sum = at.through + at.front + at.back;
    const double scale = border(&p) * (sum > .995 ? .995 / sum : 1.);
    out[0] = (float)(1. - sum * scale);
    out[1] = (float)(at.through * scale);
    out[2] = (float)(at.front * scale);
    out[3] = (float)(at.back * scale);
}

static const char *const INPUT[] = {PARTICLE_INPUT};
static const char *const OUTPUT[] = {"not_reconstructed", "long", "upstream", "downstream"};
static const float MIN[] = {PARTICLE_MIN};
static const float MAX[] = {PARTICLE_MAX};

MODEL(efficiency, efficiency_row, INPUT, OUTPUT, MIN, MAX,
      "interpolated from the compiled LHCb 2016 MagUp tracking model, measured on toy tracks");
