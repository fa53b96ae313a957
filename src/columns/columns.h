// Tables in native memory: what readers fill, steps pass on and SQLite is fed from.
#pragma once

#include "sqlamarr.h"

#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace sqlamarr {

struct Column {
    std::string name;
    sqlamarr_type type;
    std::vector<int64_t> integers{}; // INT64; 0 where NULL
    std::vector<double> reals{};     // FLOAT64; NaN where NULL
    std::string bytes{};             // TEXT, all rows after one another
    std::vector<int64_t> offsets{};  // TEXT, rows + 1 of them
    std::vector<uint8_t> nulls{};    // empty: no NULL so far

    Column(std::string column_name, sqlamarr_type column_type) : name(std::move(column_name)), type(column_type) {
        if (type == SQLAMARR_TEXT) offsets.push_back(0);
    }

    int64_t rows() const {
        switch (type) {
        case SQLAMARR_INT64: return static_cast<int64_t>(integers.size());
        case SQLAMARR_FLOAT64: return static_cast<int64_t>(reals.size());
        default: return static_cast<int64_t>(offsets.size()) - 1;
        }
    }
    void reserve(size_t n) {
        switch (type) {
        case SQLAMARR_INT64: integers.reserve(n); break;
        case SQLAMARR_FLOAT64: reals.reserve(n); break;
        default: offsets.reserve(n + 1); break;
        }
    }
    void push(int64_t value) {
        integers.push_back(value);
        if (!nulls.empty()) nulls.push_back(0);
    }
    void push(double value) {
        reals.push_back(value);
        if (!nulls.empty()) nulls.push_back(0);
    }
    void push(std::string_view value) {
        bytes.append(value);
        offsets.push_back(static_cast<int64_t>(bytes.size()));
        if (!nulls.empty()) nulls.push_back(0);
    }
    void push_null() {
        if (nulls.empty()) nulls.assign(static_cast<size_t>(rows()), 0);
        switch (type) {
        case SQLAMARR_INT64: integers.push_back(0); break;
        case SQLAMARR_FLOAT64: reals.push_back(std::numeric_limits<double>::quiet_NaN()); break;
        default: offsets.push_back(static_cast<int64_t>(bytes.size())); break;
        }
        nulls.push_back(1);
    }
};

// A deque: references returned by add() stay valid while more columns are added.
struct Columns {
    std::deque<Column> columns;

    Column &add(std::string name, sqlamarr_type type) { return columns.emplace_back(std::move(name), type); }
    int64_t rows() const { return columns.empty() ? 0 : columns.front().rows(); }
};

} // namespace sqlamarr

struct sqlamarr_columns {
    sqlamarr::Columns table;
};
