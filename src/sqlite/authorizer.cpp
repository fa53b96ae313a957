// The permissions of a statement depend on its origin. SQLite calls this authorizer while it prepares a statement.
#include "core/errors.h"
#include "sqlite/connection.h"

#include <algorithm>
#include <array>
#include <string>

namespace sqlamarr {

namespace {

// Read-only pragmas, which list what exists and change nothing.
constexpr std::array HARMLESS = {
    "table_info",       "table_xinfo",       "table_list",    "index_list",    "index_info",  "index_xinfo",
    "foreign_key_list", "foreign_key_check", "database_list", "function_list", "module_list", "collation_list",
    "compile_options",  "integrity_check",   "quick_check",   "pragma_list",   "data_version"};

// Functions whose answer is not the same every time. Who writes results may not use them; who reads them may. Those of
// dates are refused as a whole: each takes 'now', which may come from a row, and a simulation has no dates. The last
// three tell what the connection has written before, that is, how large the batches are.
constexpr std::array CHANGING = {"random",   "randomblob", "current_time", "current_date",  "current_timestamp",
                                 "date",     "time",       "datetime",     "julianday",     "unixepoch",
                                 "strftime", "timediff",   "changes",      "total_changes", "last_insert_rowid"};

bool same(const char *one, const char *other) { return sqlite3_stricmp(one, other) == 0; }

bool is_temporary(const char *schema) { return schema != nullptr && same(schema, "temp"); }

bool is_catalogue(const char *table) {
    return same(table, "sqlite_master") || same(table, "sqlite_schema") || same(table, "sqlite_sequence");
}

int deny(ConnectionState &state, const std::string &what) {
    state.denied = what;
    return SQLITE_DENY;
}

std::string listed(const std::vector<std::string> &names) {
    std::string text;
    for (const auto &name : names) text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? text : text + " and ";
}

int write(ConnectionState &state, const char *table, const char *schema) {
    if (is_temporary(schema)) return SQLITE_OK;
    if (is_catalogue(table) && state.policy == SQLAMARR_DECLARING) return SQLITE_OK;
    const bool own = same(schema ? schema : "", "main") &&
                     std::any_of(state.writable.begin(), state.writable.end(),
                                 [table](const std::string &name) { return same(name.c_str(), table); });
    if (own) return SQLITE_OK;
    if (is_catalogue(table)) return deny(state, "create or drop anything that is not temporary");
    return deny(state, "write to " + std::string(table) + ", only to " + listed(state.writable) + "temporary tables");
}

int pragma(ConnectionState &state, const char *name) {
    const bool harmless =
        std::any_of(HARMLESS.begin(), HARMLESS.end(), [name](const char *known) { return same(known, name); });
    return harmless ? SQLITE_OK : deny(state, "use PRAGMA " + std::string(name));
}

int call(ConnectionState &state, const char *function) {
    if (same(function, "load_extension")) return deny(state, "load an extension");
    const bool changing =
        std::any_of(CHANGING.begin(), CHANGING.end(), [function](const char *known) { return same(function, known); });
    if (!changing || state.readonly) return SQLITE_OK;
    return deny(state, "call " + std::string(function)); // SQLite names the function itself
}

int make(ConnectionState &state, const char *what, const char *name) {
    if (state.policy == SQLAMARR_DECLARING) return SQLITE_OK;
    return deny(state, std::string("create or drop ") + what + " " + (name ? name : "") + ", except temporary ones");
}

const char *name_of(int action) {
    switch (action) {
    case SQLITE_ATTACH: return "ATTACH a database, which VACUUM also does";
    case SQLITE_DETACH: return "DETACH a database";
    case SQLITE_ALTER_TABLE: return "alter a table";
    case SQLITE_TRANSACTION: return "begin or end a transaction";
    case SQLITE_SAVEPOINT: return "set or release a savepoint";
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_CREATE_TEMP_TRIGGER: return "create a trigger";
    case SQLITE_CREATE_VTABLE:
    case SQLITE_DROP_VTABLE: return "create or drop a virtual table";
    default: return "do that";
    }
}

int judge(ConnectionState &state, int action, const char *one, const char *two, const char *schema) {
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_VIEW:
    case SQLITE_DROP_TEMP_TABLE:
    case SQLITE_DROP_TEMP_INDEX:
    case SQLITE_DROP_TEMP_VIEW: return SQLITE_OK;
    case SQLITE_FUNCTION: return call(state, two);
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE: return write(state, one, schema);
    case SQLITE_PRAGMA: return pragma(state, one);
    case SQLITE_REINDEX: return is_temporary(schema) ? SQLITE_OK : make(state, "index", one);
    case SQLITE_CREATE_TABLE: return make(state, "table", one);
    case SQLITE_CREATE_INDEX: return make(state, "index", one);
    case SQLITE_CREATE_VIEW: return make(state, "view", one);
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_INDEX:
    case SQLITE_DROP_VIEW: return deny(state, "drop " + std::string(one));
    default: return deny(state, name_of(action));
    }
}

// Where a statement asks for no column of a table (count(*), EXISTS), SQLite names no schema.
void note_read(ConnectionState &state, const char *table, const char *schema) {
    if (schema == nullptr || same(schema, "main")) state.read.insert(table);
}

int authorize(void *data, int action, const char *one, const char *two, const char *schema, const char *) {
    auto &state = *static_cast<ConnectionState *>(data);
    try {
        if (state.recording && action == SQLITE_READ && one != nullptr) note_read(state, one, schema);
        if (state.policy == SQLAMARR_TRUSTED) return SQLITE_OK;
        return judge(state, action, one ? one : "", two ? two : "", schema);
    } catch (const std::exception &) {
        return SQLITE_DENY;
    }
}

// Not before it is wanted: in the sqlite3 shell the place belongs to the shell.
void guard_statements(sqlite3 *db, ConnectionState &state) {
    if (state.guarded) return;
    check_sql(db, sqlite3_set_authorizer(db, authorize, &state), "Setting the authorizer");
    state.guarded = true;
}

} // namespace

} // namespace sqlamarr

extern "C" {

SQLAMARR_API int sqlamarr_set_policy(sqlite3 *db, int policy, const char *const *writable, int n_writable) {
    return sqlamarr::guard([&] {
        sqlamarr::ConnectionState &state = sqlamarr::connection_state(db);
        sqlamarr::guard_statements(db, state);
        state.policy = policy;
        state.readonly = sqlite3_db_readonly(db, "main") == 1;
        state.writable.assign(writable, writable + n_writable);
        state.denied.clear();
    });
}

SQLAMARR_API const char *sqlamarr_denied(sqlite3 *db) {
    const char *text = "";
    sqlamarr::guard([&] { text = sqlamarr::connection_state(db).denied.c_str(); });
    return text;
}

SQLAMARR_API int sqlamarr_record_reads(sqlite3 *db, int on) {
    return sqlamarr::guard([&] {
        sqlamarr::ConnectionState &state = sqlamarr::connection_state(db);
        sqlamarr::guard_statements(db, state);
        state.recording = on != 0;
        if (on) state.read.clear();
    });
}

SQLAMARR_API const char *sqlamarr_tables_read(sqlite3 *db) {
    const char *text = "";
    sqlamarr::guard([&] {
        sqlamarr::ConnectionState &state = sqlamarr::connection_state(db);
        state.read_text.clear();
        for (const auto &name : state.read) state.read_text += name + "\n";
        text = state.read_text.c_str();
    });
    return text;
}
}
