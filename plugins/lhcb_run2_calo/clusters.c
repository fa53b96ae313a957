#include "clusters.h"

#include <stdlib.h>

#include "shower.h"

ecal *ecal_of(const deposits *all) {
    ecal *e = malloc(sizeof *e);
    if (e == NULL) return NULL;
    const size_t most = (size_t)(all->n < N_CELLS ? all->n : N_CELLS) + 1;
    e->n_touched = e->n_clusters = e->n_members = 0;
    e->touched = malloc(most * sizeof *e->touched);
    e->clusters = malloc(most * sizeof *e->clusters);
    e->members = NULL;
    if (e->touched == NULL || e->clusters == NULL) {
        ecal_free(e);
        return NULL;
    }
    for (int i = 0; i < N_CELLS; ++i) e->energy[i] = 0.;
    for (int i = 0; i < N_CELLS; ++i) e->first[i] = -1;
    for (int i = 0; i < all->n; ++i) {
        const deposit *d = &all->list[i];
        if (d->energy > 0. && e->energy[d->cell] == 0.) e->touched[e->n_touched++] = d->cell;
        e->energy[d->cell] += d->energy;
    }
    return e;
}

void ecal_free(ecal *e) {
    if (e == NULL) return;
    free(e->touched);
    free(e->clusters);
    free(e->members);
    free(e);
}

static int is_maximum(const ecal *e, int cell) {
    int list[MAX_NEIGHBOURS];
    const int n = neighbours_of(cell, list);
    for (int i = 0; i < n; ++i) {
        const int other = list[i];
        if (other == cell) continue;
        /* Of two equal ones the first counts. */
        if (e->energy[other] > e->energy[cell] || (e->energy[other] == e->energy[cell] && other < cell)) return 0;
    }
    return 1;
}

static int by_energy(const void *a, const void *b) {
    const cluster *first = a, *second = b;
    if (first->energy != second->energy) return first->energy < second->energy ? 1 : -1;
    return first->seed < second->seed ? -1 : 1;
}

static void find_seeds(ecal *e, double threshold) {
    for (int i = 0; i < e->n_touched; ++i) {
        const int cell = e->touched[i];
        const cell_place at = place_of(cell);
        if (transverse_at(e->energy[cell], at.x, at.y) < threshold || !is_maximum(e, cell)) continue;
        const cluster c = {cell, at, 0, 0, 1, e->energy[cell], at.x, at.y};
        e->clusters[e->n_clusters++] = c;
    }
    qsort(e->clusters, (size_t)e->n_clusters, sizeof *e->clusters, by_energy);
}

static void join_cells(ecal *e) {
    for (int k = 0; k < e->n_clusters; ++k) {
        cluster *c = &e->clusters[k];
        int list[MAX_NEIGHBOURS];
        c->first = e->n_members;
        c->n = neighbours_of(c->seed, list);
        c->regular = c->n == 9;
        for (int i = 0; i < c->n; ++i) {
            const membership m = {list[i], k, e->first[list[i]], 1.};
            e->first[list[i]] = e->n_members;
            e->members[e->n_members++] = m;
            c->regular &= place_of(list[i]).region == c->place.region;
        }
    }
}

double expected_in(const cluster *c, int cell) {
    const cell_place at = place_of(cell);
    const double half = .5 * REGION[at.region].cell, x = at.x - c->x, y = at.y - c->y;
    return shower_fraction(x - half, x + half, y - half, y + half);
}

static void share_cells(ecal *e) {
    for (int i = 0; i < e->n_members; ++i) {
        const int cell = e->members[i].cell;
        /* Once for every cell: at its latest membership. */
        if (e->first[cell] != i || e->members[i].next < 0) continue;
        double sum = 0.;
        for (int m = i; m >= 0; m = e->members[m].next) {
            membership *member = &e->members[m];
            const cluster *owner = &e->clusters[member->cluster];
            member->weight = owner->energy * expected_in(owner, cell) + 1e-9;
            sum += member->weight;
        }
        for (int m = i; m >= 0; m = e->members[m].next) e->members[m].weight /= sum;
    }
}

/* Energy, and position from how it is shared by the columns and rows around the seed. */
static void measure(ecal *e, cluster *c) {
    const double width = REGION[c->place.region].cell;
    double sum = 0., x = 0., y = 0.;
    for (int i = c->first; i < c->first + c->n; ++i) {
        const membership *m = &e->members[i];
        const cell_place at = place_of(m->cell);
        const double energy = m->weight * e->energy[m->cell];
        const double dx = at.x - c->place.x, dy = at.y - c->place.y;
        sum += energy;
        if (fabs(dx) > .25 * width) x += dx < 0. ? -energy : energy;
        if (fabs(dy) > .25 * width) y += dy < 0. ? -energy : energy;
    }
    c->energy = sum;
    c->x = c->place.x + shower_offset(c->place.region, x / sum);
    c->y = c->place.y + shower_offset(c->place.region, y / sum);
}

int find_clusters(ecal *e, double threshold) {
    find_seeds(e, threshold);
    e->members = calloc((size_t)e->n_clusters * MAX_NEIGHBOURS + 1, sizeof *e->members);
    if (e->members == NULL) return 0;
    join_cells(e);
    for (int pass = 0; pass < 2; ++pass) {
        share_cells(e);
        for (int k = 0; k < e->n_clusters; ++k) measure(e, &e->clusters[k]);
    }
    return 1;
}
