/* The functions of one species: the detectors' parts, and all of them in a row. */
#ifndef LHCB_RUN2_PID_MODELS_H
#define LHCB_RUN2_PID_MODELS_H

#include "combined.h"
#include "lhcb_run2/model.h"
#include "muon_system.h"
#include "rich.h"

enum { N_IN = 5, N_DLL = 4, N_MUON_LL = 2, N_FULL_OUT = N_DLL + N_MUON_LL + COMBINED_OUT };

/* full: which of its 256 normals go to which part. */
enum {
    RICH_NORMALS,
    MUON_NORMALS = RICH_NORMALS + N_RICH_NORMALS,
    COMBINED_NORMALS = MUON_NORMALS + N_MUON_NORMALS,
    N_FULL_NORMALS = 256
};
_Static_assert(N_RICH_READ <= (int)N_RICH_NORMALS && N_MUON_READ <= (int)N_MUON_NORMALS &&
                   COMBINED_NORMALS + (int)N_COMBINED_NORMALS <= (int)N_FULL_NORMALS,
               "no normal decides two things");

static inline void full_row(float *out, const float *in, const float *normals, species s) {
    float rich_in[N_IN] = {in[0], in[1], in[2], in[3], 0.f};
    float combined_in[COMBINED_IN] = {in[0], in[1], in[2], in[3], in[4]};
    rich_row(out, rich_in, normals + RICH_NORMALS, s);
    muon_row(out + N_DLL, in, normals + MUON_NORMALS, s);
    for (int k = 0; k < N_DLL + N_MUON_LL; ++k) combined_in[N_IN + k] = out[k];
    combined_row(out + N_DLL + N_MUON_LL, combined_in, normals + COMBINED_NORMALS, s);
}

#define PID_TRACK "p", "eta", "nTracks", "charge"
#define RICH_DLL "RichDLLe", "RichDLLmu", "RichDLLK", "RichDLLp"
#define MUON_LL "MuonMuLL", "MuonBkgLL"
#define COMBINED "PIDe", "PIDK", "PIDp", "ProbNNe", "ProbNNpi", "ProbNNk", "ProbNNp", "PIDmu", "ProbNNmu"

static const char *const IS_MUON_IN[] = {PID_TRACK, "unused"};
static const char *const RICH_IN[] = {PID_TRACK, "upstream"};
static const char *const MUON_IN[] = {PID_TRACK, "isMuon"};
static const char *const GLOBAL_IN[] = {PID_TRACK, "isMuon", RICH_DLL, MUON_LL};
static const char *const IS_MUON_OUT[] = {"isMuon_probability"};
static const char *const RICH_OUT[] = {RICH_DLL};
static const char *const MUON_OUT[] = {MUON_LL};
static const char *const GLOBAL_OUT[] = {COMBINED};
static const char *const FULL_OUT[] = {RICH_DLL, MUON_LL, COMBINED};

static const float PID_MIN[] = {2000, 1.8f, 0, -1, 0, -300, -300, -300, -300, -12, -12};
static const float PID_MAX[] = {150000, 5.2f, 1000, 1, 1, 300, 300, 300, 300, 0, 0};

#define PID_ORIGIN "closed formulas tuned to LHCb's published Run 2 particle identification"

/* row(out, in, normals, species); n_random normals per row. */
#define PID_MODEL(f, row, SPECIES, INPUT, OUTPUT, N_RANDOM)                                                            \
    MODEL_INFO(f, INPUT, OUTPUT, N_RANDOM, PID_MIN, PID_MAX, PID_ORIGIN);                                              \
    SQLAMARR_EXPORT float *f(float *, const float *, const float *);                                                   \
    float *f(float *out, const float *in, const float *random) {                                                       \
        row(out, in, random, SPECIES);                                                                                 \
        return out;                                                                                                    \
    }                                                                                                                  \
    int f##_batch(size_t n, float *out, const float *in, const float *random) {                                        \
        const size_t n_in = (size_t)LENGTH_OF(INPUT), n_out = (size_t)LENGTH_OF(OUTPUT);                               \
        for (size_t i = 0; i < n; ++i) row(out + i * n_out, in + i * n_in, random + i * (N_RANDOM), SPECIES);          \
        return 0;                                                                                                      \
    }                                                                                                                  \
    typedef int f##_is_a_model

#define PID_MODELS(name, SPECIES)                                                                                      \
    static void is_muon_##name(float *out, const float *in) { is_muon_row(out, in, SPECIES); }                         \
    MODEL(isMuon_##name##_pipe, is_muon_##name, IS_MUON_IN, IS_MUON_OUT, PID_MIN, PID_MAX, PID_ORIGIN);                \
    PID_MODEL(rich_##name##_pipe, rich_row, SPECIES, RICH_IN, RICH_OUT, N_RICH_NORMALS);                               \
    PID_MODEL(muon_##name##_pipe, muon_row, SPECIES, MUON_IN, MUON_OUT, N_MUON_NORMALS);                               \
    PID_MODEL(global_##name##_pipe, combined_row, SPECIES, GLOBAL_IN, GLOBAL_OUT, N_COMBINED_NORMALS);                 \
    PID_MODEL(full_##name##_pipe, full_row, SPECIES, MUON_IN, FULL_OUT, N_FULL_NORMALS);                               \
    READS(rich_##name##_pipe, {0, N_RICH_READ});                                                                       \
    READS(muon_##name##_pipe, {0, N_MUON_READ});                                                                       \
    READS(global_##name##_pipe, {0, N_COMBINED_READ});                                                                 \
    READS(full_##name##_pipe, {RICH_NORMALS, RICH_NORMALS + N_RICH_READ}, {MUON_NORMALS, MUON_NORMALS + N_MUON_READ},  \
          {COMBINED_NORMALS, COMBINED_NORMALS + N_COMBINED_READ})

#endif
