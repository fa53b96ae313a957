// The inner loops of rows.cpp: a batch of Philox blocks, compiled once per instruction set.
#pragma once

#include <cstdint>

namespace sqlamarr {

struct RandomBatch {
    static constexpr int size = 64; // blocks
    alignas(64) uint32_t id_low[size], id_high[size], block[size];
    alignas(64) float numbers[4 * size]; // block by block
};

using RandomKernel = void (*)(uint64_t key, uint32_t stream, RandomBatch &batch);

struct RandomKernels {
    RandomKernel normals, uniforms;
};

// The widest that this processor runs, or what SQLAMARR_ISA=baseline|avx2|avx512 asks for (an error
// if the processor lacks it). All give the same bits.
const RandomKernels &random_kernels();

} // namespace sqlamarr
