/* What the calorimeter makes of an event: showers in cells, clusters around local maxima, merged pi0 and their
 * photons; n particles make m clusters, and every cluster knows whom it comes from.
 *
 * Photons, electrons and positrons leave showers. Tracks leave none here, but a cluster that one of them points to is
 * no neutral one.
 */
#include <stdlib.h>

#include "event_showers.h"
#include "identification.h"
#include "shower.h"

enum {
    OUT_X,
    OUT_Y,
    OUT_ENERGY,
    OUT_TYPE,
    OUT_PARENT,
    OUT_IDENTIFICATION,
    N_OUT = OUT_IDENTIFICATION + N_IDENTIFICATION
};

/* A local maximum counts from this part of the threshold of clusters on. */
#define SEED_PART .5
/* LHCb looks for merged pi0 in clusters of more than about 1.5 to 2 GeV of transverse energy. The others are
 * assumptions: the smaller photon's part of the energy; the distance below which two photons of one cluster look
 * like one, and that up to which two clusters, whose squares then overlap, are taken for one pi0 (in cells). */
#define MERGED_TRANSVERSE 1500.
#define MERGED_SHARE .04
#define MERGED_DISTANCE .25
#define OVERLAP 2.2
/* A track closer than this [cells] in x and in y makes a cluster a charged one. */
#define TRACK_DISTANCE .7
/* A link is worth telling from this part of a cluster's energy on. */
#define LINKED .01

typedef struct { /* what a cluster is taken for */
    int type;    /* 0: not seen, or part of another one */
    int host;    /* itself, or the one that it is part of; -1: not seen */
    int row;     /* of the answer */
    double energy, x, y;
    double deposited; /* energy in its cells */
    int photon[2];    /* of a merged pi0: the particles, and the first one's part of their energy */
    double share;
} candidate;

static int is_charged(const event_showers *w, const cluster *c, const contributors *s) {
    if (w->particles[s->largest].kind == ELECTRON_HIT) return 1;
    const double reach = TRACK_DISTANCE * REGION[c->place.region].cell;
    for (int i = 0; i < w->n; ++i) {
        const particle *p = &w->particles[i];
        if (p->kind == TRACK_HIT && fabs(p->x - c->x) < reach && fabs(p->y - c->y) < reach) return 1;
    }
    return 0;
}

/* Energy of a shower that left this in the cells around its hit: nine as a rule, others at borders. */
static double corrected_energy(const ecal *e, const cluster *c) {
    const double w = 1.5 * REGION[c->place.region].cell, x = c->place.x - c->x, y = c->place.y - c->y;
    if (c->regular) return c->energy / shower_fraction(x - w, x + w, y - w, y + w);
    double part = 0.;
    for (int i = c->first; i < c->first + c->n; ++i) part += expected_in(c, e->members[i].cell);
    return c->energy / part;
}

static candidate candidate_of(const event_showers *w, int k, double threshold) {
    const cluster *c = &w->cells->clusters[k];
    const contributors *s = &w->of_cluster[k];
    const double energy = corrected_energy(w->cells, c) + NOISE * w->particles[s->largest].normals[N_NOISE];
    candidate found = {0, -1, -1, energy, c->x, c->y, c->energy, {s->largest, s->second}, 1.};
    if (!(energy > 0. && transverse_at(energy, c->x, c->y) >= threshold)) return found;
    found.type = is_charged(w, c, s) ? CHARGED_CLUSTER : PHOTON_CLUSTER;
    found.host = k;
    return found;
}

/* Two photons in one cluster: most of either must be in it. */
static void look_inside(const event_showers *w, int k, candidate *found) {
    const cluster *c = &w->cells->clusters[k];
    const contributors *s = &w->of_cluster[k];
    if (s->second < 0 || transverse_at(found->energy, found->x, found->y) < MERGED_TRANSVERSE) return;
    const particle *a = &w->particles[s->largest], *b = &w->particles[s->second];
    const double dx = a->x - b->x, dy = a->y - b->y, least = MERGED_DISTANCE * REGION[c->place.region].cell;
    if (a->kind != PHOTON_HIT || b->kind != PHOTON_HIT || s->second_energy < MERGED_SHARE * c->energy ||
        s->first_energy < .5 * a->energy || s->second_energy < .5 * b->energy || dx * dx + dy * dy < least * least)
        return;
    found->type = MERGED_CLUSTER;
    found->share = s->first_energy / (s->first_energy + s->second_energy);
}

/* Two clusters of overlapping squares: the second becomes part of the first. */
static void look_around(const event_showers *w, int k, candidate *found) {
    const cluster *c = &w->cells->clusters[k];
    for (int j = k + 1; j < w->cells->n_clusters && found[k].type == PHOTON_CLUSTER; ++j) {
        const cluster *other = &w->cells->clusters[j];
        const double reach = OVERLAP * REGION[c->place.region].cell, sum = found[k].energy + found[j].energy;
        if (found[j].type != PHOTON_CLUSTER || fabs(c->place.x - other->place.x) > reach ||
            fabs(c->place.y - other->place.y) > reach || found[j].energy < MERGED_SHARE * sum ||
            transverse_at(sum, c->x, c->y) < MERGED_TRANSVERSE)
            continue;
        const double part = c->energy / (c->energy + other->energy);
        const candidate both = {MERGED_CLUSTER,
                                k,
                                -1,
                                sum - NOISE * w->particles[found[j].photon[0]].normals[N_NOISE],
                                mix(other->x, c->x, part),
                                mix(other->y, c->y, part),
                                c->energy + other->energy,
                                {found[k].photon[0], found[j].photon[0]},
                                part};
        found[k] = both;
        found[j].type = 0;
        found[j].host = k;
    }
}

static void fill_row(float *out, double x, double y, double energy, int type, int parent, const float *normals) {
    out[OUT_X] = (float)x;
    out[OUT_Y] = (float)y;
    out[OUT_ENERGY] = (float)energy;
    out[OUT_TYPE] = (float)type;
    out[OUT_PARENT] = (float)parent;
    identify(type, transverse_at(energy, x, y), normals, out + OUT_IDENTIFICATION);
}

/* One photon of a merged pi0: its energy is a share of the cluster's, its position is known less well than alone. */
static void fill_split(float *out, const particle *p, double energy, int parent) {
    const int region = region_at(p->x, p->y);
    const double extra = SPLIT_POSITION * REGION[region < 0 ? INNER : region].cell;
    double x = p->x + extra * p->normals[N_SPLIT_X], y = p->y + extra * p->normals[N_SPLIT_Y];
    if (region_at(x, y) < 0) {
        x = p->x;
        y = p->y;
    }
    fill_row(out, x, y, energy, SPLIT_CLUSTER, parent, p->normals + N_SPLIT_PID);
}

static int link_to(sqlamarr_event_output *out, int row, int particle_index, double weight) {
    if (out->n_links >= out->max_links) return 0;
    const sqlamarr_link link = {row, particle_index, (float)weight};
    out->links[out->n_links++] = link;
    return 1;
}

/* Rows of one candidate behind the `row` that there are; the new number of rows, or a code. */
static int32_t rows_of(const event_showers *w, candidate *c, int32_t row, sqlamarr_event_output *out) {
    if (row + (c->type == MERGED_CLUSTER ? 3 : 1) > out->max_rows) return SQLAMARR_TOO_MANY_ROWS;
    const particle *a = &w->particles[c->photon[0]];
    float *to = out->rows + (size_t)row * N_OUT;
    c->row = row;
    fill_row(to, c->x, c->y, c->energy, c->type, -1, a->normals + N_PID);
    if (c->type != MERGED_CLUSTER) return row + 1;
    const double share = c->share + SHARE_SIGMA * c->share * (1. - c->share) * clamp(a->normals[N_SHARE], -6., 6.);
    fill_split(to + N_OUT, a, share * c->energy, row);
    fill_split(to + (size_t)2 * N_OUT, &w->particles[c->photon[1]], (1. - share) * c->energy, row);
    for (int i = 0; i < 2; ++i)
        if (!link_to(out, row + 1 + i, c->photon[i], 1.)) return SQLAMARR_TOO_MANY_LINKS;
    return row + 3;
}

/* The contributions `first` to `end` of one particle: what it gave to a row is one link, also through two clusters. */
static int link_particle(const event_showers *w, const candidate *found, int first, int end,
                         sqlamarr_event_output *out) {
    for (int i = first; i < end; ++i) {
        const int host = found[w->contributions[i].cluster].host;
        double energy = 0.;
        int seen = 0;
        for (int j = first; j < end; ++j)
            if (found[w->contributions[j].cluster].host == host) {
                energy += w->contributions[j].energy;
                seen |= j < i;
            }
        if (host < 0 || seen || energy < LINKED * found[host].deposited) continue;
        if (!link_to(out, found[host].row, w->contributions[i].particle, energy / found[host].deposited)) return 0;
    }
    return 1;
}

static int32_t answer(const event_showers *w, candidate *found, double threshold, sqlamarr_event_output *out) {
    const int n = w->cells->n_clusters;
    for (int k = 0; k < n; ++k) found[k] = candidate_of(w, k, threshold);
    for (int k = 0; k < n; ++k) {
        if (found[k].type == PHOTON_CLUSTER) look_inside(w, k, &found[k]);
        look_around(w, k, found);
    }
    int32_t row = 0;
    for (int k = 0; k < n && row >= 0; ++k)
        if (found[k].type != 0) row = rows_of(w, &found[k], row, out);
    for (int first = 0, end; first < w->n_contributions && row >= 0; first = end) {
        end = first + 1;
        while (end < w->n_contributions && w->contributions[end].particle == w->contributions[first].particle) ++end;
        if (!link_particle(w, found, first, end, out)) row = SQLAMARR_TOO_MANY_LINKS;
    }
    return row;
}

SQLAMARR_EXPORT int32_t ecal_event(const sqlamarr_event_input *in, sqlamarr_event_output *out);
int32_t ecal_event(const sqlamarr_event_input *in, sqlamarr_event_output *out) {
    event_showers w = {0};
    int32_t code = -3; /* out of memory */
    if (reconstruct(&w, in, SEED_PART * in->event[0])) {
        candidate *found = calloc((size_t)w.cells->n_clusters + 1, sizeof *found);
        if (found != NULL) code = answer(&w, found, in->event[0], out);
        free(found);
    }
    free_showers(&w);
    return code;
}

static const char *const INPUT[N_IN] = {"x_ecal", "y_ecal", "p", "tx", "ty", "x", "y", "z", "kind"};
static const char *const EVENT_INPUT[] = {"threshold"};
static const char *const OUTPUT[N_OUT] = {"x", "y", "energy", "type", "parent", "PhotonID", "IsNotE", "IsNotH"};
static const float MIN[N_IN] = {-4000, -3300, 0, -2, -2, -5000, -5000, -1000, 0};
static const float MAX[N_IN] = {4000, 3300, 3e5f, 2, 2, 5000, 5000, (float)LHCB_ECAL_Z, 2};

SQLAMARR_EXPORT const sqlamarr_event_info *ecal_event_info(void);
const sqlamarr_event_info *ecal_event_info(void) {
    static const sqlamarr_event_info info = {
        SQLAMARR_PLUGIN_ABI,
        N_IN,
        1,
        N_OUT,
        N_RANDOM,
        0,
        INPUT,
        EVENT_INPUT,
        OUTPUT,
        "showers in cells and clusters of 3 x 3, tuned to LHCb's published Run 2 calorimeter performance",
        MIN,
        MAX};
    return &info;
}
