/* The three entry points of a model, made from one function of one row. */
#ifndef LHCB_RUN2_MODEL_H
#define LHCB_RUN2_MODEL_H

#include "sqlamarr_plugin.h"

enum { N_NORMALS = 128 }; /* random numbers per row, as in the models LHCb publishes */

#define LENGTH_OF(array) ((int32_t)(sizeof(array) / sizeof((array)[0])))

/* INPUT, OUTPUT: arrays of names; MIN, MAX: arrays of floats as long as INPUT. */
#define MODEL_INFO(f, INPUT, OUTPUT, N_RANDOM, MIN, MAX, ORIGIN)                                                       \
    SQLAMARR_EXPORT const sqlamarr_model_info *f##_info(void);                                                         \
    const sqlamarr_model_info *f##_info(void) {                                                                        \
        static const sqlamarr_model_info info = {                                                                      \
            SQLAMARR_PLUGIN_ABI, LENGTH_OF(INPUT), LENGTH_OF(OUTPUT), N_RANDOM, INPUT, OUTPUT, ORIGIN, MIN, MAX};      \
        return &info;                                                                                                  \
    }                                                                                                                  \
    SQLAMARR_EXPORT int f##_batch(size_t, float *, const float *, const float *)

/* Behind MODEL_INFO: which of its normals a model reads, as {begin, end} of every range. */
#define READS(f, ...)                                                                                                  \
    SQLAMARR_EXPORT const sqlamarr_range *f##_random_read(void);                                                       \
    const sqlamarr_range *f##_random_read(void) {                                                                      \
        static const sqlamarr_range ranges[] = {__VA_ARGS__, {0, 0}};                                                  \
        return ranges;                                                                                                 \
    }                                                                                                                  \
    typedef int f##_reads_some

/* row(out, in) */
#define MODEL(f, row, INPUT, OUTPUT, MIN, MAX, ORIGIN)                                                                 \
    MODEL_INFO(f, INPUT, OUTPUT, 0, MIN, MAX, ORIGIN);                                                                 \
    SQLAMARR_EXPORT float *f(float *, const float *);                                                                  \
    float *f(float *out, const float *in) {                                                                            \
        row(out, in);                                                                                                  \
        return out;                                                                                                    \
    }                                                                                                                  \
    int f##_batch(size_t n, float *out, const float *in, const float *random) {                                        \
        (void)random;                                                                                                  \
        for (size_t i = 0; i < n; ++i) row(out + i * (size_t)LENGTH_OF(OUTPUT), in + i * (size_t)LENGTH_OF(INPUT));    \
        return 0;                                                                                                      \
    }                                                                                                                  \
    typedef int f##_is_a_model

/* row(out, in, normals), n_random of them */
#define RANDOM_MODEL_OF(f, row, INPUT, OUTPUT, N_RANDOM, MIN, MAX, ORIGIN)                                             \
    MODEL_INFO(f, INPUT, OUTPUT, N_RANDOM, MIN, MAX, ORIGIN);                                                          \
    SQLAMARR_EXPORT float *f(float *, const float *, const float *);                                                   \
    float *f(float *out, const float *in, const float *random) {                                                       \
        row(out, in, random);                                                                                          \
        return out;                                                                                                    \
    }                                                                                                                  \
    int f##_batch(size_t n, float *out, const float *in, const float *random) {                                        \
        for (size_t i = 0; i < n; ++i)                                                                                 \
            row(out + i * (size_t)LENGTH_OF(OUTPUT), in + i * (size_t)LENGTH_OF(INPUT), random + i * (N_RANDOM));      \
        return 0;                                                                                                      \
    }                                                                                                                  \
    typedef int f##_is_a_model

/* With as many normals as the models that LHCb publishes. */
#define RANDOM_MODEL(f, row, INPUT, OUTPUT, MIN, MAX, ORIGIN)                                                          \
    RANDOM_MODEL_OF(f, row, INPUT, OUTPUT, N_NORMALS, MIN, MAX, ORIGIN)

#endif
