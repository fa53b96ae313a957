// sqlamarr_required(value, name): the value, or an error if it is NULL. SQLite gives a row whose INTEGER PRIMARY KEY is
// NULL an id of its own making; steps wrap their keys in this function.
#include "sqlite/connection.h"

#include <string>

namespace sqlamarr {

namespace {

void required(sqlite3_context *context, int, sqlite3_value **values) {
    if (sqlite3_value_type(values[0]) != SQLITE_NULL) {
        sqlite3_result_value(context, values[0]);
        return;
    }
    const auto *name = reinterpret_cast<const char *>(sqlite3_value_text(values[1]));
    const std::string message = std::string("the key column ") + (name ? name : "?") + " is NULL in a row of the query";
    sqlite3_result_error(context, message.c_str(), -1);
}

} // namespace

int register_required(sqlite3 *db) {
    return sqlite3_create_function_v2(db, "sqlamarr_required", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, nullptr, required,
                                      nullptr, nullptr, nullptr);
}

} // namespace sqlamarr
