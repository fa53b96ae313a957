// The random numbers of one generated collision, in the order of their use.
#pragma once

#include "random/philox.h"

namespace sqlamarr::gun {

class Draws {
public:
    Draws(uint64_t key, int64_t id, uint32_t stream) : key_(key), id_(static_cast<uint64_t>(id)), stream_(stream) {}

    // In the open interval (0, 1); two from every block.
    double uniform() {
        second_ = !second_;
        if (second_) {
            values_ = philox_block(key_, id_, block_++, stream_);
            return philox_uniform(values_);
        }
        return philox_uniform({values_[2], values_[3], 0, 0});
    }

private:
    uint64_t key_, id_;
    uint32_t stream_, block_ = 0;
    bool second_ = false;
    PhiloxBlock values_{};
};

} // namespace sqlamarr::gun
