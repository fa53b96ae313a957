// Query results into columns: through an aggregate function that sees every row ("sink"), which is
// more than twice as fast as stepping, or by stepping where a statement cannot be wrapped so.
#include "columns/builder.h"
#include "columns/plain.h"
#include "columns/register.h"
#include "sqlite/statement.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace sqlamarr {

namespace {

constexpr char POINTER_TYPE[] = "sqlamarr_reader";
constexpr size_t ROOM = 32; // a result may have one row more in so many than the last

using Builders = std::vector<ColumnBuilder>;

// The columns that the sink fills. An error is kept here, because SQLite keeps only its text.
struct Reader {
    std::vector<ColumnBuilder *> columns{};
    std::optional<Error> failure{};
};

struct ArgumentValue {
    sqlite3_value *value;
    int type() const { return sqlite3_value_type(value); }
    int64_t integer() const { return sqlite3_value_int64(value); }
    double real() const { return sqlite3_value_double(value); }
    std::string_view text() const {
        const auto *bytes = reinterpret_cast<const char *>(sqlite3_value_text(value));
        return {bytes, static_cast<size_t>(sqlite3_value_bytes(value))};
    }
};

struct ResultValue {
    sqlite3_stmt *statement;
    int index;
    int type() const { return sqlite3_column_type(statement, index); }
    int64_t integer() const { return sqlite3_column_int64(statement, index); }
    double real() const { return sqlite3_column_double(statement, index); }
    std::string_view text() const {
        const auto *bytes = reinterpret_cast<const char *>(sqlite3_column_text(statement, index));
        return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement, index))};
    }
};

void sink_step(sqlite3_context *context, int n, sqlite3_value **values) {
    auto *reader = n > 0 ? static_cast<Reader *>(sqlite3_value_pointer(values[0], POINTER_TYPE)) : nullptr;
    if (reader == nullptr || static_cast<int>(reader->columns.size()) != n - 1) {
        sqlite3_result_error(context, "sqlamarr_sink is only for internal use", -1);
        return;
    }
    try {
        for (int i = 1; i < n; ++i) reader->columns[static_cast<size_t>(i - 1)]->append(ArgumentValue{values[i]});
    } catch (const Error &error) {
        reader->failure = error;
        sqlite3_result_error(context, error.what(), -1);
    } catch (const std::exception &) {
        sqlite3_result_error_nomem(context);
    }
}

void sink_final(sqlite3_context *context) { sqlite3_result_null(context); }

void bind_value(sqlite3_stmt *statement, int index, const sqlamarr_value &value) {
    switch (value.type) {
    case SQLAMARR_INT64: sqlite3_bind_int64(statement, index, value.integer); break;
    case SQLAMARR_FLOAT64: sqlite3_bind_double(statement, index, value.real); break;
    case SQLAMARR_TEXT:
        sqlite3_bind_text64(statement, index, value.text, static_cast<sqlite3_uint64>(value.length), SQLITE_TRANSIENT,
                            SQLITE_UTF8);
        break;
    default: sqlite3_bind_null(statement, index);
    }
}

int parameter_index(sqlite3_stmt *statement, const char *name) {
    for (const char *prefix : {":", "@", "$"})
        if (const int index = sqlite3_bind_parameter_index(statement, (std::string(prefix) + name).c_str()))
            return index;
    return 0;
}

// `n_parameters` are the query's own; the sink adds an internal one after them.
void bind_values(sqlite3_stmt *statement, int n_parameters, const sqlamarr_value *values, int n_values) {
    std::set<int> bound;
    for (int i = 0; i < n_values; ++i) {
        const int index = values[i].name ? parameter_index(statement, values[i].name) : i + 1;
        if (!values[i].name && index > n_parameters)
            throw Error(SQLAMARR_SQL, "The statement has " + std::to_string(n_parameters) + " parameters, found " +
                                          std::to_string(n_values) + " values.");
        if (index > 0 && bound.insert(index).second) bind_value(statement, index, values[i]);
    }
    for (int index = 1; index <= n_parameters; ++index)
        if (!bound.contains(index)) {
            const char *name = sqlite3_bind_parameter_name(statement, index);
            throw Error(SQLAMARR_SQL, std::string("There is no value for the parameter ") +
                                          (name ? name : "number " + std::to_string(index)) + ".");
        }
}

Builders builders_for(sqlite3_stmt *statement, const int *types) {
    Builders builders;
    std::set<std::string> names;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        std::string name = sqlite3_column_name(statement, i);
        if (!names.insert(name).second)
            throw Error(SQLAMARR_SQL, "The query returns two columns named \"" + name + "\"; rename one with AS.");
        builders.emplace_back(std::move(name), types ? types[i] : 0);
    }
    if (builders.empty()) throw Error(SQLAMARR_SQL, "The statement returns no columns; expected a query.");
    return builders;
}

// The statement that feeds every row of `sql`, without the plain columns, to the sink. The query is a CTE, so that its
// own parameters keep their numbers; SQLite keeps its ORDER BY, as it must before any aggregate that is not built in.
// Columns that the sink does not take are not evaluated where SQLite can flatten the query.
std::string wrap(const std::string &sql, int place, const PlainColumns &plain) {
    std::string names, arguments;
    for (size_t i = 0; i < plain.size(); ++i) {
        names += (i ? ",c" : "c") + std::to_string(i);
        if (!plain[i].table) arguments += ",c" + std::to_string(i);
    }
    std::string body = sql;
    while (!body.empty() && (body.back() == ';' || body.back() == ' ' || body.back() == '\n')) body.pop_back();
    return "WITH q(" + names + ") AS (" + body + "\n) SELECT sqlamarr_sink(?" + std::to_string(place) + arguments +
           ") FROM q";
}

sqlite3_stmt *prepare_sink(sqlite3 *db, const std::string &sql, int place, const PlainColumns &plain) {
    const auto n = std::count_if(plain.begin(), plain.end(), [](const PlainColumn &column) { return !column.table; });
    if (n + 1 > sqlite3_limit(db, SQLITE_LIMIT_FUNCTION_ARG, -1)) return nullptr;
    sqlite3_stmt *statement = nullptr;
    const std::string wrapped = wrap(sql, place, plain);
    if (sqlite3_prepare_v2(db, wrapped.c_str(), -1, &statement, nullptr) != SQLITE_OK) return nullptr;
    return statement;
}

void run_sink(sqlite3 *db, sqlite3_stmt *statement, int place, Reader &reader) {
    check_sql(db, sqlite3_bind_pointer(statement, place, &reader, POINTER_TYPE, nullptr), "Reading");
    const int rc = sqlite3_step(statement);
    if (reader.failure) throw *reader.failure;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) check_sql(db, rc, "Reading");
}

void run_steps(Statement &statement, Builders &builders) {
    while (statement.step("Reading")) {
        int index = 0;
        for (auto &builder : builders) builder.append(ResultValue{statement.get(), index++});
    }
}

using SinkHandle = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt *)>;

} // namespace

// A query that is compiled once and can be run any number of times.
class Query {
public:
    Query(sqlite3 *db, const std::string &sql, const int *types)
        : db_(db), statement_(db, sql, "Query"), sink_(nullptr, sqlite3_finalize) {
        if (statement_.has_tail()) throw Error(SQLAMARR_SQL, "Expected one statement, found more after the first ';'.");
        const Builders columns = builders_for(statement_.get(), types);
        if (types) types_.assign(types, types + columns.size());
        plain_ = find_plain_columns(db, statement_.get(), sql, types);
        sink_.reset(prepare_sink(db, sql, place_of_reader(), plain_));
        if (!sink_) plain_.assign(columns.size(), {});
    }

    std::unique_ptr<sqlamarr_columns> run(const sqlamarr_value *values, int n_values) {
        Builders builders = builders_for(statement_.get(), types_.empty() ? nullptr : types_.data());
        Reader reader;
        for (size_t i = 0; i < builders.size(); ++i)
            if (!plain_[i].table) {
                builders[i].reserve(usual_rows_);
                reader.columns.push_back(&builders[i]);
            }
        sqlite3_stmt *runs = sink_ ? sink_.get() : statement_.get();
        const Reset reset{runs};
        bind_values(runs, sqlite3_bind_parameter_count(statement_.get()), values, n_values);
        if (sink_)
            run_sink(db_, runs, place_of_reader(), reader);
        else
            run_steps(statement_, builders);
        auto result = std::make_unique<sqlamarr_columns>();
        for (auto &builder : builders) result->table.columns.push_back(builder.take());
        add_plain_columns(plain_, result->table.columns);
        const auto rows = static_cast<size_t>(result->table.rows());
        usual_rows_ = rows + rows / ROOM;
        return result;
    }

    bool is_plain(int column) const { return plain_.at(static_cast<size_t>(column)).table != nullptr; }

private:
    struct Reset { // a statement that is not reset holds its locks, and the reader's address
        sqlite3_stmt *statement;
        ~Reset() {
            sqlite3_reset(statement);
            sqlite3_clear_bindings(statement);
        }
    };

    // Its place among the parameters of the sink's statement: after the query's own, which cannot refer to it.
    int place_of_reader() const { return sqlite3_bind_parameter_count(statement_.get()) + 1; }

    sqlite3 *db_;
    Statement statement_;
    SinkHandle sink_;
    std::vector<int> types_{};
    PlainColumns plain_{};
    size_t usual_rows_ = 0; // of a result: batches are alike
};

int register_column_reader(sqlite3 *db) {
    return sqlite3_create_function_v2(db, "sqlamarr_sink", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, nullptr, nullptr,
                                      sink_step, sink_final, nullptr);
}

} // namespace sqlamarr

struct sqlamarr_query {
    sqlamarr::Query query;
};

int sqlamarr_query_open(sqlite3 *db, const char *sql, const int *types, sqlamarr_query **out) {
    return sqlamarr::guard([&] {
        sqlamarr::connection_state(db);
        *out = new sqlamarr_query{{db, sql, types}};
    });
}

int sqlamarr_query_run(sqlamarr_query *query, const sqlamarr_value *values, int n_values, sqlamarr_columns **out) {
    return sqlamarr::guard([&] { *out = query->query.run(values, n_values).release(); });
}

void sqlamarr_query_free(sqlamarr_query *query) { delete query; }

int sqlamarr_query_is_plain(const sqlamarr_query *query, int column) { return query->query.is_plain(column); }
