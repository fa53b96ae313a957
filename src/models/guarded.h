// Memory that ends where an unreadable page begins: running over the end is a crash, never a corruption.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <type_traits>
#include <unistd.h>

namespace sqlamarr {

// Of no values at all even the first is unreadable.
template <class T> class Guarded {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    explicit Guarded(size_t count) : count_(count) {
        const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        const size_t bytes = (count * sizeof(T) + page - 1) / page * page;
        size_ = bytes + page;
        base_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base_ == MAP_FAILED) throw std::bad_alloc();
        mprotect(static_cast<char *>(base_) + bytes, page, PROT_NONE);
        data_ = reinterpret_cast<T *>(static_cast<char *>(base_) + bytes) - count;
    }
    Guarded(const Guarded &) = delete;
    Guarded &operator=(const Guarded &) = delete;
    ~Guarded() { munmap(base_, size_); }
    T *data() { return data_; }
    const T *data() const { return data_; }
    size_t size() const { return count_; }
    void fill(const T &value) { std::fill_n(data_, count_, value); }

private:
    size_t count_, size_ = 0;
    void *base_ = nullptr;
    T *data_ = nullptr;
};

// Up to which value anything differs from the pattern that the memory was filled with.
template <class T> int64_t last_changed(const T *data, int64_t n, const T &pattern) {
    int64_t last = n;
    // By bytes: every bit of a float counts, and NaN, too. NOLINTNEXTLINE(bugprone-suspicious-memory-comparison)
    while (last > 0 && std::memcmp(&data[last - 1], &pattern, sizeof pattern) == 0) --last;
    return last;
}

} // namespace sqlamarr
