/* Instruction sets, and how a row of a model gets its numbers. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A block of rows is stored column by column: element (row r, column j) of a value is at [j * B + r]. */
enum { BLOCK = 48, SMALL_BLOCK = 16, SINGLE_ROWS = 6 /* up to so many rows go one by one */ };
enum { NONE, RELU, LEAKY }; /* what a matrix product does to its sums at the end */
enum { PANEL = 8 /* columns of weights that lie side by side */ };

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#elif defined(__GNUC__)
#define UNROLL _Pragma("GCC unroll 16")
#else
#define UNROLL
#endif

#if (defined(__x86_64__) || defined(_M_X64)) && defined(__GNUC__)
#define ON_X86 1
#include <immintrin.h>
#else
#define ON_X86 0
#endif
#if defined(__aarch64__) && defined(__ARM_NEON)
#define ON_NEON 1
#include <arm_neon.h>
#else
#define ON_NEON 0
#endif

#define JOIN_(a, b, c) a##_##b##_##c
#define JOIN(a, b, c) JOIN_(a, b, c)
#define FN(name) JOIN(name, PRECISION, ISA) /* a kernel for one type and one instruction set */
#define FN32(name) JOIN(name, f32, ISA)
#define FN64(name) JOIN(name, f64, ISA)
#define ISA_FN(name) JOIN(name, on, ISA)

/* The instruction sets that this processor has: 0 baseline, 1 AVX2 with FMA, 2 AVX-512. SQLAMARR_ISA
 * takes a lower one, for tests: all give the same bits. */
static int instruction_set(void) {
    static int chosen = -1;
    int level = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
    if (level >= 0) return level;
    level = 0;
#if ON_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) level = 1;
    if (level == 1 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
        level = 2;
    const char *wish = getenv("SQLAMARR_ISA");
    if (wish != NULL && strcmp(wish, "baseline") == 0) level = 0;
    if (wish != NULL && strcmp(wish, "avx2") == 0 && level > 1) level = 1;
#endif
    __atomic_store_n(&chosen, level, __ATOMIC_RELAXED);
    return level;
}

/* Inner nodes and leaves of decision trees. The children of a leaf are itself, and its threshold holds
 * the number of its values. Where MISSING_LEFT is set in `feature`, NaN goes left. */
enum { MISSING_LEFT = 1 << 30 };
typedef struct node_f32 {
    float threshold;
    int32_t feature, child[2];
} node_f32;
typedef struct node_f64 {
    double threshold;
    int32_t feature, child[2], unused;
} node_f64;
static inline int32_t leaf_f32(node_f32 node) { return (int32_t)pmf_bits(node.threshold); }
static inline int32_t leaf_f64(node_f64 node) { return (int32_t)pm_bits(node.threshold); }
