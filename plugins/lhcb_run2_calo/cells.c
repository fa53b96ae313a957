#include "cells.h"

#include <stdlib.h>

#include "shower.h"

/* Cells of one region that a rectangle touches: columns x0 to x1, rows y0 to y1, from the grid's corner. */
typedef struct {
    int x0, x1, y0, y1;
} cell_range;

static int column(double x, double cell, int half) {
    const double i = floor(x / cell) + half;
    return i < 0. ? 0 : i > 2. * half - 1. ? 2 * half - 1 : (int)i;
}

/* 0: none. */
static int cells_within(const ecal_region *g, double x0, double x1, double y0, double y1, cell_range *out) {
    const double half_x = g->half_x * g->cell, half_y = g->half_y * g->cell;
    const double hole_x = g->hole_x * g->cell, hole_y = g->hole_y * g->cell;
    if (x0 >= half_x || x1 <= -half_x || y0 >= half_y || y1 <= -half_y) return 0;
    if (x0 > -hole_x && x1 < hole_x && y0 > -hole_y && y1 < hole_y) return 0;
    out->x0 = column(x0, g->cell, g->half_x);
    out->x1 = column(x1, g->cell, g->half_x);
    out->y0 = column(y0, g->cell, g->half_y);
    out->y1 = column(y1, g->cell, g->half_y);
    return 1;
}

static int in_hole(const ecal_region *g, int ix, int iy) {
    const int x = ix - g->half_x, y = iy - g->half_y;
    return x >= -g->hole_x && x < g->hole_x && y >= -g->hole_y && y < g->hole_y;
}

static int number_of(const ecal_region *g, int ix, int iy) { return g->first + iy * 2 * g->half_x + ix; }

static int grow(deposits *to, int wanted) {
    if (to->n + wanted <= to->room) return 1;
    const int room = 2 * (to->n + wanted);
    deposit *list = realloc(to->list, (size_t)room * sizeof *list);
    if (list == NULL) return 0;
    to->list = list;
    to->room = room;
    return 1;
}

enum { MAX_ACROSS = 8 }; /* cells of the smallest size that the reach spans, and one */

/* Fractions of each part of a shower in columns first to last of a grid. */
static void fractions(double at, double cell, int half, int first, int last, double f[N_PARTS][MAX_ACROSS]) {
    for (int k = 0; k < N_PARTS; ++k) {
        double before = shower_below(k, (first - half) * cell - at);
        for (int i = first; i <= last; ++i) {
            const double after = shower_below(k, (i + 1 - half) * cell - at);
            f[k][i - first] = after - before;
            before = after;
        }
    }
}

int deposit_shower(deposits *to, double x, double y, double energy) {
    for (int r = 0; r < N_REGIONS; ++r) {
        const ecal_region *g = &REGION[r];
        cell_range c;
        if (!cells_within(g, x - REACH, x + REACH, y - REACH, y + REACH, &c)) continue;
        if (!grow(to, MAX_ACROSS * MAX_ACROSS)) return 0;
        double fx[N_PARTS][MAX_ACROSS], fy[N_PARTS][MAX_ACROSS];
        fractions(x, g->cell, g->half_x, c.x0, c.x1, fx);
        fractions(y, g->cell, g->half_y, c.y0, c.y1, fy);
        for (int iy = c.y0; iy <= c.y1; ++iy)
            for (int ix = c.x0; ix <= c.x1; ++ix) {
                if (in_hole(g, ix, iy)) continue;
                const double f = PART_WEIGHT[CORE] * fx[CORE][ix - c.x0] * fy[CORE][iy - c.y0] +
                                 PART_WEIGHT[HALO] * fx[HALO][ix - c.x0] * fy[HALO][iy - c.y0];
                const deposit d = {number_of(g, ix, iy), energy * f};
                to->list[to->n++] = d;
            }
    }
    return 1;
}

cell_place place_of(int cell) {
    int r = OUTER;
    while (cell < REGION[r].first) --r;
    const ecal_region *g = &REGION[r];
    const int i = cell - g->first, across = 2 * g->half_x, column = i % across, row = i / across;
    const cell_place p = {r, (column - g->half_x + .5) * g->cell, (row - g->half_y + .5) * g->cell};
    return p;
}

int neighbours_of(int cell, int *list) {
    const cell_place at = place_of(cell);
    const double reach = .5 * REGION[at.region].cell + 1.; /* touching: 1 mm is less than any cell */
    int n = 0;
    for (int r = 0; r < N_REGIONS; ++r) {
        const ecal_region *g = &REGION[r];
        cell_range c;
        if (!cells_within(g, at.x - reach, at.x + reach, at.y - reach, at.y + reach, &c)) continue;
        for (int iy = c.y0; iy <= c.y1; ++iy)
            for (int ix = c.x0; ix <= c.x1; ++ix)
                if (!in_hole(g, ix, iy)) list[n++] = number_of(g, ix, iy);
    }
    return n;
}
