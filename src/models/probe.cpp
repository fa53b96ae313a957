// What a foreign function really reads and writes, found by calling it once in a process of its own.
#include "core/errors.h"
#include "models/guarded.h"
#include "sqlamarr.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

namespace {

using sqlamarr::last_changed;

constexpr int SLACK = 4096; // values that may be written beyond the declared ones before the guard page

struct Probe {
    const sqlamarr_model *model;
    int n_in, n_out, n_random;
    sqlamarr::Guarded<float> out, in, random;

    Probe(const sqlamarr_model *the_model, int inputs, int outputs, int randoms)
        : model(the_model), n_in(inputs), n_out(outputs), n_random(randoms), out(static_cast<size_t>(outputs + SLACK)),
          in(static_cast<size_t>(inputs + SLACK)), random(static_cast<size_t>(randoms > 0 ? randoms + SLACK : 0)) {}

    // Call with ordinary values, and `padding` where the declared inputs and random numbers end.
    int call(float in_padding, float random_padding, float pattern) {
        in.fill(in_padding);
        random.fill(random_padding);
        std::fill_n(in.data(), n_in, 0.5F);
        for (int i = 0; i < n_random; ++i) random.data()[i] = 0.1F * static_cast<float>(i % 7 - 3);
        out.fill(pattern);
        sqlamarr_model_call(model, 0, 1, n_in, n_out, n_random, in.data(), random.data(), out.data());
        return static_cast<int>(last_changed(out.data(), n_out + SLACK, pattern));
    }
    std::vector<float> copy_of_answer() { return {out.data(), out.data() + n_out}; }
    bool reads_beyond(bool which_in) {
        const float nan = std::numeric_limits<float>::quiet_NaN();
        call(0.0F, 0.0F, -7.25e9F);
        const auto plain = copy_of_answer();
        call(which_in ? nan : 0.0F, which_in ? 0.0F : nan, -7.25e9F);
        const auto padded = copy_of_answer();
        return std::memcmp(plain.data(), padded.data(), plain.size() * sizeof(float)) != 0;
    }
};

} // namespace

int sqlamarr_model_probe(const sqlamarr_model *model, int n_in, int n_out, int n_random, int *written,
                         int *reads_beyond_in, int *reads_beyond_random) {
    return sqlamarr::guard([&] {
        Probe probe(model, n_in, n_out, n_random);
        *written = std::max(probe.call(0.0F, 0.0F, -7.25e9F), probe.call(0.0F, 0.0F, 3.5e-11F));
        *reads_beyond_in = probe.reads_beyond(true);
        *reads_beyond_random = n_random > 0 && probe.reads_beyond(false);
    });
}
