// Tables that are columns: a virtual table over buffers in native memory. What a step has made is seen by
// the next one's SQL as it is, without a copy and without a B-tree.
#include "columns/table.h"
#include "columns/register.h"
#include "columns/value.h"
#include "sqlite/statement.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sqlamarr {

namespace {

struct Table : sqlite3_vtab {
    std::shared_ptr<TableContent> content{};
    std::vector<bool> is_integer{};
};

struct Cursor : sqlite3_vtab_cursor {
    const TableContent *content = nullptr;
    const int64_t *rows = nullptr; // null: as they stand
    int64_t position = 0, end = 0;
    std::vector<int64_t> found{}; // by a scan
    int64_t hint = 0;             // where the last lookup ended: the next is mostly a little further

    int64_t row() const { return rows ? rows[position] : position; }
};

constexpr double ROWS_OF_A_TABLE = 1048576; // what SQLite takes of its own tables without statistics
constexpr int ROWS_OF_A_TEXT = 65536;       // that have a value in a column of texts: a kind of things, no name
constexpr int SCANS_BEFORE_SORTING = 16;
constexpr int NOT_LOOKED_UP = 0; // idxNum: 1 + the column that is looked up, or this

// The arguments behind module, schema and name: the word `ascending` or nothing, then "name TYPE" for every column.
int connect_table(sqlite3 *db, void *state, int n, const char *const *words, sqlite3_vtab **out, char **message) {
    try {
        const bool ascending = n > 3 && std::string_view(words[3]) == "ascending";
        std::vector<std::string> declared(words + 3 + ascending, words + n);
        std::string declaration = "CREATE TABLE x(";
        for (size_t i = 0; i < declared.size(); ++i) declaration += (i ? "," : "") + declared[i];
        const int rc = sqlite3_declare_vtab(db, (declaration + ")").c_str());
        if (rc != SQLITE_OK) {
            *message = sqlite3_mprintf("%s", sqlite3_errmsg(db));
            return rc;
        }
        // It shows what its owner gave it and nothing else: views may use it.
        sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
        auto table = std::make_unique<Table>();
        for (const auto &column : declared) table->is_integer.push_back(column.ends_with(" INTEGER"));
        auto &slot = static_cast<ConnectionState *>(state)->tables[words[2]];
        if (!slot || slot->declared != declared || slot->ascending != ascending)
            slot = std::make_shared<TableContent>(TableContent{declared, ascending});
        table->content = slot;
        slot->vtab = table.get();
        *out = table.release();
        return SQLITE_OK;
    } catch (const std::exception &) {
        return SQLITE_NOMEM;
    }
}

int disconnect_table(sqlite3_vtab *base) {
    const std::unique_ptr<Table> table(static_cast<Table *>(base));
    if (table->content->vtab == table.get()) table->content->vtab = nullptr;
    return SQLITE_OK;
}

// Without a lookup the rows come as they stand, which is in the order of their ids.
void scan(const Table &table, sqlite3_index_info *info) {
    info->idxNum = NOT_LOOKED_UP;
    info->estimatedCost = ROWS_OF_A_TABLE;
    info->estimatedRows = static_cast<sqlite3_int64>(ROWS_OF_A_TABLE);
    info->orderByConsumed =
        table.content->ascending && info->nOrderBy == 1 && info->aOrderBy[0].iColumn == 0 && !info->aOrderBy[0].desc;
}

enum Lookup { NONE, TEXTS, INTEGERS };

Lookup lookup_of(const Table &table, sqlite3_index_info *info, int i) {
    const auto &constraint = info->aConstraint[i];
    if (!constraint.usable || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ || constraint.iColumn < 0) return NONE;
    if (table.is_integer[static_cast<size_t>(constraint.iColumn)]) return INTEGERS;
    const bool is_text = table.content->declared[static_cast<size_t>(constraint.iColumn)].ends_with(" TEXT");
    return is_text && std::string_view(sqlite3_vtab_collation(info, i)) == "BINARY" ? TEXTS : NONE;
}

// Rather by an integer than by a text, and rather by the first column, which mostly holds the id, than by others
// (event_id), which have several rows a value.
int best_index(sqlite3_vtab *base, sqlite3_index_info *info) {
    const auto *table = static_cast<Table *>(base);
    int chosen = -1;
    Lookup how = NONE;
    for (int i = 0; i < info->nConstraint; ++i) {
        const Lookup found = lookup_of(*table, info, i);
        const bool is_better =
            found > how || (found == how && info->aConstraint[i].iColumn < info->aConstraint[chosen].iColumn);
        if (found == NONE || !is_better) continue;
        chosen = i;
        how = found;
    }
    if (how == NONE) {
        scan(*table, info);
        return SQLITE_OK;
    }
    const int column = info->aConstraint[chosen].iColumn;
    info->idxNum = 1 + column;
    info->aConstraintUsage[chosen].argvIndex = 1;
    // Of integers, what is found is exact, and SQLite need not compare again; a text may also be equal to a number.
    info->aConstraintUsage[chosen].omit = how == INTEGERS;
    info->estimatedRows = how == TEXTS ? ROWS_OF_A_TEXT : column == 0 ? 1 : 10;
    info->estimatedCost = how == TEXTS ? ROWS_OF_A_TEXT : column == 0 ? 20 : 40;
    if (column == 0 && how == INTEGERS && table->content->ascending) info->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
    return SQLITE_OK;
}

int open(sqlite3_vtab *, sqlite3_vtab_cursor **out) {
    *out = new (std::nothrow) Cursor{};
    return *out == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

int close(sqlite3_vtab_cursor *cursor) {
    delete static_cast<Cursor *>(cursor);
    return SQLITE_OK;
}

void look_up_ascending(Cursor &cursor, const int64_t *values, int64_t n, int64_t wanted) {
    cursor.position = first_not_below(values, n, wanted, cursor.hint);
    cursor.end = cursor.position;
    while (cursor.end < n && values[cursor.end] == wanted) ++cursor.end;
    cursor.hint = std::min(cursor.position, n - 1);
}

void look_up_scanning(Cursor &cursor, const sqlamarr_column &column, int64_t n, int64_t wanted) {
    const auto *values = static_cast<const int64_t *>(column.data);
    cursor.found.clear();
    for (int64_t row = 0; row < n; ++row)
        if (values[row] == wanted && (column.nulls == nullptr || !column.nulls[row])) cursor.found.push_back(row);
    cursor.rows = cursor.found.data();
    cursor.end = static_cast<int64_t>(cursor.found.size());
}

void look_up_sorted(Cursor &cursor, const Index &index, const int64_t *values, int64_t wanted) {
    const auto smaller = [values](int64_t row, int64_t value) { return values[row] < value; };
    const auto first = std::lower_bound(index.rows.begin(), index.rows.end(), wanted, smaller);
    auto last = first;
    while (last != index.rows.end() && values[*last] == wanted) ++last;
    cursor.rows = index.rows.data();
    cursor.position = first - index.rows.begin();
    cursor.end = last - index.rows.begin();
}

void look_up(Cursor &cursor, TableContent &content, int number, int64_t wanted) {
    const sqlamarr_column &column = content.columns[static_cast<size_t>(number)];
    const auto *values = static_cast<const int64_t *>(column.data);
    Index &index = content.index(number);
    if (index.ascends) return look_up_ascending(cursor, values, content.rows, wanted);
    if (index.scans < SCANS_BEFORE_SORTING) {
        ++index.scans;
        return look_up_scanning(cursor, column, content.rows, wanted);
    }
    if (index.scans == SCANS_BEFORE_SORTING) { // once, though the order may be empty: all values NULL
        content.sort(index, number);
        ++index.scans;
    }
    look_up_sorted(cursor, index, values, wanted);
}

// The integer that a value is equal to, by SQLite's rules for a column of integers; nothing if there is none.
std::optional<int64_t> integer_of(sqlite3_value *value) {
    const int type = sqlite3_value_numeric_type(value);
    if (type == SQLITE_INTEGER) return sqlite3_value_int64(value);
    if (type != SQLITE_FLOAT) return std::nullopt;
    const double real = sqlite3_value_double(value);
    if (!(real >= -0x1p63 && real < 0x1p63) || real != std::trunc(real)) return std::nullopt;
    return static_cast<int64_t>(real);
}

std::string_view text_of(sqlite3_value *value) {
    const auto *bytes = reinterpret_cast<const char *>(sqlite3_value_text(value));
    return {bytes, static_cast<size_t>(sqlite3_value_bytes(value))};
}

void look_up_text(Cursor &cursor, const sqlamarr_column &column, int64_t n, std::string_view wanted) {
    const auto *bytes = static_cast<const char *>(column.data);
    cursor.found.clear();
    for (int64_t row = 0; row < n; ++row) {
        const auto length = static_cast<size_t>(column.offsets[row + 1] - column.offsets[row]);
        if (length == wanted.size() && std::string_view(bytes + column.offsets[row], length) == wanted &&
            (column.nulls == nullptr || !column.nulls[row]))
            cursor.found.push_back(row);
    }
    cursor.rows = cursor.found.data();
    cursor.end = static_cast<int64_t>(cursor.found.size());
}

int filter(sqlite3_vtab_cursor *base, int index, const char *, int, sqlite3_value **values) {
    auto *cursor = static_cast<Cursor *>(base);
    TableContent &content = *static_cast<Table *>(base->pVtab)->content;
    cursor->content = &content;
    cursor->rows = nullptr;
    cursor->position = 0;
    cursor->end = content.rows;
    if (index == NOT_LOOKED_UP || content.rows == 0) return SQLITE_OK;
    try {
        const sqlamarr_column &column = content.columns[static_cast<size_t>(index - 1)];
        if (column.type == SQLAMARR_TEXT) {
            if (sqlite3_value_type(values[0]) == SQLITE_TEXT)
                look_up_text(*cursor, column, content.rows, text_of(values[0]));
        } else if (const auto wanted = integer_of(values[0])) {
            look_up(*cursor, content, index - 1, *wanted);
        } else {
            cursor->end = 0;
        }
    } catch (const std::bad_alloc &) {
        return SQLITE_NOMEM;
    }
    return SQLITE_OK;
}

int next(sqlite3_vtab_cursor *cursor) {
    ++static_cast<Cursor *>(cursor)->position;
    return SQLITE_OK;
}

int eof(sqlite3_vtab_cursor *base) {
    const auto *cursor = static_cast<Cursor *>(base);
    return cursor->position >= cursor->end;
}

int column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index) {
    const auto *cursor = static_cast<Cursor *>(base);
    give_value(context, cursor->content->columns[static_cast<size_t>(index)], static_cast<size_t>(cursor->row()));
    return SQLITE_OK;
}

int rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out) {
    *out = static_cast<Cursor *>(cursor)->row() + 1;
    return SQLITE_OK;
}

const sqlite3_module &module() {
    static const sqlite3_module the_module = [] {
        sqlite3_module m{};
        m.xCreate = connect_table;
        m.xConnect = connect_table;
        m.xDisconnect = disconnect_table;
        m.xDestroy = disconnect_table;
        m.xBestIndex = best_index;
        m.xOpen = open;
        m.xClose = close;
        m.xFilter = filter;
        m.xNext = next;
        m.xEof = eof;
        m.xColumn = column;
        m.xRowid = rowid;
        return m;
    }();
    return the_module;
}

int type_of(const std::string &declaration) {
    if (declaration.ends_with(" INTEGER")) return SQLAMARR_INT64;
    return declaration.ends_with(" REAL") ? SQLAMARR_FLOAT64 : SQLAMARR_TEXT;
}

void set(sqlite3 *db, const std::string &name, const sqlamarr_column *columns, int n, int64_t rows) {
    auto &tables = connection_state(db).tables;
    const auto found = tables.find(name);
    if (found == tables.end()) throw Error(SQLAMARR_SQL, "There is no column table \"" + name + "\".");
    TableContent &content = *found->second;
    const size_t width = content.declared.size();
    if (static_cast<size_t>(n) != width)
        throw Error(SQLAMARR_DATA, "Table \"" + name + "\": expected " + std::to_string(width) + " columns, found " +
                                       std::to_string(n) + ".");
    for (size_t i = 0; i < width; ++i)
        if (columns[i].type != type_of(content.declared[i]))
            throw Error(SQLAMARR_DATA, "Table \"" + name + "\", column " + columns[i].name + ": expected " +
                                           content.declared[i] + ", found another type.");
    if (content.ascending) {
        const auto *ids = static_cast<const int64_t *>(columns[0].data);
        if (columns[0].nulls != nullptr || std::adjacent_find(ids, ids + rows, std::greater_equal<>()) != ids + rows)
            throw Error(SQLAMARR_DATA, "Table \"" + name + "\": the ids in " + columns[0].name + " do not ascend.");
    }
    content.columns.assign(columns, columns + n);
    content.rows = rows;
    content.indexes.clear();
}

} // namespace

int register_column_tables(sqlite3 *db, ConnectionState *state) {
    return sqlite3_create_module_v2(db, "sqlamarr_table", &module(), state, nullptr);
}

} // namespace sqlamarr

int sqlamarr_table_set(sqlite3 *db, const char *table, const sqlamarr_column *columns, int n_columns, int64_t rows) {
    return sqlamarr::guard([&] { sqlamarr::set(db, table, columns, n_columns, rows); });
}
