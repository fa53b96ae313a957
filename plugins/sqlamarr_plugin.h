/* The plugin interface: what a shared library of compiled models may export.
 *
 * A model `f` is called through one of
 *
 *     float *f(float *out, const float *in);
 *     float *f(float *out, const float *in, const float *random);
 *
 * for one row (the signature of scikinC, SQLamarr and LHCb's published models), and, if the library
 * has them, through its two companions of these names:
 *
 *     int f_batch(size_t n, float *out, const float *in, const float *random);
 *     const sqlamarr_model_info *f_info(void);
 *
 * All arrays are row-major and contiguous: n x n_in, n x n_out, n x n_random float32. Row i of the
 * result depends on row i of the inputs alone, bit for bit, whatever n is. f_batch returns 0, or a
 * negative number if it could not do its work. `random` holds standard normal deviates.
 *
 * A model that never reads some of its random numbers may say which ones it reads. The others need not be drawn then,
 * and may be NaN:
 *
 *     const sqlamarr_range *f_random_read(void);
 *
 * gives ranges in ascending order; behind the last one comes {0, 0}.
 *
 * A compiled copy of another model may also tell how well it copies it, and bring rows to try it on:
 *
 *     const sqlamarr_model_verification *f_verification(void);
 *
 * A model of whole events (n inputs make m outputs: a calorimeter) is called through
 *
 *     int32_t f_event(const sqlamarr_event_input *in, sqlamarr_event_output *out);
 *     const sqlamarr_event_info *f_event_info(void);      (optional)
 *
 * once per event, also for one without input rows. It returns the number of output rows that it has written,
 * or SQLAMARR_TOO_MANY_ROWS, SQLAMARR_TOO_MANY_LINKS, or another negative number if it could not do its work.
 * A link says that an output row comes, in part, from an input row, and how large that part is. The result
 * depends on the event alone: keep nothing between two calls.
 *
 * Compile a library with: cc -O2 -shared -fPIC -I FOLDER_OF_THIS_HEADER model.c -o model.so
 */
#ifndef SQLAMARR_PLUGIN_H
#define SQLAMARR_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define SQLAMARR_PLUGIN_ABI 1

typedef struct sqlamarr_model_info {
    int32_t abi; /* SQLAMARR_PLUGIN_ABI */
    int32_t n_in, n_out, n_random;
    const char *const *in_names;  /* n_in names, or NULL */
    const char *const *out_names; /* n_out names, or NULL */
    const char *origin;           /* where the model came from: one line, or NULL */
    const float *in_min, *in_max; /* range of each input the model is meant for, or NULL */
} sqlamarr_model_info;

typedef struct sqlamarr_range {
    int32_t begin, end; /* begin <= index < end */
} sqlamarr_range;

typedef struct sqlamarr_model_verification {
    double deviation, tolerance; /* largest deviation from the original, beyond the last bit of float32, and what would
                                  * have been too much: relative to the spread of an output over these rows */
    int64_t rows;                /* how many these were */
    int32_t n_test;              /* rows of a self-test: inputs, normal deviates, the original's answers */
    const float *test_in, *test_random, *test_out;
} sqlamarr_model_verification;

/* Codes that f_event may return in place of a number of rows. */
#define SQLAMARR_TOO_MANY_ROWS (-1)  /* more than max_rows would be needed */
#define SQLAMARR_TOO_MANY_LINKS (-2) /* more than max_links would be needed */

typedef struct sqlamarr_event_input { /* one event; row-major, contiguous */
    int32_t n;                        /* input rows, may be 0 */
    const float *rows;                /* n x n_in */
    const float *event;               /* n_event_in values that belong to the event as a whole */
    const float *random;              /* n x n_random standard normals: a row's own, whatever its place in the event */
    const float *event_random;        /* n_event_random standard normals of the event */
} sqlamarr_event_input;

typedef struct sqlamarr_link {
    int32_t out, in; /* output row, input row; from 0 */
    float weight;    /* e.g. the fraction of the output row's energy */
} sqlamarr_link;

typedef struct sqlamarr_event_output { /* room for the answer; whatever is written beyond it is an error */
    int32_t max_rows, max_links;
    float *rows;          /* max_rows x n_out */
    sqlamarr_link *links; /* max_links */
    int32_t n_links;      /* to be set to the number of links written; 0 at the call */
} sqlamarr_event_output;

typedef struct sqlamarr_event_info {
    int32_t abi; /* SQLAMARR_PLUGIN_ABI */
    int32_t n_in, n_event_in, n_out, n_random, n_event_random;
    const char *const *in_names;       /* n_in names, or NULL */
    const char *const *event_in_names; /* n_event_in names, or NULL */
    const char *const *out_names;      /* n_out names, or NULL */
    const char *origin;                /* where the model came from: one line, or NULL */
    const float *in_min, *in_max;      /* range of each input the model is meant for, or NULL */
} sqlamarr_event_info;

#if defined(__GNUC__)
#define SQLAMARR_EXPORT __attribute__((visibility("default")))
#else
#define SQLAMARR_EXPORT
#endif

#endif
