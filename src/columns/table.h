// The content of a column table, for code that reads it without SQL.
#pragma once

#include "sqlamarr.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sqlamarr {

// How a column is looked up: by bisection if its values ascend; else by scanning, and by an order of its rows as soon
// as that has become worth while.
struct Index {
    bool ascends = false;
    int scans = 0;
    std::vector<int64_t> rows{}; // by ascending value, without those that are NULL
};

struct TableContent {
    std::vector<std::string> declared{}; // "name TYPE" for every column, the name quoted
    bool ascending = false;              // the first column is an id, and the rows ascend by it
    const void *vtab = nullptr;          // SQLite's handle of the table; null if it no longer exists
    std::vector<sqlamarr_column> columns{};
    int64_t rows = 0;
    std::map<int, Index> indexes{}; // of columns that were looked up since the rows are here

    Index &index(int column) {
        const auto [place, is_new] = indexes.try_emplace(column);
        if (is_new) place->second.ascends = ascends(columns[static_cast<size_t>(column)]);
        return place->second;
    }

    void sort(Index &index, int number) const {
        const sqlamarr_column &column = columns[static_cast<size_t>(number)];
        const auto *values = static_cast<const int64_t *>(column.data);
        for (int64_t row = 0; row < rows; ++row)
            if (column.nulls == nullptr || !column.nulls[row]) index.rows.push_back(row);
        std::stable_sort(index.rows.begin(), index.rows.end(),
                         [values](int64_t a, int64_t b) { return values[a] < values[b]; });
    }

private:
    bool ascends(const sqlamarr_column &column) const {
        const auto *values = static_cast<const int64_t *>(column.data);
        return column.nulls == nullptr && std::is_sorted(values, values + rows);
    }
};

// The first of `n` ascending values that is not below `wanted`, searched from `hint` on in growing steps.
inline int64_t first_not_below(const int64_t *values, int64_t n, int64_t wanted, int64_t hint) {
    int64_t low = 0, high = n;
    if (hint < n && values[hint] < wanted) {
        int64_t step = 1;
        low = hint + 1;
        while (low + step < n && values[low + step] < wanted) {
            low += step + 1;
            step *= 2;
        }
        high = std::min(n, low + step + 1);
    } else if (hint < n) {
        high = hint + 1; // values[hint] is not below it: it, or one before
        if (hint == 0 || values[hint - 1] < wanted) return hint;
    }
    return std::lower_bound(values + low, values + high, wanted) - values;
}

} // namespace sqlamarr
