// Entry point of the loadable extension.
#include "columns/register.h"
#include "functions/register.h"
#include "sqlamarr.h"
#include "sqlite/connection.h"

#include <exception>

namespace sqlamarr {

namespace {

// A scalar function; SQLite destroys it with its connection, which is then forgotten.
void library_version(sqlite3_context *context, int, sqlite3_value **) {
    sqlite3_result_text(context, SQLAMARR_VERSION, -1, SQLITE_STATIC);
}

int register_all(sqlite3 *db, ConnectionState *state) {
    int rc = sqlite3_create_function_v2(db, "sqlamarr_version", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, db, library_version,
                                        nullptr, nullptr, forget_connection);
    if (rc == SQLITE_OK) rc = register_kinematic_functions(db);
    if (rc == SQLITE_OK) rc = register_random_functions(db, state);
    if (rc == SQLITE_OK) rc = register_required(db);
    if (rc == SQLITE_OK) rc = register_column_reader(db);
    if (rc == SQLITE_OK) rc = register_column_writer(db);
    if (rc == SQLITE_OK) rc = register_column_tables(db, state);
    return rc;
}

} // namespace

} // namespace sqlamarr

extern "C" SQLAMARR_API int sqlite3_sqlamarr_init(sqlite3 *db, char **message, const sqlite3_api_routines *api) {
    // One copy of this library serves one SQLite. A second one in the same process would redirect the
    // calls made for the first, so it is refused.
    if (!sqlamarr::serve(api)) {
        if (message != nullptr)
            *message = api->mprintf("libsqlamarr is already in use by another SQLite library in this process; "
                                    "use the connections of that one (sqlamarr.Database), or another process.");
        return SQLITE_ERROR;
    }
    int rc = SQLITE_NOMEM;
    try {
        if (sqlamarr::is_remembered(db)) return SQLITE_OK_LOAD_PERMANENTLY;
        rc = sqlamarr::register_all(db, sqlamarr::remember_connection(db));
    } catch (const std::exception &) {
        rc = SQLITE_NOMEM;
    }
    if (rc != SQLITE_OK) {
        if (message != nullptr) *message = sqlite3_mprintf("libsqlamarr: %s", sqlite3_errmsg(db));
        return rc;
    }
    return SQLITE_OK_LOAD_PERMANENTLY;
}
