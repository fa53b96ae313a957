// float32 random numbers for many ids at once.
#include "random/rows.h"
#include "core/errors.h"
#include "random/kernel.h"
#include "random/philox.h"
#include "sqlite/connection.h"

#include <algorithm>
#include <cstring>

namespace sqlamarr {

namespace {

void check_request(uint32_t stream, int64_t n, int64_t draws) {
    if (n < 0 || draws < 0 || draws > (int64_t{1} << 34))
        throw Error(SQLAMARR_DATA, "Random numbers: expected n >= 0 and 0 <= draws <= 2^34, found n = " +
                                       std::to_string(n) + ", draws = " + std::to_string(draws) + ".");
    if (stream >= first_reserved_stream)
        throw Error(SQLAMARR_DATA, "Random numbers: stream " + std::to_string(stream) +
                                       " is reserved for the SQL functions; use one below " +
                                       std::to_string(first_reserved_stream) + ".");
}

// Which blocks of four numbers a row is to have: the first ones, or those of a list.
struct Blocks {
    int64_t count;
    const uint32_t *list = nullptr;

    uint32_t operator[](int64_t i) const { return list ? list[i] : static_cast<uint32_t>(i); }
};

// Blocks in row order, a batch at a time.
struct Walk {
    const int64_t *ids;
    Blocks blocks;
    int64_t row = 0, block = 0;

    void fill(RandomBatch &batch, int64_t count) {
        for (int64_t j = 0; j < count; ++j) {
            const uint64_t id = static_cast<uint64_t>(ids[row]);
            batch.id_low[j] = static_cast<uint32_t>(id);
            batch.id_high[j] = static_cast<uint32_t>(id >> 32);
            batch.block[j] = blocks[block];
            if (++block == blocks.count) {
                block = 0;
                ++row;
            }
        }
    }
};

// Numbers of `count` blocks from `position` on to their places, without those beyond a row's last draw.
void scatter(const RandomBatch &batch, int64_t position, int64_t count, Blocks blocks, int64_t draws, float *out) {
    int64_t row = position / blocks.count, block = position % blocks.count;
    for (int64_t j = 0; j < count; ++j) {
        const int64_t first = 4 * static_cast<int64_t>(blocks[block]), wanted = std::min<int64_t>(4, draws - first);
        std::memcpy(out + row * draws + first, batch.numbers + 4 * j, static_cast<size_t>(wanted) * sizeof(float));
        if (++block == blocks.count) {
            block = 0;
            ++row;
        }
    }
}

void generate(RandomKernel kernel, uint64_t key, uint32_t stream, const int64_t *ids, int64_t n, int64_t draws,
              Blocks blocks, float *out) {
    check_request(stream, n, draws);
    const int64_t total = n * blocks.count;
    const bool is_dense = 4 * blocks.count == draws;
    RandomBatch batch{};
    Walk walk{ids, blocks};
    for (int64_t position = 0; position < total; position += RandomBatch::size) {
        const int64_t count = std::min<int64_t>(RandomBatch::size, total - position);
        walk.fill(batch, count);
        kernel(key, stream, batch);
        if (is_dense)
            std::memcpy(out + 4 * position, batch.numbers, static_cast<size_t>(count) * 4 * sizeof(float));
        else
            scatter(batch, position, count, blocks, draws, out);
    }
}

void generate(RandomKernel kernel, uint64_t key, uint32_t stream, const int64_t *ids, int64_t n, int64_t draws,
              float *out) {
    generate(kernel, key, stream, ids, n, draws, Blocks{(draws + 3) / 4}, out);
}

} // namespace

void row_normals(uint64_t key, uint32_t stream, const int64_t *ids, int64_t n, int64_t draws,
                 const std::vector<uint32_t> &blocks, float *out) {
    const Blocks listed{static_cast<int64_t>(blocks.size()), blocks.data()};
    generate(random_kernels().normals, key, stream, ids, n, draws, listed, out);
}

} // namespace sqlamarr

using namespace sqlamarr;

void sqlamarr_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    const PhiloxBlock block =
        philox_block(static_cast<uint64_t>(key[1]) << 32 | key[0], static_cast<uint64_t>(counter[1]) << 32 | counter[0],
                     counter[2], counter[3]);
    std::copy(block.begin(), block.end(), out);
}

int sqlamarr_normals(uint64_t key, uint32_t stream, const int64_t *ids, int64_t n, int64_t draws, float *out) {
    return guard([&] { generate(random_kernels().normals, key, stream, ids, n, draws, out); });
}

int sqlamarr_uniforms(uint64_t key, uint32_t stream, const int64_t *ids, int64_t n, int64_t draws, float *out) {
    return guard([&] { generate(random_kernels().uniforms, key, stream, ids, n, draws, out); });
}

int sqlamarr_random_begin(sqlite3 *db, uint64_t key) {
    return guard([&] {
        ConnectionState &state = connection_state(db);
        state.random_key = key;
        state.sequence = 0;
        state.random_active = true;
    });
}

int sqlamarr_random_end(sqlite3 *db) {
    return guard([&] { connection_state(db).random_active = false; });
}
