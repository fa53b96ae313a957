// What a foreign function really reads and writes, found by calling it once in a process of its own.
#include "errors.h"
#include "sqlamarr.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr int SLACK = 4096; // values that may be written beyond the declared ones before the guard page

// Floats that end where an unreadable page begins: running over the end is a crash, never a corruption. Of
// no floats at all even the first is unreadable.
class Guarded {
public:
    explicit Guarded(size_t count) : count_(count) {
        const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        const size_t bytes = (count * sizeof(float) + page - 1) / page * page;
        size_ = bytes + page;
        base_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base_ == MAP_FAILED) throw std::bad_alloc();
        mprotect(static_cast<char *>(base_) + bytes, page, PROT_NONE);
        data_ = reinterpret_cast<float *>(static_cast<char *>(base_) + bytes) - count;
    }
    Guarded(const Guarded &) = delete;
    Guarded &operator=(const Guarded &) = delete;
    ~Guarded() { munmap(base_, size_); }
    float *data() { return data_; }
    void fill(float value) { std::fill_n(data_, count_, value); }
    std::vector<float> copy(int n) const { return {data_, data_ + n}; }

private:
    size_t count_, size_ = 0;
    void *base_ = nullptr;
    float *data_ = nullptr;
};

int last_changed(const float *data, int n, float pattern) {
    int last = n;
    while (last > 0 && std::memcmp(&data[last - 1], &pattern, sizeof pattern) == 0) --last;
    return last;
}

struct Probe {
    const sqlamarr_model *model;
    int n_in, n_out, n_random;
    Guarded out, in, random;

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
        return last_changed(out.data(), n_out + SLACK, pattern);
    }
    bool reads_beyond(bool which_in) {
        const float nan = std::numeric_limits<float>::quiet_NaN();
        call(0.0F, 0.0F, -7.25e9F);
        const auto plain = out.copy(n_out);
        call(which_in ? nan : 0.0F, which_in ? 0.0F : nan, -7.25e9F);
        const auto padded = out.copy(n_out);
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
