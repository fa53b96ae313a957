/* Vectors of one instruction set: VEC for a block of rows, RVEC for one row. Set: ISA, LEVEL, DOUBLE. */

#undef TARGET
#undef PRECISION
#undef REAL
#undef NODE
#undef LEAF_NUMBER
#undef M
#undef LANES
#undef VEC
#undef VLOAD
#undef VSTORE
#undef VSET1
#undef VFMA
#undef RLANES
#undef RVEC
#undef RLOAD
#undef RSTORE
#undef RSET1
#undef RFMA
#undef VMUL
#undef VADD
#undef VMAX
#undef VZERO
#undef RMUL
#undef RADD
#undef RMAX
#undef RZERO
#undef TILE
#undef SCALAR_FMA

#if LEVEL == 2
#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,bmi,bmi2")))
#elif LEVEL == 1
#define TARGET __attribute__((target("avx2,fma,bmi,bmi2")))
#else
#define TARGET
#endif

#if DOUBLE
#define PRECISION f64
#define REAL double
#define NODE node_f64
#define LEAF_NUMBER leaf_f64
#define M(name) m64_##name
#else
#define PRECISION f32
#define REAL float
#define NODE node_f32
#define LEAF_NUMBER leaf_f32
#define M(name) m32_##name
#endif

#if LEVEL == 2 && DOUBLE
#define LANES 8
#define VEC __m512d
#define VLOAD _mm512_loadu_pd
#define VSTORE _mm512_storeu_pd
#define VSET1 _mm512_set1_pd
#define VFMA _mm512_fmadd_pd
#define VMUL _mm512_mul_pd
#define VADD _mm512_add_pd
#define VMAX _mm512_max_pd
#define VZERO _mm512_setzero_pd
#elif LEVEL == 2
#define LANES 16
#define VEC __m512
#define VLOAD _mm512_loadu_ps
#define VSTORE _mm512_storeu_ps
#define VSET1 _mm512_set1_ps
#define VFMA _mm512_fmadd_ps
#define VMUL _mm512_mul_ps
#define VADD _mm512_add_ps
#define VMAX _mm512_max_ps
#define VZERO _mm512_setzero_ps
#define RLANES 8
#define RVEC __m256
#define RLOAD _mm256_loadu_ps
#define RSTORE _mm256_storeu_ps
#define RSET1 _mm256_set1_ps
#define RFMA _mm256_fmadd_ps
#define RMUL _mm256_mul_ps
#define RADD _mm256_add_ps
#define RMAX _mm256_max_ps
#define RZERO _mm256_setzero_ps
#elif LEVEL == 1 && DOUBLE
#define LANES 4
#define VEC __m256d
#define VLOAD _mm256_loadu_pd
#define VSTORE _mm256_storeu_pd
#define VSET1 _mm256_set1_pd
#define VFMA _mm256_fmadd_pd
#define VMUL _mm256_mul_pd
#define VADD _mm256_add_pd
#define VMAX _mm256_max_pd
#define VZERO _mm256_setzero_pd
#elif LEVEL == 1
#define LANES 8
#define VEC __m256
#define VLOAD _mm256_loadu_ps
#define VSTORE _mm256_storeu_ps
#define VSET1 _mm256_set1_ps
#define VFMA _mm256_fmadd_ps
#define VMUL _mm256_mul_ps
#define VADD _mm256_add_ps
#define VMAX _mm256_max_ps
#define VZERO _mm256_setzero_ps
#elif ON_NEON && DOUBLE
#define LANES 2
#define VEC float64x2_t
#define VLOAD vld1q_f64
#define VSTORE vst1q_f64
#define VSET1 vdupq_n_f64
#define VFMA(a, b, c) vfmaq_f64(c, a, b)
#define VMUL vmulq_f64
#define VADD vaddq_f64
#define VMAX vmaxq_f64
#define VZERO() vdupq_n_f64(0)
#elif ON_NEON
#define LANES 4
#define VEC float32x4_t
#define VLOAD vld1q_f32
#define VSTORE vst1q_f32
#define VSET1 vdupq_n_f32
#define VFMA(a, b, c) vfmaq_f32(c, a, b)
#define VMUL vmulq_f32
#define VADD vaddq_f32
#define VMAX vmaxq_f32
#define VZERO() vdupq_n_f32(0)
#else
#define LANES 4
#define VEC FN(lanes)
#define VLOAD FN(lanes_load)
#define VSTORE FN(lanes_store)
#define VSET1 FN(lanes_set)
#define VFMA FN(lanes_fma)
#define VMUL FN(lanes_mul)
#define VADD FN(lanes_add)
#define VMAX FN(lanes_max)
#define VZERO() FN(lanes_set)(0)
#if DOUBLE
#define SCALAR_FMA(a, b, c) fma(a, b, c)
#elif ON_X86
#define SCALAR_FMA(a, b, c) emulated_fmaf(a, b, c)
#else
#define SCALAR_FMA(a, b, c) fmaf(a, b, c)
#endif
typedef struct {
    REAL at[LANES];
} VEC;
static inline VEC VLOAD(const REAL *p) {
    VEC v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline void VSTORE(REAL *p, VEC v) { memcpy(p, &v, sizeof v); }
static inline VEC VSET1(REAL x) {
    VEC v;
    for (int i = 0; i < LANES; ++i) v.at[i] = x;
    return v;
}
static inline VEC VFMA(VEC a, VEC b, VEC c) {
    for (int i = 0; i < LANES; ++i) c.at[i] = SCALAR_FMA(a.at[i], b.at[i], c.at[i]);
    return c;
}
#define LANES_OPERATION(name, expression)                                                                              \
    static inline VEC name(VEC a, VEC b) {                                                                             \
        for (int i = 0; i < LANES; ++i) {                                                                              \
            const REAL x = a.at[i], y = b.at[i];                                                                       \
            a.at[i] = expression;                                                                                      \
        }                                                                                                              \
        return a;                                                                                                      \
    }
LANES_OPERATION(VMUL, x *y)
LANES_OPERATION(VADD, x + y)
LANES_OPERATION(VMAX, x > y ? x : y)
#endif

#ifndef RVEC
#define RLANES LANES
#define RVEC VEC
#define RLOAD VLOAD
#define RSTORE VSTORE
#define RSET1 VSET1
#define RFMA VFMA
#define RMUL VMUL
#define RADD VADD
#define RMAX VMAX
#define RZERO VZERO
#endif
/* Registers: 32 hold 3 x 8 sums, 16 hold 3 x 4. */
#if LEVEL == 2 || ON_NEON
#define TILE 8
#else
#define TILE 4
#endif
