#include "sqlite/connection.h"

extern "C" {
SQLITE_EXTENSION_INIT1
}

#include "core/errors.h"

#include <memory>
#include <mutex>
#include <unordered_map>

namespace sqlamarr {

namespace {

// Guards the states of connections, and the table of SQLite's functions until it is set: it never changes after that.
std::mutex mutex;

std::unordered_map<sqlite3 *, std::unique_ptr<ConnectionState>> &states() {
    static auto *all = new std::unordered_map<sqlite3 *, std::unique_ptr<ConnectionState>>; // outlives every connection
    return *all;
}

} // namespace

bool serve(const sqlite3_api_routines *api) {
    const std::scoped_lock lock(mutex);
    if (sqlite3_api == nullptr) sqlite3_api = api;
    return sqlite3_api == api;
}

bool is_remembered(sqlite3 *db) {
    const std::scoped_lock lock(mutex);
    return states().contains(db);
}

ConnectionState *remember_connection(sqlite3 *db) {
    const std::scoped_lock lock(mutex);
    auto &slot = states()[db];
    if (!slot) slot = std::make_unique<ConnectionState>();
    return slot.get();
}

void forget_connection(void *db) {
    const std::scoped_lock lock(mutex);
    states().erase(static_cast<sqlite3 *>(db));
}

ConnectionState &connection_state(sqlite3 *db) {
    const std::scoped_lock lock(mutex);
    // Before the first load the table of SQLite's functions is empty: calling through it would crash.
    if (sqlite3_api == nullptr)
        throw Error(SQLAMARR_INTERNAL,
                    "libsqlamarr was not loaded as an extension into any connection of this process.");
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
