// Compiled models: loading a shared library's function and calling it on a batch of rows.
#include "../plugins/sqlamarr_plugin.h"
#include "errors.h"

#include <dlfcn.h>
#include <memory>

namespace {

using sqlamarr::Error;
using RowFunction = float *(*)(float *, const float *, const float *);
using BatchFunction = int (*)(size_t, float *, const float *, const float *);
using InfoFunction = const sqlamarr_model_info *(*)();

} // namespace

struct sqlamarr_model {
    std::string path, function;
    void *handle = nullptr;
    void *row = nullptr; // its type depends on whether it takes random numbers
    BatchFunction batch = nullptr;
    const sqlamarr_model_info *info = nullptr;

    ~sqlamarr_model() {
        if (handle != nullptr) dlclose(handle);
    }
    std::string label() const { return "Model '" + function + "' of " + path; }
};

namespace {

std::unique_ptr<sqlamarr_model> open_model(const char *path, const char *function) {
    auto model = std::make_unique<sqlamarr_model>();
    model->path = path;
    model->function = function;
    model->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (model->handle == nullptr)
        throw Error(SQLAMARR_MODEL, std::string("Cannot load the model library: ") + dlerror());
    model->row = dlsym(model->handle, function);
    if (model->row == nullptr)
        throw Error(SQLAMARR_MODEL, std::string("The library ") + path + " has no function '" + function +
                                        "'. List what it exports with 'nm -D --defined-only'.");
    model->batch = reinterpret_cast<BatchFunction>(dlsym(model->handle, (model->function + "_batch").c_str()));
    if (void *info = dlsym(model->handle, (model->function + "_info").c_str()))
        model->info = reinterpret_cast<InfoFunction>(info)();
    if (model->info != nullptr && model->info->abi != SQLAMARR_PLUGIN_ABI)
        throw Error(SQLAMARR_MODEL, model->label() + " was built for plugin interface " +
                                        std::to_string(model->info->abi) + ", expected " +
                                        std::to_string(SQLAMARR_PLUGIN_ABI) + ". Compile it again.");
    return model;
}

void call_rows(const sqlamarr_model &model, int64_t n, int n_in, int n_out, int n_random, const float *in,
               const float *random, float *out) {
    // A function of two arguments does not see the third; one of three never gets what was left in a register.
    const auto function = reinterpret_cast<RowFunction>(model.row);
    for (int64_t i = 0; i < n; ++i) function(out + i * n_out, in + i * n_in, random + i * n_random);
}

} // namespace

int sqlamarr_model_open(const char *path, const char *function, sqlamarr_model **out) {
    return sqlamarr::guard([&] { *out = open_model(path, function).release(); });
}

void sqlamarr_model_free(sqlamarr_model *model) { delete model; }

int sqlamarr_model_has_batch(const sqlamarr_model *model) { return model->batch != nullptr; }

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
        for (int k = 0; k < n_in; ++k) counts[k] = 0;
        if (model->info == nullptr || model->info->in_min == nullptr || model->info->in_max == nullptr) return;
        for (int64_t i = 0; i < n; ++i)
            for (int k = 0; k < n_in; ++k) {
                const float value = in[i * n_in + k];
                counts[k] += value < model->info->in_min[k] || value > model->info->in_max[k];
            }
    });
}

int sqlamarr_model_call(const sqlamarr_model *model, int use_batch, int64_t n, int n_in, int n_out, int n_random,
                        const float *in, const float *random, float *out) {
    return sqlamarr::guard([&] {
        // A batch function without declared sizes was not probed: it is not trusted.
        if (!use_batch || model->batch == nullptr || model->info == nullptr) {
            call_rows(*model, n, n_in, n_out, n_random, in, random, out);
            return;
        }
        const int code = model->batch(static_cast<size_t>(n), out, in, random);
        if (code != 0)
            throw Error(SQLAMARR_MODEL, model->label() + " failed on a batch of " + std::to_string(n) +
                                            " rows with code " + std::to_string(code) + ".");
    });
}
