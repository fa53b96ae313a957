/* The lateral profile of electromagnetic showers, summed over cells. */
#ifndef LHCB_RUN2_CALO_SHOWER_H
#define LHCB_RUN2_CALO_SHOWER_H

#include "calorimeter.h"

/* Two round Gaussians that hold 90, 95 and 99 % within 1, 2 and 3.5 Moliere radii (CERN-THESIS-2024-108,
 * section 4.4; R_M = 35 mm), cut off at 3.5 radii in x and in y. */
#define MOLIERE 35.
#define REACH (3.5 * MOLIERE)
enum { CORE, HALO, N_PARTS };
static const double PART_WEIGHT[N_PARTS] = {.88, .12};
static const double PART_SIGMA[N_PARTS] = {.30 * MOLIERE, 1.51 * MOLIERE};

/* Fraction of a part on one side of an axis: below `distance` from the shower's axis; 0 to 1 over the reach. */
double shower_below(int part, double distance);

/* Fraction of the whole shower in a rectangle; distances from its axis. */
double shower_fraction(double x0, double x1, double y0, double y1);

/* Where in its cell (from its centre, -1/2 to 1/2 cell) a shower hit that gives this asymmetry
 * (right - left) / sum of the three columns around the cell. */
double shower_offset(int region, double asymmetry);

#endif
