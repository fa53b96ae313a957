/* Clusters: the cells around local maxima of energy. */
#ifndef LHCB_RUN2_CALO_CLUSTERS_H
#define LHCB_RUN2_CALO_CLUSTERS_H

#include "cells.h"

typedef struct {
    int cell, cluster;
    int next;      /* the next cluster of this cell, -1: none */
    double weight; /* which part of the cell's energy is the cluster's */
} membership;

typedef struct {
    int seed;         /* the cell of the local maximum */
    cell_place place; /* of it */
    int first, n;     /* its memberships */
    int regular;      /* nine cells of one region */
    double energy;    /* of its cells [MeV] */
    double x, y;      /* where a shower hit that left this pattern */
} cluster;

typedef struct {
    double energy[N_CELLS];
    int first[N_CELLS]; /* membership of a cell, -1: in no cluster */
    int n_touched, n_clusters, n_members;
    int *touched; /* cells with energy */
    cluster *clusters;
    membership *members;
} ecal;

/* An empty calorimeter with room for what these deposits can make; NULL: out of memory. */
ecal *ecal_of(const deposits *all);
void ecal_free(ecal *e);

/* 0: out of memory. Local maxima of at least this transverse energy [MeV] and the cells that touch them, by falling
 * energy. Cells of several clusters are shared among them in proportion to what a shower of each would leave there. */
int find_clusters(ecal *e, double threshold);

/* The part of its energy that a shower at the cluster's place leaves in a cell. */
double expected_in(const cluster *c, int cell);

#endif
