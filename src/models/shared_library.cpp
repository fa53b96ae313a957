#include "models/shared_library.h"

#include "sqlamarr_plugin.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

namespace sqlamarr {

namespace {

using Library = std::shared_ptr<void>;
using Identity = std::tuple<std::string, dev_t, ino_t, off_t, int64_t>;

// A file that was written again is another one, even under the same name and with the same inode.
Identity identity_of(const std::string &path) {
    struct stat found = {};
    if (stat(path.c_str(), &found) != 0) return {path, 0, 0, 0, 0}; // the loader will say what is wrong
#ifdef __APPLE__
    const timespec &changed = found.st_ctimespec;
#else
    const timespec &changed = found.st_ctim;
#endif
    return {path, found.st_dev, found.st_ino, found.st_size, int64_t{changed.tv_sec} * 1'000'000'000 + changed.tv_nsec};
}

// Whether a library looks for others, or for its data, in its own folder: a copy would not find them.
bool asks_where_it_is(const std::string &content) {
    constexpr std::array words{"$ORIGIN", "@loader_path", "dladdr"};
    return std::ranges::any_of(words, [&](const char *word) { return content.find(word) != std::string::npos; });
}

// A file of its own that holds `content`; it vanishes with the object and whoever has mapped it.
struct Copy {
    int descriptor = -1;
    std::string name;

    explicit Copy(const std::string &content) {
#ifdef __linux__
        descriptor = memfd_create("sqlamarr-model", MFD_CLOEXEC); // needs no folder that allows execution
        name = "/proc/self/fd/" + std::to_string(descriptor);
#else
        name = (std::filesystem::temp_directory_path() / "sqlamarr-model-XXXXXX").string();
        descriptor = mkstemp(name.data());
#endif
        for (size_t done = 0; descriptor >= 0 && done < content.size();) {
            const ssize_t n = write(descriptor, content.data() + done, content.size() - done);
            if (n > 0)
                done += static_cast<size_t>(n);
            else
                discard();
        }
    }
    Copy(const Copy &) = delete;
    Copy &operator=(const Copy &) = delete;
    ~Copy() { discard(); }

    void discard() {
        if (descriptor < 0) return;
#ifndef __linux__
        unlink(name.c_str());
#endif
        close(descriptor);
        descriptor = -1;
    }
};

bool is_loaded(const std::string &name) {
    void *handle = dlopen(name.c_str(), RTLD_NOW | RTLD_NOLOAD);
    if (handle != nullptr) dlclose(handle);
    return handle != nullptr;
}

// Null if the library cannot be loaded from a copy.
Library load_copy(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    if (content.empty() || asks_where_it_is(content)) return nullptr;
    auto copy = std::make_unique<Copy>(content);
    void *handle = copy->descriptor < 0 ? nullptr : dlopen(copy->name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return nullptr;
    return {handle, [copy = copy.release()](void *loaded) {
                dlclose(loaded);
                // Some libraries stay for good. The loader knows them by name: no other may get it.
                if (!is_loaded(copy->name)) delete copy;
            }};
}

Library load_in_place(const std::string &path) {
    if (void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return {handle, dlclose};
    throw Error(SQLAMARR_MODEL, std::string("Cannot load the model library: ") + dlerror() +
                                    ". Expected a shared library for this machine, as made by 'sqlamarr compile' or a "
                                    "C compiler.");
}

Library load(const std::string &path) {
    static std::mutex mutex;
    static std::map<Identity, std::weak_ptr<void>> loaded;
    const std::scoped_lock lock(mutex);
    std::erase_if(loaded, [](const auto &known) { return known.second.expired(); });
    const auto identity = identity_of(path);
    if (const auto known = loaded.find(identity); known != loaded.end())
        if (Library library = known->second.lock()) return library;
    Library library = load_copy(path);
    if (library == nullptr) library = load_in_place(path);
    loaded[identity] = library;
    return library;
}

} // namespace

SharedLibrary::SharedLibrary(const std::string &path) : path_(path), handle_(load(path)) {}

void check_abi(int32_t found, const std::string &label) {
    if (found != SQLAMARR_PLUGIN_ABI)
        throw Error(SQLAMARR_MODEL, label + " was built for plugin interface " + std::to_string(found) + ", expected " +
                                        std::to_string(SQLAMARR_PLUGIN_ABI) + ". Compile it again.");
}

void count_outside(const float *low, const float *high, int64_t n, int n_in, const float *in, int64_t *counts) {
    for (int k = 0; k < n_in; ++k) counts[k] = 0;
    if (low == nullptr || high == nullptr) return;
    for (int64_t i = 0; i < n; ++i)
        for (int k = 0; k < n_in; ++k) {
            const float value = in[i * n_in + k];
            counts[k] += value < low[k] || value > high[k];
        }
}

} // namespace sqlamarr
