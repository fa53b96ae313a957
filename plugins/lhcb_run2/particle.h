/* What acceptance and efficiency are told about a particle. */
#ifndef LHCB_RUN2_PARTICLE_H
#define LHCB_RUN2_PARTICLE_H

#include <math.h>

#include "efficiency_tables.h"
#include "interpolation.h"

enum { HADRON, MUON, ELECTRON };

static inline int species_of(float is_e, float is_mu) { return is_e > .5f ? ELECTRON : is_mu > .5f ? MUON : HADRON; }

typedef struct {
    double x, y, z; /* origin vertex [mm] */
    double log10_p; /* of p/MeV */
    double tx, ty;  /* slopes dx/dz, dy/dz */
    double slope;   /* hypot(tx, ty), the tangent of the angle to the beam */
    double eta;
    int species;
    interval momentum; /* of the tables' momenta */
} particle;

/* Inputs, shared by acceptance and efficiency. */
#define PARTICLE_INPUT "x", "y", "z", "log10_p", "tx", "ty", "eta", "phi", "is_e", "is_mu", "is_h", "charge"
#define PARTICLE_MIN -300, -300, -300, 3, -.45f, -.45f, 1.5f, -3.1416f, 0, 0, 0, -1
#define PARTICLE_MAX 300, 300, 2800, 5.3f, .45f, .45f, 5.6f, 3.1416f, 1, 1, 1, 1

/* Above 50 GeV, the end of the tables, the last trend is followed up to 100 GeV. */
static inline interval momentum_interval(double log10_p) {
    interval at = locate(LOG10_P, N_P, log10_p);
    const double last = LOG10_P[N_P - 1], step = last - LOG10_P[N_P - 2];
    at.w += clamp((log10_p - last) / step, 0., (5. - last) / step);
    return at;
}

static inline particle particle_of(const float *in) {
    particle p;
    p.x = clamp(in[0], -1e5, 1e5);
    p.y = clamp(in[1], -1e5, 1e5);
    p.z = clamp(in[2], -1e5, 1e5);
    p.log10_p = clamp(in[3], 0., 8.);
    p.tx = clamp(in[4], -100., 100.);
    p.ty = clamp(in[5], -100., 100.);
    p.slope = sqrt(p.tx * p.tx + p.ty * p.ty);
    p.eta = clamp(in[6], -20., 20.);
    p.species = species_of(in[8], in[9]);
    p.momentum = momentum_interval(p.log10_p);
    return p;
}

/* How far behind the interaction region the particle starts, as a z [mm] of DISPLACED's table.
 *
 * That table was measured at eta 3 on particles that start on a line from the interaction point:
 * there z, the flight distance r/slope and ten times the distance r from the beam are one number.
 * Elsewhere the largest of the three decides how much of the vertex detector is left to cross:
 * z itself beyond the interaction region (four sigmas of 50 mm), so that a collision far from z = 0
 * is no displaced vertex; r up to where the detector ends.
 */
static inline double displacement_of(const particle *p) {
    const double r = sqrt(p->x * p->x + p->y * p->y);
    const double flight = r / (p->slope + 1e-6);
    const double pointing = flight < p->z ? flight : p->z;
    const double along = p->z - 200.;
    const double across = clamp(10. * r, 0., 800.);
    return fmax(fmax(pointing, along), across);
}

#endif
