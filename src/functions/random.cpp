// Random SQL functions: numbers that belong to (key of the step, id, draw), valid only inside a step.
//
// uniform_at, normal_at and category_at take their own streams, so that they are independent of one
// another, and of a step's float32 noise, at the same (id, draw). They are not SQLITE_DETERMINISTIC:
// the key changes from step to step while prepared statements live on.
#include "functions/register.h"
#include "functions/values.h"
#include "random/philox.h"

#include <limits>

namespace sqlamarr {

namespace {

constexpr double probability_tolerance = 1e-6; // of one probability: rounding of float32 models
constexpr double sum_tolerance = 1e-5;

ConnectionState &active_state(sqlite3_context *context, const char *function) {
    auto *state = static_cast<ConnectionState *>(sqlite3_user_data(context));
    if (!state->random_active)
        throw Error(SQLAMARR_SQL, std::string(function) +
                                      ": random numbers exist only inside a pipeline step, which "
                                      "gives them their key. Move the query into a step; from Python, wrap it in "
                                      "sqlamarr.native.random.active(...).");
    return *state;
}

PhiloxBlock block_at(sqlite3_context *context, const char *function, uint32_t stream, sqlite3_value **values) {
    const ConnectionState &state = active_state(context, function);
    const int64_t id = integer_argument(function, "id", values[0]);
    const int64_t draw = integer_argument(function, "draw", values[1]);
    if (draw < 0 || draw > std::numeric_limits<uint32_t>::max())
        bad_argument(function, "draw", "between 0 and 2^32 - 1", values[1]);
    return philox_block(state.random_key, static_cast<uint64_t>(id), static_cast<uint32_t>(draw), stream);
}

PhiloxBlock next_block(sqlite3_context *context, const char *function) {
    ConnectionState &state = active_state(context, function);
    return philox_block(state.random_key, state.sequence++, 0, stream_sequential);
}

// The first category whose cumulated probability exceeds u; the remainder is the last one.
int category(const char *function, double u, int count, sqlite3_value **probabilities) {
    double sum = 0.0;
    int found = count;
    for (int i = 0; i < count; ++i) {
        const int type = sqlite3_value_type(probabilities[i]);
        const double p = sqlite3_value_double(probabilities[i]);
        if (type != SQLITE_INTEGER && type != SQLITE_FLOAT)
            bad_argument(function, "probability " + std::to_string(i), "a number", probabilities[i]);
        if (!(p >= -probability_tolerance && p <= 1.0 + probability_tolerance))
            bad_argument(function, "probability " + std::to_string(i), "between 0 and 1", probabilities[i]);
        sum += p < 0.0 ? 0.0 : p > 1.0 ? 1.0 : p;
        if (found == count && u < sum) found = i;
    }
    if (sum > 1.0 + sum_tolerance) {
        std::string values;
        for (int i = 0; i < count; ++i) values += (i ? ", " : "") + describe(probabilities[i]);
        throw Error(SQLAMARR_SQL, std::string(function) + ": the probabilities sum to more than 1: " + values + ".");
    }
    return found;
}

void need_arguments(const char *signature, int found, int least) {
    if (found < least)
        throw Error(SQLAMARR_SQL, std::string(signature) + ": expected at least " + std::to_string(least) +
                                      " arguments, found " + std::to_string(found) + ".");
}

void uniform_at(sqlite3_context *context, int, sqlite3_value **values) {
    guard_sql(context, [&] {
        sqlite3_result_double(context, philox_uniform(block_at(context, "uniform_at", stream_uniform_at, values)));
    });
}

void normal_at(sqlite3_context *context, int, sqlite3_value **values) {
    guard_sql(context, [&] {
        sqlite3_result_double(context, philox_normal(block_at(context, "normal_at", stream_normal_at, values)));
    });
}

void category_at(sqlite3_context *context, int count, sqlite3_value **values) {
    guard_sql(context, [&] {
        need_arguments("category_at(id, draw, p0, ...)", count, 3);
        const double u = philox_uniform(block_at(context, "category_at", stream_category_at, values));
        sqlite3_result_int(context, category("category_at", u, count - 2, values + 2));
    });
}

void random_uniform(sqlite3_context *context, int, sqlite3_value **) {
    guard_sql(context, [&] { sqlite3_result_double(context, philox_uniform(next_block(context, "random_uniform"))); });
}

void random_normal(sqlite3_context *context, int, sqlite3_value **) {
    guard_sql(context, [&] { sqlite3_result_double(context, philox_normal(next_block(context, "random_normal"))); });
}

void random_category(sqlite3_context *context, int count, sqlite3_value **values) {
    guard_sql(context, [&] {
        need_arguments("random_category(p0, ...)", count, 1);
        const double u = philox_uniform(next_block(context, "random_category"));
        sqlite3_result_int(context, category("random_category", u, count, values));
    });
}

} // namespace

int register_random_functions(sqlite3 *db, ConnectionState *state) {
    const struct {
        const char *name;
        int arguments;
        void (*function)(sqlite3_context *, int, sqlite3_value **);
    } functions[] = {
        {"uniform_at", 2, uniform_at},       {"normal_at", 2, normal_at},
        {"category_at", -1, category_at},    {"random_uniform", 0, random_uniform},
        {"random_normal", 0, random_normal}, {"random_category", -1, random_category},
    };
    for (const auto &f : functions) {
        const int rc = sqlite3_create_function_v2(db, f.name, f.arguments, SQLITE_UTF8 | SQLITE_DIRECTONLY, state,
                                                  f.function, nullptr, nullptr, nullptr);
        if (rc != SQLITE_OK) return rc;
    }
    return SQLITE_OK;
}

} // namespace sqlamarr
