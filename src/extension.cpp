// Entry point of the loadable extension, and what is remembered per connection.
#include <sqlite3ext.h>
extern "C" {
SQLITE_EXTENSION_INIT1
}
#define SQLAMARR_EXTENSION_MAIN
#include "core/errors.h"
#include "sqlite/connection.h"

#include <memory>
#include <mutex>
#include <unordered_map>

namespace sqlamarr {

namespace {

std::mutex states_mutex;
std::unordered_map<sqlite3 *, std::unique_ptr<ConnectionState>> &states() {
    static auto *all = new std::unordered_map<sqlite3 *, std::unique_ptr<ConnectionState>>; // outlives every connection
    return *all;
}

// A scalar function whose only purpose is that SQLite destroys it with its connection.
void library_version(sqlite3_context *context, int, sqlite3_value **) {
    sqlite3_result_text(context, SQLAMARR_VERSION, -1, SQLITE_STATIC);
}

void forget_connection(void *db) {
    std::lock_guard<std::mutex> lock(states_mutex);
    states().erase(static_cast<sqlite3 *>(db));
}

ConnectionState *remember_connection(sqlite3 *db) {
    std::lock_guard<std::mutex> lock(states_mutex);
    auto &slot = states()[db];
    if (!slot) slot = std::make_unique<ConnectionState>();
    return slot.get();
}

bool is_remembered(sqlite3 *db) {
    std::lock_guard<std::mutex> lock(states_mutex);
    return states().count(db) != 0;
}

int register_all(sqlite3 *db, ConnectionState *state) {
    int rc = sqlite3_create_function_v2(db, "sqlamarr_version", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, db, library_version,
                                        nullptr, nullptr, forget_connection);
    if (rc == SQLITE_OK) rc = register_kinematic_functions(db);
    if (rc == SQLITE_OK) rc = register_random_functions(db, state);
    if (rc == SQLITE_OK) rc = register_column_reader(db);
    if (rc == SQLITE_OK) rc = register_column_writer(db);
    if (rc == SQLITE_OK) rc = register_column_tables(db, state);
    if (rc == SQLITE_OK) rc = register_required(db);
    return rc;
}

} // namespace

ConnectionState &connection_state(sqlite3 *db) {
    // Before the first load the table of SQLite's functions is empty: calling through it would crash.
    if (sqlite3_api == nullptr)
        throw Error(SQLAMARR_INTERNAL,
                    "libsqlamarr was not loaded as an extension into any connection of this process.");
    std::lock_guard<std::mutex> lock(states_mutex);
    const auto found = states().find(db);
    if (found == states().end()) throw Error(SQLAMARR_INTERNAL, "libsqlamarr was not loaded into this connection.");
    return *found->second;
}

void check_sql(sqlite3 *db, int rc, const char *doing) {
    if (rc == SQLITE_OK) return;
    std::string message = std::string(doing) + ": " + sqlite3_errmsg(db);
    if (rc == SQLITE_AUTH && !connection_state(db).denied.empty())
        message += ": a statement of a step or a user may not " + connection_state(db).denied;
    throw Error(SQLAMARR_SQL, message);
}

} // namespace sqlamarr

extern "C" SQLAMARR_API int sqlite3_sqlamarr_init(sqlite3 *db, char **message, const sqlite3_api_routines *api) {
    // One copy of this library serves one SQLite. A second one in the same process would redirect the
    // calls made for the first, so it is refused.
    if (sqlite3_api != nullptr && sqlite3_api != api) {
        if (message != nullptr)
            *message = api->mprintf("libsqlamarr is already in use by another SQLite library in this process; "
                                    "use that one's connections (sqlamarr.Database), or another process.");
        return SQLITE_ERROR;
    }
    SQLITE_EXTENSION_INIT2(api)
    if (sqlamarr::is_remembered(db)) return SQLITE_OK_LOAD_PERMANENTLY;
    int rc = SQLITE_NOMEM;
    try {
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
