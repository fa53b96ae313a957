/* Operations on blocks of B rows; B is 1 or a multiple of 16. Set: what vectors.h sets. */

/* ---- matrix product: every sum begins with the bias and takes the columns in ascending order --------- */

/* The end of a sum: its activation (slope in 0..1; the second operand of a maximum is the one that NaN comes
 * from), and what is added behind it. */
#define FINISH(V, sum, address)                                                                                        \
    if (activation == LEAKY) sum = V##MAX(sum, V##MUL(sum, V##SET1(slope)));                                           \
    if (activation == RELU) sum = V##MAX(V##ZERO(), sum);                                                              \
    if (residual != NULL) sum = V##ADD(sum, V##LOAD(residual + (address)));                                            \
    V##STORE(o + (address), sum);

#define DENSE_TILE(name, VECTORS)                                                                                      \
    TARGET static inline void FN(name)(size_t B, size_t k, const REAL *x, const REAL *w, const REAL *b, REAL *o,       \
                                       int activation, REAL slope, const REAL *residual) {                             \
        VEC sum[TILE][VECTORS];                                                                                        \
        UNROLL for (int j = 0; j < TILE; ++j) UNROLL for (int v = 0; v < VECTORS; ++v) sum[j][v] = VSET1(b[j]);        \
        for (size_t i = 0; i < k; ++i) {                                                                               \
            VEC column[VECTORS];                                                                                       \
            UNROLL for (int v = 0; v < VECTORS; ++v) column[v] = VLOAD(x + i * B + v * LANES);                         \
            UNROLL for (int j = 0; j < TILE; ++j) {                                                                    \
                const VEC weight = VSET1(w[i * PANEL + j]);                                                            \
                UNROLL for (int v = 0; v < VECTORS; ++v) sum[j][v] = VFMA(weight, column[v], sum[j][v]);               \
            }                                                                                                          \
        }                                                                                                              \
        UNROLL for (int j = 0; j < TILE; ++j) UNROLL for (int v = 0; v < VECTORS; ++v) {                               \
            FINISH(V, sum[j][v], j * B + v * LANES)                                                                    \
        }                                                                                                              \
    }
DENSE_TILE(dense_tile3, 3)
DENSE_TILE(dense_tile1, 1)

/* One row: vectors run over the columns of the result, `panels` panels at a time. */
#define DENSE_ROW(name, PANELS)                                                                                        \
    TARGET static inline void FN(name)(size_t k, const REAL *x, const REAL *w, const REAL *b, REAL *o, int activation, \
                                       REAL slope, const REAL *residual) {                                             \
        enum { PER_PANEL = PANEL / RLANES };                                                                           \
        RVEC sum[PANELS][PER_PANEL];                                                                                   \
        UNROLL for (int p = 0; p < PANELS; ++p) UNROLL for (int v = 0; v < PER_PANEL; ++v) sum[p][v] =                 \
            RLOAD(b + p * PANEL + v * RLANES);                                                                         \
        for (size_t i = 0; i < k; ++i) {                                                                               \
            const RVEC value = RSET1(x[i]);                                                                            \
            UNROLL for (int p = 0; p < PANELS; ++p) UNROLL for (int v = 0; v < PER_PANEL; ++v) sum[p][v] =             \
                RFMA(RLOAD(w + (p * k + i) * PANEL + v * RLANES), value, sum[p][v]);                                   \
        }                                                                                                              \
        UNROLL for (int p = 0; p < PANELS; ++p) UNROLL for (int v = 0; v < PER_PANEL; ++v) {                           \
            FINISH(R, sum[p][v], p * PANEL + v * RLANES)                                                               \
        }                                                                                                              \
    }
DENSE_ROW(dense_row8, 8)
DENSE_ROW(dense_row1, 1)

#define RESIDUAL(address) (residual != NULL ? residual + (address) : NULL)

/* n: columns of the result, rounded up to PANEL; weights [n / PANEL][k][PANEL], b[n], o[n][B], residual[n][B]. */
TARGET static void FN(dense)(size_t B, size_t k, size_t n, const REAL *x, const REAL *w, const REAL *b, REAL *o,
                             int activation, REAL slope, const REAL *residual) {
    size_t j = 0;
    if (B == 1) {
        for (; j + 8 * PANEL <= n; j += 8 * PANEL)
            FN(dense_row8)(k, x, w + j * k, b + j, o + j, activation, slope, RESIDUAL(j));
        for (; j < n; j += PANEL) FN(dense_row1)(k, x, w + j * k, b + j, o + j, activation, slope, RESIDUAL(j));
        return;
    }
    for (; j < n; j += TILE) {
        const REAL *weights = w + j / PANEL * PANEL * k + j % PANEL;
        size_t r = 0;
        for (size_t at = j * B; r + 3 * LANES <= B; r += 3 * LANES)
            FN(dense_tile3)(B, k, x + r, weights, b + j, o + at + r, activation, slope, RESIDUAL(at + r));
        for (size_t at = j * B; r < B; r += LANES)
            FN(dense_tile1)(B, k, x + r, weights, b + j, o + at + r, activation, slope, RESIDUAL(at + r));
    }
}

/* ---- piecewise linear tables, as numpy.interp ------------------------------------------------------------ */

static inline REAL FN(interpolate_one)(REAL x, size_t n, const REAL *position, const REAL *value) {
    if (x != x) return n == 1 ? value[0] : x; /* so does numpy */
    if (x < position[0]) return value[0];
    if (x >= position[n - 1]) return value[n - 1];
    size_t first = 0;
    for (size_t left = n; left > 1;) { /* position[first] <= x; no branch */
        const size_t half = left / 2;
        first += position[first + half] <= x ? half : 0;
        left -= half;
    }
    if (position[first] == x) return value[first];
    const REAL slope = (value[first + 1] - value[first]) / (position[first + 1] - position[first]);
    return slope * (x - position[first]) + value[first];
}
/* ends[w + 1]: where the tables of the columns begin and end in position and value. */
TARGET static void FN(interpolate)(size_t B, size_t width, const REAL *x, const int32_t *ends, const REAL *position,
                                   const REAL *value, REAL *o) {
    for (size_t j = 0; j < width; ++j)
        for (size_t r = 0; r < B; ++r)
            o[j * B + r] =
                FN(interpolate_one)(x[j * B + r], (size_t)(ends[j + 1] - ends[j]), position + ends[j], value + ends[j]);
}

/* ---- decision trees --------------------------------------------------------------------------------------- */

static inline int32_t FN(next_node)(const NODE *node, REAL value) { return node->child[!(value <= node->threshold)]; }
static inline int32_t FN(next_node_missing)(const NODE *node, REAL value) {
    const int left = (value <= node->threshold) | ((value != value) & ((node->feature & MISSING_LEFT) != 0));
    return node->child[!left];
}

#define TREES(name, LEAF, NEXT, COLUMN)                                                                                \
    TARGET static void FN(name)(size_t B, size_t outputs, size_t trees, const REAL *x, const int32_t *depth,           \
                                const int32_t *root, const NODE *nodes, const LEAF *leaves, const double *base,        \
                                double *o) {                                                                           \
        for (size_t k = 0; k < outputs; ++k)                                                                           \
            for (size_t r = 0; r < B; ++r) o[k * B + r] = base[k];                                                     \
        for (size_t first = 0; first < B; first += SMALL_BLOCK) {                                                      \
            const int rows = B == 1 ? 1 : SMALL_BLOCK;                                                                 \
            for (size_t t = 0; t < trees; ++t) {                                                                       \
                int32_t at[SMALL_BLOCK];                                                                               \
                for (int r = 0; r < rows; ++r) at[r] = root[t];                                                        \
                for (int d = 0; d < depth[t]; ++d)                                                                     \
                    for (int r = 0; r < rows; ++r) {                                                                   \
                        const NODE *node = nodes + at[r];                                                              \
                        at[r] = FN(NEXT)(node, x[(size_t)(COLUMN) * B + first + (size_t)r]);                           \
                    }                                                                                                  \
                for (int r = 0; r < rows; ++r) {                                                                       \
                    const LEAF *leaf = leaves + (size_t)LEAF_NUMBER(nodes[at[r]]) * outputs;                           \
                    for (size_t k = 0; k < outputs; ++k) o[k * B + first + (size_t)r] += leaf[k];                      \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

/* ---- reductions over groups of columns, in ascending order ---------------------------------------------------- */

#define REDUCE(name, FIRST, STEP, LAST)                                                                                \
    TARGET static void FN(reduce_##name)(size_t B, size_t groups, size_t length, const REAL *restrict x,               \
                                         REAL *restrict o) {                                                           \
        for (size_t g = 0; g < groups; ++g) {                                                                          \
            const REAL *in = x + g * length * B;                                                                       \
            REAL *out = o + g * B;                                                                                     \
            for (size_t r = 0; r < B; ++r) {                                                                           \
                const REAL value = in[r];                                                                              \
                out[r] = FIRST;                                                                                        \
            }                                                                                                          \
            for (size_t j = 1; j < length; ++j)                                                                        \
                for (size_t r = 0; r < B; ++r) {                                                                       \
                    const REAL value = in[j * B + r], so_far = out[r];                                                 \
                    out[r] = STEP;                                                                                     \
                }                                                                                                      \
            for (size_t r = 0; r < B; ++r) {                                                                           \
                const REAL so_far = out[r];                                                                            \
                out[r] = LAST;                                                                                         \
            }                                                                                                          \
        }                                                                                                              \
    }

TARGET static void FN(reduce_argmax)(size_t B, size_t groups, size_t length, const REAL *x, REAL *o) {
    for (size_t g = 0; g < groups; ++g)
        for (size_t r = 0; r < B; ++r) {
            const REAL *in = x + g * length * B + r;
            size_t best = 0;
            for (size_t j = 1; j < length; ++j)
                if (in[j * B] > in[best * B]) best = j;
            o[g * B + r] = (REAL)best;
        }
}

/* ---- moving numbers ------------------------------------------------------------------------------------------- */

TARGET static void FN(fill)(size_t B, size_t width, const REAL *values, REAL *o) {
    for (size_t j = 0; j < width; ++j)
        for (size_t r = 0; r < B; ++r) o[j * B + r] = values[j];
}
TARGET static void FN(select)(size_t B, size_t width, const REAL *x, const int32_t *columns, REAL *o) {
    for (size_t j = 0; j < width; ++j) memcpy(o + j * B, x + (size_t)columns[j] * B, B * sizeof(REAL));
}
TARGET static void FN(copy)(size_t B, size_t width, const REAL *x, REAL *o) { memcpy(o, x, width * B * sizeof(REAL)); }
/* rows <= B rows of a row-major matrix into a block; the last one fills the rest. */
TARGET static void FN(load)(size_t B, size_t rows, size_t width, const float *in, REAL *o) {
    for (size_t r = 0; r < B; ++r) {
        const float *row = in + (r < rows ? r : rows - 1) * width;
        for (size_t j = 0; j < width; ++j) o[j * B + r] = (REAL)row[j];
    }
}
TARGET static void FN(store)(size_t B, size_t rows, size_t width, const REAL *x, float *out) {
    for (size_t r = 0; r < rows; ++r)
        for (size_t j = 0; j < width; ++j) out[r * width + j] = (float)x[j * B + r];
}

/* ---- element by element: operands are v (a block), c (a number per column) or s (one column) -------------------- */

#define AT_v(p) p[j * B + r]
#define AT_c(p) p[j]
#define AT_s(p) p[r]
#define LOOP(body)                                                                                                     \
    if (B == 1) {                                                                                                      \
        const size_t r = 0;                                                                                            \
        for (size_t j = 0; j < width; ++j) body;                                                                       \
    } else                                                                                                             \
        for (size_t j = 0; j < width; ++j)                                                                             \
            for (size_t r = 0; r < B; ++r) body;
#define UNARY(name)                                                                                                    \
    TARGET static void FN(name)(size_t B, size_t width, const REAL *restrict x, REAL *restrict o) {                    \
        for (size_t i = 0; i < width * B; ++i) o[i] = M(name)(x[i]);                                                   \
    }
#define UNARY_WITH_PARAMETER(name)                                                                                     \
    TARGET static void FN(name)(size_t B, size_t width, REAL alpha, const REAL *restrict x, REAL *restrict o) {        \
        for (size_t i = 0; i < width * B; ++i) o[i] = M(name)(x[i], alpha);                                            \
    }
#define BINARY(name, A, C)                                                                                             \
    TARGET static void FN(name##_##A##C)(size_t B, size_t width, const REAL *restrict a, const REAL *restrict b,       \
                                         REAL *restrict o) {                                                           \
        LOOP(o[j * B + r] = M(name)(AT_##A(a), AT_##C(b)))                                                             \
    }
#define WHERE(C, A, D)                                                                                                 \
    TARGET static void FN(where_##C##A##D)(size_t B, size_t width, const REAL *restrict c, const REAL *restrict a,     \
                                           const REAL *restrict b, REAL *restrict o) {                                 \
        LOOP(o[j * B + r] = M(where)(AT_##C(c), AT_##A(a), AT_##D(b)))                                                 \
    }
#define CAST_FROM(OTHER)                                                                                               \
    TARGET static void FN(cast)(size_t B, size_t width, const OTHER *restrict x, REAL *restrict o) {                   \
        for (size_t i = 0; i < width * B; ++i) o[i] = (REAL)x[i];                                                      \
    }
