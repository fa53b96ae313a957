// A connection into which the library was loaded: its state, and how SQLite is called.
#pragma once

#include <sqlite3ext.h>
// The calls of SQLite that this library makes go through this table, which the first load sets.
extern "C" {
extern const sqlite3_api_routines *sqlite3_api;
}

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sqlamarr {

struct TableContent; // columns/table.h

// What a connection remembers for our SQL functions; freed when the connection closes.
struct ConnectionState {
    bool random_active = false;
    uint64_t random_key = 0;
    uint64_t sequence = 0;                                         // position of random_uniform() and its like
    std::map<std::string, std::shared_ptr<TableContent>> tables{}; // what virtual tables over columns show
    bool readonly = false;                                         // its file cannot be written
    bool guarded = false;                                          // our authorizer is set
    int policy = 0;                                                // one of sqlamarr_policy
    std::vector<std::string> writable{};                           // tables that an untrusted statement may write
    std::string denied{};                                          // what the last refused statement tried to do
    bool recording = false;                                        // note what statements read
    std::set<std::string> read{};                                  // tables of "main" that they read
    std::string read_text{};                                       // these, as they were last asked for
};

// Take the calls of this SQLite from now on. False: another SQLite in the process has them already.
bool serve(const sqlite3_api_routines *api);

bool is_remembered(sqlite3 *db);
ConnectionState *remember_connection(sqlite3 *db);
void forget_connection(void *db); // for SQLite to call

// The state of a connection into which the library was loaded; throws if it was not.
ConnectionState &connection_state(sqlite3 *db);

// Throws Error(SQLAMARR_SQL) with SQLite's own message if rc is not SQLITE_OK.
void check_sql(sqlite3 *db, int rc, const char *doing);

} // namespace sqlamarr
