// Values of a query's result, one column: its type declared, or found as the values come.
#pragma once

#include "columns/columns.h"
#include "core/errors.h"
#include "sqlite/connection.h"

namespace sqlamarr {

class ColumnBuilder {
public:
    ColumnBuilder(std::string name, int declared)
        : column_(std::move(name), declared ? static_cast<sqlamarr_type>(declared) : SQLAMARR_FLOAT64),
          fixed_(declared != 0), known_(declared != 0) {}

    Column take() { return std::move(column_); }

    void reserve(size_t rows) { column_.reserve(rows); }

    // `value` is anything with type(), integer(), real() and text(), over sqlite3_value or a statement.
    template <class Value> void append(const Value &value) {
        const int type = value.type();
        if (type == SQLITE_NULL) {
            column_.push_null();
            return;
        }
        if (!known_) adopt(type);
        switch (type) {
        case SQLITE_INTEGER: append_integer(value.integer()); break;
        case SQLITE_FLOAT: append_real(value.real()); break;
        case SQLITE_TEXT: append_text(value.text()); break;
        default: refuse("a BLOB");
        }
    }

private:
    void adopt(int type) {
        known_ = true;
        if (type == SQLITE_FLOAT) return;
        const int64_t so_far = column_.rows();
        column_ = Column(column_.name, type == SQLITE_INTEGER ? SQLAMARR_INT64 : SQLAMARR_TEXT);
        for (int64_t row = 0; row < so_far; ++row) column_.push_null();
    }
    void append_integer(int64_t value) {
        if (column_.type == SQLAMARR_INT64)
            column_.push(value);
        else if (column_.type == SQLAMARR_FLOAT64)
            column_.push(static_cast<double>(value));
        else
            refuse("an INTEGER");
    }
    void append_real(double value) {
        if (column_.type == SQLAMARR_INT64) {
            if (!fixed_) {
                widen();
            } else if (value >= -0x1p63 && value < 0x1p63 &&
                       value == static_cast<double>(static_cast<int64_t>(value))) {
                column_.push(static_cast<int64_t>(value)); // as a column of SQLite's does
                return;
            }
        }
        if (column_.type != SQLAMARR_FLOAT64) refuse("a REAL");
        column_.push(value);
    }
    void append_text(std::string_view value) {
        if (column_.type != SQLAMARR_TEXT) refuse("a TEXT");
        column_.push(value);
    }
    void widen() {
        Column wide(column_.name, SQLAMARR_FLOAT64);
        for (size_t row = 0; row < column_.integers.size(); ++row) {
            if (!column_.nulls.empty() && column_.nulls[row])
                wide.push_null();
            else
                wide.push(static_cast<double>(column_.integers[row]));
        }
        column_ = std::move(wide);
    }
    [[noreturn]] void refuse(const char *found) const {
        const char *expected = column_.type == SQLAMARR_INT64  ? "INTEGER"
                               : column_.type == SQLAMARR_TEXT ? "TEXT"
                                                               : "REAL";
        throw Error(SQLAMARR_DATA, "Column \"" + column_.name + "\", row " + std::to_string(column_.rows() + 1) +
                                       ": expected " + expected + " or NULL, found " + found + " value.");
    }

    Column column_;
    bool fixed_;
    bool known_;
};

} // namespace sqlamarr
