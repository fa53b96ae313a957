// What each part of the library registers on a connection.
#pragma once

// Only extension.cpp defines the table of SQLite's functions (SQLITE_EXTENSION_INIT1).
#ifndef SQLAMARR_EXTENSION_MAIN
#include <sqlite3ext.h>
extern "C" {
extern const sqlite3_api_routines *sqlite3_api;
}
#else
#include <sqlite3ext.h>
#endif

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sqlamarr {

struct TableContent; // columns/table.cpp

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
    std::string denied{};                                          // what the last refused statement wanted
    bool recording = false;                                        // note what statements read
    std::set<std::string> read{};                                  // tables of "main" that they read
    std::string read_text{};                                       // these, as they were last asked for
};

// The state of a connection into which the library was loaded; throws if it was not.
ConnectionState &connection_state(sqlite3 *db);

// Throws Error(SQLAMARR_SQL) with SQLite's own message if rc is not SQLITE_OK.
void check_sql(sqlite3 *db, int rc, const char *doing);

int register_kinematic_functions(sqlite3 *db);                      // functions/kinematics.cpp
int register_random_functions(sqlite3 *db, ConnectionState *state); // functions/random.cpp
int register_column_reader(sqlite3 *db);                            // columns/reader.cpp
int register_required(sqlite3 *db);                                 // functions/required.cpp
int register_column_writer(sqlite3 *db);                            // columns/writer.cpp
int register_column_tables(sqlite3 *db, ConnectionState *state);    // columns/table.cpp

} // namespace sqlamarr
