// From the id of a vertex in the file to its index in the record.
#pragma once

#include "hepmc/record.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace sqlamarr::hepmc {

// Ids run from -1 down without large gaps in what generators write, so a plain table serves; else a sorted list.
class VertexIndex {
public:
    explicit VertexIndex(const Record &record) {
        const auto n = static_cast<int64_t>(record.vertices.size());
        const int64_t lowest = -(4 * n + 64);
        dense_ = std::all_of(record.vertices.begin(), record.vertices.end(),
                             [&](const Vertex &v) { return v.hepmc_id < 0 && v.hepmc_id >= lowest; });
        dense_ ? fill_table(record, lowest) : fill_list(record);
    }
    int32_t find(int64_t id) const {
        if (id >= 0) return none;
        if (dense_) {
            const int64_t slot = -(id + 1);
            return slot < static_cast<int64_t>(table_.size()) ? table_[static_cast<size_t>(slot)] : none;
        }
        const auto at = std::lower_bound(list_.begin(), list_.end(), std::pair<int64_t, int32_t>(id, 0));
        return at != list_.end() && at->first == id ? at->second : none;
    }

private:
    bool dense_ = true;
    std::vector<int32_t> table_;
    std::vector<std::pair<int64_t, int32_t>> list_;

    static void twice(const Record &record, int64_t id) {
        record.fail("vertex " + std::to_string(id) + " appears twice; ids of vertices must differ within a record");
    }
    void fill_table(const Record &record, int64_t lowest) {
        table_.assign(static_cast<size_t>(-lowest), none);
        for (size_t i = 0; i < record.vertices.size(); ++i) {
            int32_t &slot = table_[static_cast<size_t>(-(record.vertices[i].hepmc_id + 1))];
            if (slot != none) twice(record, record.vertices[i].hepmc_id);
            slot = static_cast<int32_t>(i);
        }
    }
    void fill_list(const Record &record) {
        for (size_t i = 0; i < record.vertices.size(); ++i)
            list_.emplace_back(record.vertices[i].hepmc_id, static_cast<int32_t>(i));
        std::sort(list_.begin(), list_.end());
        for (size_t i = 1; i < list_.size(); ++i) {
            if (list_[i].first == list_[i - 1].first) twice(record, list_[i].first);
        }
    }
};

} // namespace sqlamarr::hepmc
