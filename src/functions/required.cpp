// sqlamarr_required(value, name): the value, or an error if it is NULL. SQLite gives a row whose INTEGER PRIMARY KEY is
// NULL an id of its own making; steps wrap their keys in this function.
#include "functions/register.h"
#include "functions/values.h"

namespace sqlamarr {

namespace {

void required(sqlite3_context *context, int, sqlite3_value **values) {
    guard_sql(context, [&] {
        if (sqlite3_value_type(values[0]) == SQLITE_NULL)
            throw Error(SQLAMARR_SQL, "the key column " + text_of(values[1]) + " is NULL in a row of the query");
        sqlite3_result_value(context, values[0]);
    });
}

} // namespace

int register_required(sqlite3 *db) {
    return sqlite3_create_function_v2(db, "sqlamarr_required", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, nullptr, required,
                                      nullptr, nullptr, nullptr);
}

} // namespace sqlamarr
