/* Uniform numbers of normal ones. */
#ifndef LHCB_RUN2_PID_UNIFORM_H
#define LHCB_RUN2_PID_UNIFORM_H

#include <math.h>

#include "portable_math.h"

/* Standard normal cumulative distribution to 3e-7, without branches (Abramowitz and Stegun, eq. 7.1.26): a normal
 * made a uniform number. */
static inline float uniform_of(float normal) {
    const float a = fabsf(normal), t = 1.f / (1.f + .23164189f * a);
    const float beyond =
        t * (.127414796f + t * (-.142248368f + t * (.710706871f + t * (-.726576014f + t * .530702715f))));
    const float tail = beyond * pmf_exp(-.5f * a * a);
    return pmf_select(normal > 0.f, 1.f - tail, tail);
}

#endif
