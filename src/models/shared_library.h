// A shared library of compiled models, closed with the object.
#pragma once

#include "core/errors.h"

#include <dlfcn.h>
#include <memory>

namespace sqlamarr {

// What is loaded is a private copy of the file as it is now: a file that is written again, by another name or in
// place, neither gives its old code to who opens it next nor pulls the code from under who has it. One copy serves all
// who open the same file.
class SharedLibrary {
public:
    explicit SharedLibrary(const std::string &path);

    const std::string &path() const { return path_; }

    // A null pointer if there is no such function.
    template <class Function> Function find(const std::string &name) const {
        return reinterpret_cast<Function>(dlsym(handle_.get(), name.c_str()));
    }
    template <class Function> Function get(const std::string &name) const {
        if (const auto function = find<Function>(name)) return function;
        throw Error(SQLAMARR_MODEL, "The library " + path_ + " has no function '" + name + "'. 'sqlamarr model " +
                                        path_ + "' lists its functions.");
    }

private:
    std::string path_;
    std::shared_ptr<void> handle_;
};

// Complain about a library built for another plugin interface.
void check_abi(int32_t found, const std::string &label);

// Per input, how many of n rows lie outside a model's range; zeros where it has none.
void count_outside(const float *low, const float *high, int64_t n, int n_in, const float *in, int64_t *counts);

} // namespace sqlamarr
