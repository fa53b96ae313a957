/* How a reconstructed photon is measured: where it is seen, its energy, and what identifies it.
 *
 * Residuals are drawn from the widths that the event model has: a photon of its own (class 1), or one of
 * the two of a merged pi0 (class 2).
 */
#include "identification.h"
#include "lhcb_run2/model.h"
#include "signal.h"

enum { N_X, N_Y, N_SHOWER, N_CLUSTER, N_SHARE, N_PID, N_USED = N_PID + N_IDENTIFICATION };

static void resolution_row(float *out, const float *in, const float *raw) {
    float normals[N_USED];
    for (int i = 0; i < N_USED; ++i) normals[i] = (float)clamp(raw[i], -6., 6.);
    const photon p = photon_of(in);
    const int split = in[9] > 1.5f, region = p.region < 0 ? OUTER : p.region;
    const double measured = position_sigma(region, p.energy), extra = split ? SPLIT_POSITION * REGION[region].cell : 0.;
    const double sigma = sqrt(measured * measured + extra * extra);
    const double own = relative_sampling(p.energy), noise = NOISE / p.energy;
    /* The share of a merged pi0's energy, for a photon of half of it. */
    const double share = split ? .5 * SHARE_SIGMA : 0.;
    const double relative =
        fluctuation(own, normals[N_SHOWER]) - 1. + noise * normals[N_CLUSTER] + share * normals[N_SHARE];
    out[0] = (float)(sigma * normals[N_X]);
    out[1] = (float)(sigma * normals[N_Y]);
    out[2] = (float)(relative > -.99 ? relative : -.99);
    identify(split ? SPLIT_CLUSTER : PHOTON_CLUSTER, transverse_at(p.energy, p.x, p.y), normals + N_PID, out + 3);
}

static const char *const INPUT[] = {PHOTON_INPUT, "class"};
static const char *const OUTPUT[] = {"dx", "dy", "dE", "PhotonID", "IsNotE", "IsNotH"};
static const float MIN[] = {PHOTON_MIN, 1};
static const float MAX[] = {PHOTON_MAX, 2};

RANDOM_MODEL_OF(ecal_resolution, resolution_row, INPUT, OUTPUT, 16, MIN, MAX,
                "closed formulas tuned to LHCb's published Run 2 calorimeter performance");
