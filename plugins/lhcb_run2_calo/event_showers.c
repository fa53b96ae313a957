#include "event_showers.h"

#include <stdlib.h>

void free_showers(event_showers *w) {
    free(w->particles);
    free(w->showers.list);
    ecal_free(w->cells);
    free(w->contributions);
    free(w->of_cluster);
    free(w->part);
}

static int shower_of(event_showers *w, const float *in, const float *normals) {
    const int kind = in[KIND] > 1.5f ? TRACK_HIT : in[KIND] > .5f ? ELECTRON_HIT : PHOTON_HIT;
    particle p = {in[X], in[Y], 0., kind, w->showers.n, 0, normals};
    const int region = region_at(p.x, p.y);
    if (kind != TRACK_HIT && region >= 0 && in[P] > 0.f) {
        p.energy = in[P] * fluctuation(relative_sampling(in[P]), normals[N_SHOWER]);
        const double sigma = position_sigma(region, in[P]);
        const double x = p.x + sigma * normals[N_HIT_X], y = p.y + sigma * normals[N_HIT_Y];
        if (region_at(x, y) >= 0) {
            p.x = x;
            p.y = y;
        }
        if (!deposit_shower(&w->showers, p.x, p.y, p.energy)) return 0;
        p.n = w->showers.n - p.first;
    }
    w->particles[w->n++] = p;
    return 1;
}

/* Add to the contributions what one particle gave to each cluster. */
static void contribute(event_showers *w, int i) {
    const particle *p = &w->particles[i];
    const int begin = w->n_contributions;
    for (int d = p->first; d < p->first + p->n; ++d) {
        const deposit *at = &w->showers.list[d];
        for (int m = w->cells->first[at->cell]; m >= 0; m = w->cells->members[m].next) {
            const membership *member = &w->cells->members[m];
            if (w->part[member->cluster] == 0.) {
                const contribution c = {member->cluster, i, 0.};
                w->contributions[w->n_contributions++] = c;
            }
            w->part[member->cluster] += member->weight * at->energy + 1e-30;
        }
    }
    for (int k = begin; k < w->n_contributions; ++k) {
        contribution *c = &w->contributions[k];
        contributors *s = &w->of_cluster[c->cluster];
        c->energy = w->part[c->cluster];
        w->part[c->cluster] = 0.;
        if (c->energy > s->first_energy) {
            s->second = s->largest;
            s->second_energy = s->first_energy;
            s->largest = i;
            s->first_energy = c->energy;
        } else if (c->energy > s->second_energy) {
            s->second = i;
            s->second_energy = c->energy;
        }
    }
}

int reconstruct(event_showers *w, const sqlamarr_event_input *in, double seed_threshold) {
    w->particles = malloc(((size_t)in->n + 1) * sizeof *w->particles);
    if (w->particles == NULL) return 0;
    for (int32_t i = 0; i < in->n; ++i)
        if (!shower_of(w, in->rows + (size_t)i * N_IN, in->random + (size_t)i * N_RANDOM)) return 0;
    w->cells = ecal_of(&w->showers);
    if (w->cells == NULL || !find_clusters(w->cells, seed_threshold)) return 0;
    const size_t n = (size_t)w->cells->n_clusters + 1;
    /* A deposit belongs to a few clusters, and a particle's first in each makes one entry. */
    size_t most = 1;
    for (int i = 0; i < w->showers.n; ++i)
        for (int m = w->cells->first[w->showers.list[i].cell]; m >= 0; m = w->cells->members[m].next) ++most;
    w->contributions = malloc(most * sizeof *w->contributions);
    w->of_cluster = malloc(n * sizeof *w->of_cluster);
    w->part = calloc(n, sizeof *w->part);
    if (w->contributions == NULL || w->of_cluster == NULL || w->part == NULL) return 0;
    const contributors none = {-1, -1, 0., 0.};
    for (size_t k = 0; k < n; ++k) w->of_cluster[k] = none;
    for (int i = 0; i < w->n; ++i) contribute(w, i);
    return 1;
}
