// A shared library of compiled models, closed with the object.
#pragma once

#include "errors.h"

#include <dlfcn.h>

namespace sqlamarr {

class SharedLibrary {
public:
    explicit SharedLibrary(const std::string &path)
        : path_(path), handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
        if (handle_ == nullptr)
            throw Error(SQLAMARR_MODEL, std::string("Cannot load the model library: ") + dlerror() +
                                            ". Expected a shared library for this machine, as 'sqlamarr compile' or a "
                                            "C compiler makes it.");
    }
    SharedLibrary(const SharedLibrary &) = delete;
    SharedLibrary &operator=(const SharedLibrary &) = delete;
    ~SharedLibrary() { dlclose(handle_); }

    const std::string &path() const { return path_; }

    // A null pointer if there is no such function.
    template <class Function> Function find(const std::string &name) const {
        return reinterpret_cast<Function>(dlsym(handle_, name.c_str()));
    }
    template <class Function> Function get(const std::string &name) const {
        if (const auto function = find<Function>(name)) return function;
        throw Error(SQLAMARR_MODEL, "The library " + path_ + " has no function '" + name + "'. 'sqlamarr model " +
                                        path_ + "' shows those that it has.");
    }

private:
    std::string path_;
    void *handle_;
};

// Complain about a library built for another plugin interface.
void check_abi(int32_t found, const std::string &label);

// Per input, how many of n rows lie outside a model's range; zeros where it has none.
void count_outside(const float *low, const float *high, int64_t n, int n_in, const float *in, int64_t *counts);

} // namespace sqlamarr
