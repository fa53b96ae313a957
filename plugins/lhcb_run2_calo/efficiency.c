/* Probabilities that a photon is not reconstructed, is a cluster of its own, or one of the two of a merged pi0.
 *
 * A photon is reconstructed if a cluster without a track matches it: closer than a Moliere radius and
 * within two sigmas of its energy (CERN-THESIS-2024-108, eqs. 4.12 and 4.13). The numbers are those of this
 * library's model of whole events on bb events: what a single photon can be told of its neighbours on average.
 */
#include "lhcb_run2/model.h"
#include "signal.h"

/* Part of a slab of material that a photon made at z has still to cross. */
static double part_ahead(double z, double begin, double end) { return clamp((end - z) / (end - begin), 0., 1.); }

/* Probability not to convert in the material before the magnet; as in pipelines/macros/material.sql. */
static double unconverted(double z) {
    const double velo = part_ahead(z, LHCB_VELO_BEGIN, LHCB_VELO_END);
    const double rich1 = part_ahead(z, LHCB_RICH1_BEGIN, LHCB_RICH1_END);
    const double tt = part_ahead(z, LHCB_TT_BEGIN, LHCB_TT_END);
    const double ahead = LHCB_VELO_SHARE * velo + LHCB_RICH1_SHARE * rich1 + LHCB_TT_SHARE * tt;
    return pm_exp(-7. / 9. * LHCB_MATERIAL_THICKNESS * ahead);
}

/* Clusters start at 50 MeV of transverse energy, of which the photon's largest cell has its part. The rest is lost to
 * tracks that point to the cluster and to neighbours that spoil it. */
static double found(double transverse) { return .89 * rise(pm_log(transverse / 66.) / .22); }

/* Photons of a pi0 whose other photon is in the same cluster, or in one that overlaps: the pair must be as energetic as
 * the cells are small. Other photons are taken for such a pair by chance. */
static double merged(const photon *p) {
    static const double HALF[] = {30e3, 16e3, 7.5e3}; /* MeV, by region */
    const double search = rise((transverse_at(p->energy, p->x, p->y) - 900.) / 200.);
    return p->from_pi0 ? search * .93 * rise(pm_log(p->energy / HALF[p->region]) / .5) : search * .04;
}

static void efficiency_row(float *out, const float *in) {
    const photon p = photon_of(in);
    double reconstructed = 0., split = 0.;
    if (p.region >= 0) {
        reconstructed = unconverted(p.z) * found(transverse_at(p.energy, p.x, p.y) + 1e-3);
        split = merged(&p);
    }
    out[0] = (float)(1. - reconstructed);
    out[1] = (float)(reconstructed * (1. - split));
    out[2] = (float)(reconstructed * split);
}

static const char *const INPUT[] = {PHOTON_INPUT};
static const char *const OUTPUT[] = {"not_reconstructed", "single", "split"};
static const float MIN[] = {PHOTON_MIN};
static const float MAX[] = {PHOTON_MAX};

MODEL(ecal_efficiency, efficiency_row, INPUT, OUTPUT, MIN, MAX,
      "closed formulas tuned to LHCb's published Run 2 calorimeter performance");
