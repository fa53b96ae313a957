// Compiled models: loading a shared library's function and calling it on a batch of rows.
#include "models/shared_library.h"
#include "random/rows.h"
#include "sqlamarr_plugin.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace {

using sqlamarr::Error;
using RowFunction = float *(*)(float *, const float *, const float *);
using BatchFunction = int (*)(size_t, float *, const float *, const float *);
using InfoFunction = const sqlamarr_model_info *(*)();
using RangesFunction = const sqlamarr_range *(*)();

constexpr int64_t ROWS = 256; // whose random numbers are drawn together: few enough to stay close to the processor

// The blocks of four random numbers that hold those of the ranges; all of them without ranges.
std::vector<uint32_t> blocks_read(const sqlamarr_range *ranges, int n_random, const std::string &label) {
    const auto n_blocks = static_cast<uint32_t>((n_random + 3) / 4);
    std::vector<uint32_t> blocks;
    if (ranges == nullptr) {
        for (uint32_t block = 0; block < n_blocks; ++block) blocks.push_back(block);
        return blocks;
    }
    for (int32_t behind = 0; ranges->end != 0; behind = (ranges++)->end) {
        if (ranges->begin < behind || ranges->begin >= ranges->end || ranges->end > n_random)
            throw Error(SQLAMARR_MODEL, label + " says that it reads its random numbers " +
                                            std::to_string(ranges->begin) + " to " + std::to_string(ranges->end - 1) +
                                            "; expected ranges in ascending order among " + std::to_string(n_random) +
                                            ".");
        const auto first = static_cast<uint32_t>(ranges->begin / 4), end = static_cast<uint32_t>(ranges->end + 3) / 4;
        for (uint32_t block = first; block < end; ++block)
            if (blocks.empty() || block > blocks.back()) blocks.push_back(block);
    }
    return blocks;
}

} // namespace

struct sqlamarr_model {
    sqlamarr::SharedLibrary library;
    std::string function;
    RowFunction row; // or a function of two arguments, if it takes no random numbers
    BatchFunction batch;
    const sqlamarr_model_info *info = nullptr;
    const sqlamarr_range *ranges = nullptr; // of the random numbers that it reads

    sqlamarr_model(const char *path, const char *name)
        : library(path), function(name), row(library.get<RowFunction>(function)),
          batch(library.find<BatchFunction>(function + "_batch")) {
        if (const auto describe = library.find<InfoFunction>(function + "_info")) info = describe();
        if (info != nullptr) sqlamarr::check_abi(info->abi, label());
        if (const auto read = library.find<RangesFunction>(function + "_random_read")) ranges = read();
        if (info != nullptr) blocks_read(ranges, info->n_random, label());
    }
    std::string label() const { return "Model '" + function + "' of " + library.path(); }
};

namespace {

void call_rows(const sqlamarr_model &model, int64_t n, int n_in, int n_out, int n_random, const float *in,
               const float *random, float *out) {
    // A function of two arguments does not see the third; one of three never gets what was left in a register.
    for (int64_t i = 0; i < n; ++i) model.row(out + i * n_out, in + i * n_in, random + i * n_random);
}

void call(const sqlamarr_model &model, bool use_batch, int64_t n, int n_in, int n_out, int n_random, const float *in,
          const float *random, float *out) {
    // A batch function without declared sizes was not probed: it is not trusted.
    if (!use_batch || model.batch == nullptr || model.info == nullptr)
        return call_rows(model, n, n_in, n_out, n_random, in, random, out);
    const int code = model.batch(static_cast<size_t>(n), out, in, random);
    if (code != 0)
        throw Error(SQLAMARR_MODEL, model.label() + " failed on a batch of " + std::to_string(n) +
                                        (n == 1 ? " row" : " rows") + " with code " + std::to_string(code) + ".");
}

} // namespace

int sqlamarr_model_open(const char *path, const char *function, sqlamarr_model **out) {
    return sqlamarr::guard([&] { *out = new sqlamarr_model(path, function); });
}

void sqlamarr_model_free(sqlamarr_model *model) { delete model; }

int sqlamarr_model_sizes(const sqlamarr_model *model, int *n_in, int *n_out, int *n_random) {
    return sqlamarr::guard([&] {
        if (model->info == nullptr) throw Error(SQLAMARR_MODEL, model->label() + " does not declare its sizes.");
        *n_in = model->info->n_in;
        *n_out = model->info->n_out;
        *n_random = model->info->n_random;
    });
}

const char *sqlamarr_model_origin(const sqlamarr_model *model) {
    return model->info != nullptr ? model->info->origin : nullptr;
}

const char *sqlamarr_model_name(const sqlamarr_model *model, int output, int index) {
    if (model->info == nullptr) return nullptr;
    const char *const *names = output ? model->info->out_names : model->info->in_names;
    const int count = output ? model->info->n_out : model->info->n_in;
    return names != nullptr && index >= 0 && index < count ? names[index] : nullptr;
}

int sqlamarr_model_outside(const sqlamarr_model *model, int64_t n, int n_in, const float *in, int64_t *counts) {
    return sqlamarr::guard([&] {
        const auto *info = model->info;
        sqlamarr::count_outside(info ? info->in_min : nullptr, info ? info->in_max : nullptr, n, n_in, in, counts);
    });
}

int sqlamarr_model_call(const sqlamarr_model *model, int use_batch, int64_t n, int n_in, int n_out, int n_random,
                        const float *in, const float *random, float *out) {
    return sqlamarr::guard([&] { call(*model, use_batch, n, n_in, n_out, n_random, in, random, out); });
}

int sqlamarr_model_draw(const sqlamarr_model *model, int use_batch, int64_t n, int n_in, int n_out, int n_random,
                        const float *in, uint64_t key, uint32_t stream, const int64_t *ids, float *out) {
    return sqlamarr::guard([&] {
        const auto blocks = blocks_read(model->ranges, n_random, model->label());
        // Those that are not drawn are no numbers: if the model reads them all the same, its answer is none either.
        std::vector<float> random(static_cast<size_t>(std::min(n, ROWS) * n_random),
                                  std::numeric_limits<float>::quiet_NaN());
        for (int64_t row = 0; row < n; row += ROWS) {
            const int64_t rows = std::min(ROWS, n - row);
            sqlamarr::row_normals(key, stream, ids + row, rows, n_random, blocks, random.data());
            call(*model, use_batch, rows, n_in, n_out, n_random, in + row * n_in, random.data(), out + row * n_out);
        }
    });
}
