// Arguments and results of SQL functions, checked the same way everywhere.
#pragma once

#include "core/errors.h"
#include "core/portable_math.h"
#include "sqlite/connection.h"

#include <string>

namespace sqlamarr {

// What SQLite writes for a value; for NULL, and without memory for it, "?".
inline std::string text_of(sqlite3_value *value) {
    const auto *text = reinterpret_cast<const char *>(sqlite3_value_text(value));
    return text == nullptr ? "?" : text;
}

inline std::string describe(sqlite3_value *value) {
    switch (sqlite3_value_type(value)) {
    case SQLITE_NULL: return "NULL";
    case SQLITE_BLOB: return "a blob";
    case SQLITE_TEXT: return "the text '" + text_of(value) + "'";
    default: return text_of(value);
    }
}

[[noreturn]] inline void bad_argument(const char *function, const std::string &argument, const char *expected,
                                      sqlite3_value *found) {
    throw Error(SQLAMARR_SQL,
                std::string(function) + ": " + argument + " must be " + expected + ", found " + describe(found) + ".");
}

// Names are C strings: a std::string for each argument of each call would cost more than most functions compute.
inline int64_t integer_argument(const char *function, const char *argument, sqlite3_value *value) {
    if (sqlite3_value_type(value) != SQLITE_INTEGER) bad_argument(function, argument, "an integer", value);
    return sqlite3_value_int64(value);
}

inline bool any_null(int count, sqlite3_value **values) {
    for (int i = 0; i < count; ++i)
        if (sqlite3_value_type(values[i]) == SQLITE_NULL) return true;
    return false;
}

// Arguments that are all numbers. False: one of them is NULL, whatever the others are.
inline bool real_arguments(const char *function, const char *const *names, int count, sqlite3_value **values,
                           double *out) {
    for (int i = 0; i < count; ++i) {
        const int type = sqlite3_value_type(values[i]);
        if (type != SQLITE_FLOAT && type != SQLITE_INTEGER) {
            if (any_null(count, values)) return false;
            bad_argument(function, names[i], "a number", values[i]);
        }
        out[i] = sqlite3_value_double(values[i]);
    }
    return true;
}

// Infinity and NaN are never stored: what has no finite value is not applicable, NULL.
inline void result_finite(sqlite3_context *context, double value) {
    if (pm_abs(value) < PM_INF)
        sqlite3_result_double(context, value);
    else
        sqlite3_result_null(context);
}

// Run the body of an SQL function; what it throws becomes the statement's error.
template <class Body> void guard_sql(sqlite3_context *context, Body &&body) noexcept {
    try {
        body();
    } catch (const std::bad_alloc &) {
        sqlite3_result_error_nomem(context);
    } catch (const std::exception &error) {
        sqlite3_result_error(context, error.what(), -1);
    }
}

} // namespace sqlamarr
