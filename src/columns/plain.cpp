#include "columns/plain.h"

#include "columns/table.h"
#include "sqlite/statement.h"

#include <map>

namespace sqlamarr {

namespace {

std::string text_of(sqlite3_stmt *statement, int column) {
    const auto *text = reinterpret_cast<const char *>(sqlite3_column_text(statement, column));
    return text == nullptr ? "" : text;
}

// SQLite tells of a compound query, which may be hidden in a view, where the columns of one of its parts come from, and
// of a subquery in place of a value where the value comes from, though there may be none.
bool is_seen_through(sqlite3 *db, const std::string &sql) {
    enum { DETAIL = 3 };
    Statement plan(db, "EXPLAIN QUERY PLAN " + sql, "Query");
    while (plan.step("Query")) {
        const std::string detail = text_of(plan.get(), DETAIL);
        for (const char *begin : {"COMPOUND", "MERGE", "RECURSIVE", "CORRELATED SCALAR"})
            if (detail.starts_with(begin)) return true;
    }
    return false;
}

int column_of(const TableContent &table, const char *name) {
    const std::string begin = quote_identifier(name) + " ";
    for (size_t i = 0; i < table.declared.size(); ++i)
        if (table.declared[i].starts_with(begin)) return static_cast<int>(i);
    return -1;
}

bool fits(const TableContent &table, int column, int type) {
    const std::string &declared = table.declared[static_cast<size_t>(column)];
    if (declared.ends_with(" INTEGER")) return type == SQLAMARR_INT64 || type == SQLAMARR_FLOAT64;
    return type == (declared.ends_with(" REAL") ? SQLAMARR_FLOAT64 : SQLAMARR_TEXT);
}

// Where SQLite says that a result column comes from.
PlainColumn origin_of(const ConnectionState &state, sqlite3_stmt *statement, int i) {
    const char *database = sqlite3_column_database_name(statement, i);
    const char *table = sqlite3_column_table_name(statement, i);
    const char *column = sqlite3_column_origin_name(statement, i);
    if (database == nullptr || table == nullptr || column == nullptr || std::string(database) != "main") return {};
    if (std::string(column) == "rowid") return {}; // a row's place, unless a column is called so
    const auto found = state.tables.find(table);
    if (found == state.tables.end() || !found->second->ascending) return {};
    const int number = column_of(*found->second, column);
    return number < 0 ? PlainColumn{} : PlainColumn{found->second, number};
}

// The tables that a query's program opens, and how often it opens each; none if it uses an intermediate result twice,
// which brings one row of a table beside another.
std::map<std::string, int> opened_by(sqlite3 *db, const std::string &sql) {
    enum { OPCODE = 1, P4 = 5 };
    Statement program(db, "EXPLAIN " + sql, "Query");
    std::map<std::string, int> opened;
    while (program.step("Query")) {
        const std::string opcode = text_of(program.get(), OPCODE);
        if (opcode == "OpenDup") return {};
        if (opcode == "VOpen") ++opened[text_of(program.get(), P4)];
    }
    return opened;
}

std::string name_in_program(const TableContent &table) {
    const std::unique_ptr<char, void (*)(void *)> name(sqlite3_mprintf("vtab:%p", table.vtab), sqlite3_free);
    return name ? name.get() : "";
}

// For every id the row that has it; -1 where the id is NULL.
struct Places {
    std::vector<int64_t> rows;
    bool has_null = false; // an id
    bool is_piece = true;  // of the table: its rows one after another
};

Places places_of(const TableContent &table, const Column &ids) {
    Places places{std::vector<int64_t>(ids.integers.size(), -1)};
    const auto *known = table.rows ? static_cast<const int64_t *>(table.columns.front().data) : nullptr;
    int64_t hint = 0;
    for (size_t i = 0; i < places.rows.size(); ++i) {
        if (!ids.nulls.empty() && ids.nulls[i]) {
            places.has_null = true;
            continue;
        }
        const int64_t row = first_not_below(known, table.rows, ids.integers[i], hint);
        if (known == nullptr || row == table.rows || known[row] != ids.integers[i])
            throw Error(SQLAMARR_INTERNAL, "Column \"" + ids.name + "\": the id " + std::to_string(ids.integers[i]) +
                                               " of the result is not in its table.");
        places.rows[i] = row;
        places.is_piece = places.is_piece && row == places.rows[0] + static_cast<int64_t>(i);
        hint = std::min(row + 1, table.rows - 1);
    }
    return places;
}

bool is_null(const sqlamarr_column &from, int64_t row) { return row < 0 || (from.nulls != nullptr && from.nulls[row]); }

std::string_view text_at(const sqlamarr_column &from, int64_t row) {
    return {static_cast<const char *>(from.data) + from.offsets[row],
            static_cast<size_t>(from.offsets[row + 1] - from.offsets[row])};
}

void fill_one_by_one(Column &to, const sqlamarr_column &from, const std::vector<int64_t> &rows) {
    const auto *integers = static_cast<const int64_t *>(from.data);
    const auto *reals = static_cast<const double *>(from.data);
    to.reserve(rows.size());
    for (const int64_t row : rows) {
        if (is_null(from, row))
            to.push_null();
        else if (to.type == SQLAMARR_TEXT)
            to.push(text_at(from, row));
        else if (to.type == SQLAMARR_INT64)
            to.push(integers[row]);
        else
            to.push(from.type == SQLAMARR_INT64 ? static_cast<double>(integers[row]) : reals[row]);
    }
}

// Numbers without NULL.
template <class From, class To> void copy_numbers(std::vector<To> &to, const void *data, const Places &places) {
    const auto *values = static_cast<const From *>(data);
    if (places.is_piece) {
        values += places.rows.front();
        to.assign(values, values + places.rows.size());
        return;
    }
    to.reserve(places.rows.size());
    for (const int64_t row : places.rows) to.push_back(static_cast<To>(values[row]));
}

void fill(Column &to, const sqlamarr_column &from, const Places &places) {
    if (places.rows.empty()) return;
    if (places.has_null || from.nulls != nullptr || from.type == SQLAMARR_TEXT)
        fill_one_by_one(to, from, places.rows);
    else if (to.type == SQLAMARR_INT64)
        copy_numbers<int64_t>(to.integers, from.data, places);
    else if (from.type == SQLAMARR_INT64)
        copy_numbers<int64_t>(to.reals, from.data, places);
    else
        copy_numbers<double>(to.reals, from.data, places);
}

} // namespace

PlainColumns find_plain_columns(sqlite3 *db, sqlite3_stmt *statement, const std::string &sql, const int *types) {
    const int n = sqlite3_column_count(statement);
    PlainColumns plain(static_cast<size_t>(n));
    if (types == nullptr || sqlite3_api->column_table_name == nullptr) return plain;
    const ConnectionState &state = connection_state(db);
    std::map<const TableContent *, int> ids; // by table the result column that has its id
    for (int i = 0; i < n; ++i) {
        PlainColumn &column = plain[static_cast<size_t>(i)];
        column = origin_of(state, statement, i);
        if (column.table && column.column == 0 && types[i] == SQLAMARR_INT64) ids.emplace(column.table.get(), i);
    }
    const bool may_be = !ids.empty() && !is_seen_through(db, sql);
    const auto opened = may_be ? opened_by(db, sql) : std::map<std::string, int>{};
    for (int i = 0; i < n; ++i) {
        PlainColumn &column = plain[static_cast<size_t>(i)];
        if (!column.table) continue;
        const auto id = ids.find(column.table.get());
        const auto times = opened.find(name_in_program(*column.table));
        const bool is_plain = id != ids.end() && id->second != i && times != opened.end() && times->second == 1 &&
                              fits(*column.table, column.column, types[i]);
        if (is_plain)
            column.id_column = id->second;
        else
            column.table.reset();
    }
    return plain;
}

void add_plain_columns(const PlainColumns &plain, std::deque<Column> &result) {
    std::map<const TableContent *, Places> places;
    for (size_t i = 0; i < plain.size(); ++i) {
        const TableContent *table = plain[i].table.get();
        if (table == nullptr) continue;
        if (table->vtab == nullptr)
            throw Error(SQLAMARR_SQL,
                        "A table was dropped or recreated after the query was prepared. Prepare the query again.");
        const auto [found, is_new] = places.try_emplace(table);
        if (is_new) found->second = places_of(*table, result[static_cast<size_t>(plain[i].id_column)]);
        fill(result[i], table->columns[static_cast<size_t>(plain[i].column)], found->second);
    }
}

} // namespace sqlamarr
