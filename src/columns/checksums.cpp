// Checksums of rows: a 64-bit hash of each, summed over blocks of events. A sum does not depend on the order of the
// rows, and those of parts add.
#include "columns/columns.h"
#include "core/errors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>

namespace sqlamarr {

namespace {

// Whatever changes the numbers changes this one, and the version in sqlamarr/output/checksums.py.
constexpr uint64_t VERSION = 1;

// Odd numbers without a pattern. Each kind of value has one of its own, so that equal bits of two kinds differ.
constexpr uint64_t OF_NULL = 0x9E3779B97F4A7C15;
constexpr uint64_t OF_INTEGER = 0xC2B2AE3D27D4EB4F;
constexpr uint64_t OF_REAL = 0x165667B19E3779F9;
constexpr uint64_t OF_LENGTH = 0x27D4EB2F165667C5;
constexpr uint64_t OF_BYTES = 0x85EBCA77C2B2AE63;

constexpr int64_t IDS_PER_BLOCK = 1'000'000'000; // of 1,000 events
constexpr int64_t NO_EVENT = -1;                 // the block of rows that belong to no event
constexpr size_t AT_ONCE = 512;                  // rows: their hashes stay in the processor's cache

// One-to-one in `word`: a change of a single value never goes unseen.
inline uint64_t mixed(uint64_t hash, uint64_t word, uint64_t factor) {
    hash = (hash ^ word) * factor;
    return hash ^ (hash >> 32);
}

// As SplitMix64 ends (Steele, Lea, Flood, OOPSLA 2014): one-to-one, and sums of such numbers show no pattern.
inline uint64_t finished(uint64_t hash) {
    hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
    hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
    return hash ^ (hash >> 31);
}

// Eight bytes as a number, the first the lowest; zeros after the end.
inline uint64_t word_at(const char *data, size_t length) {
    uint64_t word = 0;
    std::memcpy(&word, data, length);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
}

// The same for a value that may be NULL, without a branch: where NULLs are cannot be foreseen.
inline uint64_t mixed_unless(bool null, uint64_t hash, uint64_t word, uint64_t factor) {
    const uint64_t mask = uint64_t{null} - 1; // all bits where there is a value
    return mixed(hash, word & mask, OF_NULL ^ ((OF_NULL ^ factor) & mask));
}

uint64_t mixed_text(uint64_t hash, const char *data, size_t length) {
    hash = mixed(hash, length, OF_LENGTH);
    for (; length >= 8; data += 8, length -= 8) hash = mixed(hash, word_at(data, 8), OF_BYTES);
    return length ? mixed(hash, word_at(data, length), OF_BYTES) : hash;
}

void mix_integers(uint64_t *hashes, const int64_t *values, const uint8_t *nulls, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        const bool null = nulls && nulls[i];
        hashes[i] = mixed_unless(null, hashes[i], static_cast<uint64_t>(values[i]), OF_INTEGER);
    }
}

void mix_reals(uint64_t *hashes, const double *values, const uint8_t *nulls, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        const bool null = values[i] != values[i] || (nulls && nulls[i]);
        const uint64_t bits = std::bit_cast<uint64_t>(values[i] + 0.0); // no -0.0
        hashes[i] = mixed_unless(null, hashes[i], bits, OF_REAL);
    }
}

void mix_texts(uint64_t *hashes, const char *data, const int64_t *offsets, const uint8_t *nulls, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        const auto length = static_cast<size_t>(offsets[i + 1] - offsets[i]);
        hashes[i] = nulls && nulls[i] ? mixed(hashes[i], 0, OF_NULL) : mixed_text(hashes[i], data + offsets[i], length);
    }
}

void mix_column(uint64_t *hashes, const sqlamarr_column &column, size_t first, size_t n) {
    const uint8_t *nulls = column.nulls ? column.nulls + first : nullptr;
    switch (column.type) {
    case SQLAMARR_INT64: mix_integers(hashes, static_cast<const int64_t *>(column.data) + first, nulls, n); break;
    case SQLAMARR_FLOAT64: mix_reals(hashes, static_cast<const double *>(column.data) + first, nulls, n); break;
    default: mix_texts(hashes, static_cast<const char *>(column.data), column.offsets + first, nulls, n);
    }
}

int64_t block_of(int64_t event_id) { return event_id / IDS_PER_BLOCK - (event_id % IDS_PER_BLOCK < 0); }

class Sums {
public:
    void add(int64_t block, uint64_t hash) {
        if (!last_ || block != last_block_) { // rows follow their events: seldom
            last_ = &sums_[block];
            last_block_ = block;
        }
        ++last_->rows;
        last_->sum += hash;
    }

    std::unique_ptr<sqlamarr_columns> columns() const {
        auto out = std::make_unique<sqlamarr_columns>();
        Column &blocks = out->table.add("block", SQLAMARR_INT64);
        Column &rows = out->table.add("rows", SQLAMARR_INT64);
        Column &sums = out->table.add("checksum", SQLAMARR_INT64);
        for (const auto &[block, sum] : sums_) {
            blocks.push(block);
            rows.push(sum.rows);
            sums.push(static_cast<int64_t>(sum.sum));
        }
        return out;
    }

private:
    struct Sum {
        int64_t rows = 0;
        uint64_t sum = 0;
    };

    std::map<int64_t, Sum> sums_{}; // by block
    Sum *last_ = nullptr;
    int64_t last_block_ = 0;
};

void add_rows(Sums &sums, const uint64_t *hashes, const sqlamarr_column *events, size_t first, size_t n) {
    if (!events) {
        for (size_t i = 0; i < n; ++i) sums.add(NO_EVENT, finished(hashes[i]));
        return;
    }
    const int64_t *ids = static_cast<const int64_t *>(events->data) + first;
    const uint8_t *nulls = events->nulls ? events->nulls + first : nullptr;
    for (size_t i = 0; i < n; ++i) sums.add(nulls && nulls[i] ? NO_EVENT : block_of(ids[i]), finished(hashes[i]));
}

std::unique_ptr<sqlamarr_columns> checksums(std::string_view name, const sqlamarr_column *columns, int n_columns,
                                            size_t rows, int event) {
    if (event >= n_columns || (event >= 0 && columns[event].type != SQLAMARR_INT64))
        throw Error(SQLAMARR_DATA, "The column of the events' ids must be one of INTEGER.");
    const uint64_t start = mixed_text(VERSION, name.data(), name.size());
    const sqlamarr_column *events = event < 0 ? nullptr : columns + event;
    Sums sums;
    std::array<uint64_t, AT_ONCE> hashes;
    for (size_t first = 0; first < rows; first += AT_ONCE) {
        const size_t n = std::min(AT_ONCE, rows - first);
        std::fill_n(hashes.begin(), n, start);
        for (int i = 0; i < n_columns; ++i) mix_column(hashes.data(), columns[i], first, n);
        add_rows(sums, hashes.data(), events, first, n);
    }
    return sums.columns();
}

} // namespace

} // namespace sqlamarr

int sqlamarr_checksums(const char *name, const sqlamarr_column *columns, int n_columns, int64_t rows, int event,
                       sqlamarr_columns **out) {
    return sqlamarr::guard(
        [&] { *out = sqlamarr::checksums(name, columns, n_columns, static_cast<size_t>(rows), event).release(); });
}
