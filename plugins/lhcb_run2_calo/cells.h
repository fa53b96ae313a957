/* Energies in cells. */
#ifndef LHCB_RUN2_CALO_CELLS_H
#define LHCB_RUN2_CALO_CELLS_H

#include "calorimeter.h"

typedef struct {
    int cell;
    double energy;
} deposit;

typedef struct {
    int n, room;
    deposit *list;
} deposits;

/* Share a shower over the cells that it reaches. Energy beyond the active area is lost. 0: out of memory. */
int deposit_shower(deposits *to, double x, double y, double energy);

typedef struct {
    int region;
    double x, y; /* centre */
} cell_place;
cell_place place_of(int cell);

/* The cells that touch this one, itself included, whatever their regions; at most MAX_NEIGHBOURS. */
enum { MAX_NEIGHBOURS = 24 };
int neighbours_of(int cell, int *list);

#endif
