#include "random/kernel.h"

#include "core/errors.h"
#include "random/philox.h"

#include <cstdlib>
#include <string>

namespace sqlamarr {

namespace {

#define SQLAMARR_INLINE [[gnu::always_inline]] inline

// Lane by lane in arrays: the shape that compilers vectorise.
struct Lanes {
    alignas(64) uint32_t lane[4][RandomBatch::size];
};

SQLAMARR_INLINE void philox_batch(uint64_t key, uint32_t stream, const RandomBatch &batch, Lanes &out) {
    const uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
    for (int j = 0; j < RandomBatch::size; ++j) {
        uint32_t c0 = batch.id_low[j], c1 = batch.id_high[j], c2 = batch.block[j], c3 = stream;
        philox_rounds(c0, c1, c2, c3, k0, k1);
        out.lane[0][j] = c0;
        out.lane[1][j] = c1;
        out.lane[2][j] = c2;
        out.lane[3][j] = c3;
    }
}

// (lane + 1/2) 2^-32 as the nearest float: all 32 bits count near 0, where the tails come from.
SQLAMARR_INLINE float open_unit(uint32_t lane) {
    const float high = static_cast<float>(static_cast<int32_t>(lane >> 16)) * 65536.0f;
    return (high + (static_cast<float>(static_cast<int32_t>(lane & 0xffffu)) + 0.5f)) * 0x1p-32f;
}

// Box-Muller of two lanes: radius from the first; the second is an angle in units of 2 pi 2^-32, whose
// top bits are the quadrant, so that its reduction is integer arithmetic.
SQLAMARR_INLINE void box_muller(uint32_t first, uint32_t second, float &a, float &b) {
    const float radius = std::sqrt(-2.0f * pmf_log_normal(open_unit(first)));
    const uint32_t quadrant = (second + 0x20000000u) >> 30;
    const float angle = static_cast<float>(static_cast<int32_t>(second - (quadrant << 30))) * 0x1.921fb6p-30f;
    const uint32_t s = pmf_bits(pmf_sin_kernel(angle)), c = pmf_bits(pmf_cos_kernel(angle));
    const uint32_t mixed = (s ^ c) & (0u - (quadrant & 1u));
    a = radius * pmf_from_bits((c ^ mixed) ^ (((quadrant + 1u) & 2u) << 30)); // cosine
    b = radius * pmf_from_bits((s ^ mixed) ^ ((quadrant & 2u) << 30));        // sine
}

SQLAMARR_INLINE void normals(uint64_t key, uint32_t stream, RandomBatch &batch) {
    Lanes lanes;
    philox_batch(key, stream, batch, lanes);
    float a[RandomBatch::size], b[RandomBatch::size];
    for (int pair = 0; pair < 2; ++pair) {
        const size_t lane = 2 * static_cast<size_t>(pair);
        const uint32_t *first = lanes.lane[lane], *second = lanes.lane[lane + 1];
        for (int j = 0; j < RandomBatch::size; ++j) box_muller(first[j], second[j], a[j], b[j]);
        for (int j = 0; j < RandomBatch::size; ++j) {
            batch.numbers[4 * j + 2 * pair] = a[j];
            batch.numbers[4 * j + 2 * pair + 1] = b[j];
        }
    }
}

// 23 random bits and a half: every value is a float, none is 0 or 1, and u and 1 - u are equally likely.
SQLAMARR_INLINE void uniforms(uint64_t key, uint32_t stream, RandomBatch &batch) {
    Lanes lanes;
    philox_batch(key, stream, batch, lanes);
    for (int l = 0; l < 4; ++l)
        for (int j = 0; j < RandomBatch::size; ++j)
            batch.numbers[4 * j + l] =
                (static_cast<float>(static_cast<int32_t>(lanes.lane[l][j] >> 9)) + 0.5f) * 0x1p-23f;
}

void normals_baseline(uint64_t key, uint32_t stream, RandomBatch &batch) { normals(key, stream, batch); }
void uniforms_baseline(uint64_t key, uint32_t stream, RandomBatch &batch) { uniforms(key, stream, batch); }
constexpr RandomKernels baseline{normals_baseline, uniforms_baseline};

#if defined(__x86_64__)
#define SQLAMARR_AVX2 [[gnu::target("avx2"), gnu::flatten]]
#define SQLAMARR_AVX512 [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl"), gnu::flatten]]
SQLAMARR_AVX2 void normals_avx2(uint64_t key, uint32_t stream, RandomBatch &batch) { normals(key, stream, batch); }
SQLAMARR_AVX2 void uniforms_avx2(uint64_t key, uint32_t stream, RandomBatch &batch) { uniforms(key, stream, batch); }
SQLAMARR_AVX512 void normals_avx512(uint64_t key, uint32_t stream, RandomBatch &batch) { normals(key, stream, batch); }
SQLAMARR_AVX512 void uniforms_avx512(uint64_t key, uint32_t stream, RandomBatch &batch) {
    uniforms(key, stream, batch);
}

constexpr RandomKernels avx2{normals_avx2, uniforms_avx2}, avx512{normals_avx512, uniforms_avx512};
bool has_avx2() { return __builtin_cpu_supports("avx2"); }
bool has_avx512() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#else
constexpr RandomKernels avx2 = baseline, avx512 = baseline;
bool has_avx2() { return false; }
bool has_avx512() { return false; }
#endif

const RandomKernels *choose() {
    const char *variable = std::getenv("SQLAMARR_ISA");
    const std::string wanted = variable == nullptr ? "" : variable;
    if (wanted == "baseline") return &baseline;
    if ((wanted.empty() || wanted == "avx512") && has_avx512()) return &avx512;
    if ((wanted.empty() || wanted == "avx2") && has_avx2()) return &avx2;
    if (wanted.empty()) return &baseline;
    if (wanted != "avx2" && wanted != "avx512")
        throw Error(SQLAMARR_DATA, "SQLAMARR_ISA is '" + wanted +
                                       "'; expected baseline, avx2 or avx512. Unset it "
                                       "to use the best instruction set of this processor.");
    throw Error(SQLAMARR_DATA, "SQLAMARR_ISA is " + wanted + ", which this processor does not support. Unset it.");
}

} // namespace

const RandomKernels &random_kernels() {
    static const RandomKernels *chosen = choose();
    return *chosen;
}

} // namespace sqlamarr
