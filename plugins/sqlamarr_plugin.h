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

#if defined(__GNUC__)
#define SQLAMARR_EXPORT __attribute__((visibility("default")))
#else
#define SQLAMARR_EXPORT
#endif

#endif
