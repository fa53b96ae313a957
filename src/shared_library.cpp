#include "shared_library.h"

#include "../plugins/sqlamarr_plugin.h"

namespace sqlamarr {

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
