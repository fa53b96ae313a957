/* The MUON system: the isMuon criterion and, for tracks that pass it, two likelihoods. */
#ifndef LHCB_RUN2_PID_MUON_SYSTEM_H
#define LHCB_RUN2_PID_MUON_SYSTEM_H

#include "particle.h"
#include "uniform.h"

/* Fraction of tracks that fly through all chambers. They cover 20-306 mrad horizontally, 16-258 mrad
 * vertically (CERN-THESIS-2024-108, section 1.2); the azimuth is not known here, so the edges are soft:
 * above 0.99 for 2.2 < eta < 4.4, half at eta 1.97 and 4.75. */
static inline double chamber_acceptance(const pid_track *t) {
    const double angle = 1e3 * t->slope;
    return rise((angle - 17.5) / 1.2) * rise((283. - angle) / 9.);
}

/* Muons, in the chambers: 97 % above 10 GeV, 95-98 % overall (arXiv:1306.0249); the fall towards 3 GeV, where
 * they range out in the iron, is an assumption. Hadrons: pions and kaons as in the Delphes card of LHCb
 * (JINST 8 (2013) P10020): decays in flight and punch-through. Protons: 0.2 % there, 1 % in
 * arXiv:1306.0249; here in between. Electrons: 1.2 % below 40 GeV in LHCb's calibration samples (RapidSim). */
static inline double muon_probability(species s, double p) {
    switch (s) {
    case MUON: return .978 - .12 * pm_exp(-(p - 3.) / 2.);
    case PION: return .005 + .0663 * pm_exp(-.13 * p);
    case KAON: return .005 + .086 * pm_exp(-.11 * p);
    case PROTON: return .002 + .008 * pm_exp(-.13 * p);
    default: return .006 + .008 * pm_exp(-.13 * p);
    }
}

/* Hits of other particles open fields of interest: 1 at 220 tracks, the mean of b events. */
static inline double crowd_factor(double n_tracks) { return .6 + .4 * clamp(n_tracks, 0., 1200.) / 220.; }

/* LHCb's criterion starts at 3 GeV of reconstructed momentum: below, nothing is a muon. A muon that misses a
 * station may be saved by another particle's hit. */
static inline void is_muon_row(float *out, const float *in, species s) {
    const pid_track t = pid_track_of(in, 0.f);
    const double alone = muon_probability(s, t.p);
    const double crowded = s == MUON ? 1. - (1. - alone) / crowd_factor(t.n_tracks) : alone * crowd_factor(t.n_tracks);
    out[0] = in[0] >= 3000.f ? (float)clamp(crowded * chamber_acceptance(&t), 0., 1.) : 0.f;
}

/* D2 of what is not a muon, by region from the beam outwards: most probable value and width of a Landau
 * distribution, LHCb's tuning of 2008. The regions' borders are at about these pseudorapidities. */
enum { N_REGIONS = 4 };
static const double REGION_ETA[N_REGIONS] = {2.3, 2.95, 3.65, 4.35};
static const double PROTON_D2[N_REGIONS] = {10., 22., 40.5, 36.5};
static const double PROTON_WIDTH[N_REGIONS] = {17., 30., 33.3, 23.8};
/* Moyal's distribution, which has a closed form, stands for Landau's; its width is tuned to the muons that pass
 * muDLL > 1.75 (93 %, arXiv:1306.0249). */
#define MOYAL_WIDTH .45

typedef struct {
    double scale;       /* of the muons' D2 */
    double peak, width; /* of the protons' D2 */
} d2_shape;

/* Muons: an exponential, and a wide one for those that are scattered hard, or meet another particle's hit. */
#define MUON_TAIL .02
#define MUON_TAIL_SCALE 15.

/* Multiple scattering in the calorimeters and the iron widens the muons' D2 at low momentum. */
static inline d2_shape d2_shape_of(const pid_track *t) {
    d2_shape s;
    s.scale = .24 + 1.7 / clamp(t->p, 3., 1e3);
    s.peak = interpolate(REGION_ETA, PROTON_D2, N_REGIONS, t->eta);
    s.width = MOYAL_WIDTH * interpolate(REGION_ETA, PROTON_WIDTH, N_REGIONS, t->eta);
    return s;
}

/* Moyal: exp(-(D2 - peak) / width) is the square of a normal deviate. That of D2 = 0: */
static inline double moyal_at_zero(const d2_shape *s) { return pm_exp(.5 * s->peak / s->width); }

static inline double proton_d2(const d2_shape *s, double normal) {
    const double end = moyal_at_zero(s), beyond = pm_erfc(end * .7071067811865476);
    const double tail = beyond + (1. - beyond) * pm_normal_cdf(clamp(normal, -6., 6.)); /* of two sides */
    const double z = pm_normal_quantile(.5 * tail);
    return clamp(s->peak - s->width * pm_log(z * z), 0., 1e4);
}

static inline double muon_d2(const d2_shape *s, double normal, double tail_normal) {
    const double scale = uniform_of(tail_normal) < MUON_TAIL ? MUON_TAIL_SCALE : s->scale;
    return -scale * pm_log(pm_normal_cdf(clamp(normal, -6., 6.)));
}

/* Their part beyond D2. */
static inline double muons_beyond(const d2_shape *s, double d2) {
    return (1. - MUON_TAIL) * pm_exp(-d2 / s->scale) + MUON_TAIL * pm_exp(-d2 / MUON_TAIL_SCALE);
}

/* The protons' part up to D2: Moyal's, and a few that are like muons, without which D2 near 0 would count for
 * more than any calibration can know. */
#define PROTONS_LIKE_MUONS .002
static inline double protons_within(const d2_shape *s, double d2) {
    const double beyond = pm_erfc(moyal_at_zero(s) * .7071067811865476);
    const double here = pm_erfc(pm_exp(.5 * (s->peak - d2) / s->width) * .7071067811865476);
    const double far = (here - beyond) / (1. - beyond);
    return mix(far, 1. - muons_beyond(s, d2), PROTONS_LIKE_MUONS);
}

/* Fraction of isMuon tracks that look like muons because they are: decays in flight before the calorimeters. Tuned
 * to what is left of hadrons after muDLL > 1.75, 0.6 % (arXiv:1306.0249). */
static inline double decay_fraction(species s, double p) {
    const double decays = pm_exp(-p / 25.);
    return s == PION ? .38 * decays : s == KAON ? .25 * decays : 0.;
}

enum { ORIGIN, DISTANCE, TAIL, N_MUON_READ, N_MUON_NORMALS = 32 };

/* Other particles' hits, close to the track by accident, are like a muon's as well. */
static inline double d2_of(const pid_track *t, const d2_shape *shape, species s, const float *normals) {
    const double crowd = 1. + .1 * (t->n_tracks / 220. - 1.);
    if (s == MUON) return clamp(crowd, .8, 2.) * muon_d2(shape, normals[DISTANCE], normals[TAIL]);
    const double fraction = decay_fraction(s, t->p) + .04 * crowd_factor(t->n_tracks);
    if (uniform_of(normals[ORIGIN]) < fraction) /* a kink */
        return 1.5 * muon_d2(shape, normals[DISTANCE], normals[TAIL]);
    return proton_d2(shape, normals[DISTANCE]);
}

/* out: MuonMuLL, ln of the muons' part beyond D2; MuonBkgLL, ln of the protons' part up to D2 (both parts are
 * cumulative distributions: CERN-THESIS-2024-108, eq. 4.11). 0, 0 without isMuon. */
static inline void muon_row(float *out, const float *in, const float *normals, species s) {
    const pid_track t = pid_track_of(in, in[4]);
    out[0] = out[1] = 0.f;
    if (!t.is_muon) return;
    const d2_shape shape = d2_shape_of(&t);
    const double d2 = d2_of(&t, &shape, s, normals);
    out[0] = (float)pm_log(clamp(muons_beyond(&shape, d2), 1e-7, .9999));
    out[1] = (float)pm_log(clamp(protons_within(&shape, d2), 1e-7, .9999));
}

#endif
