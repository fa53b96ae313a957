// Kinematic SQL functions, and elementary ones whose bits do not depend on the processor.
//
// For all: a NULL argument gives NULL, text is an error, and what has no finite value is NULL (not
// applicable). They are functions of their arguments alone.
#include "core/pdg.h"
#include "functions/correlation.h"
#include "functions/register.h"
#include "functions/values.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace sqlamarr {

namespace {

// sqrt(x^2 + y^2 + z^2); scaled by a power of two (exact) where the squares would leave double's range.
double norm(double x, double y, double z) {
    const double largest = std::max({pm_abs(x), pm_abs(y), pm_abs(z)});
    const double scale = largest > 1e150 ? 0x1p-600 : largest < 1e-140 ? 0x1p600 : 1.0;
    x *= scale;
    y *= scale;
    z *= scale;
    return std::sqrt(x * x + y * y + z * z) / scale;
}

// Three dimensions, not squared: the name is SQLamarr's, after the L2 norm.
double norm2(const double *v) { return norm(v[0], v[1], v[2]); }

// asinh(z / pt); along the beam, and for a null vector, it is infinite or undefined: NULL.
double pseudorapidity(const double *v) {
    const double pt = norm(v[0], v[1], 0.0);
    return pt > 0.0 ? pm_asinh(v[2] / pt) : PM_NAN;
}

double azimuthal(const double *v) { return pm_atan2(v[1], v[0]); }
double polar(const double *v) { return pm_atan2(norm(v[0], v[1], 0.0), v[2]); }

// z where the line through (x, y, z) with slopes tx, ty is closest to the z axis. A line parallel to
// the axis is equally close everywhere: z itself.
double z_closest_to_beam(const double *v) {
    const double slope2 = v[3] * v[3] + v[4] * v[4];
    return slope2 > 0.0 ? v[2] - (v[0] * v[3] + v[1] * v[4]) / slope2 : v[2];
}

double portable_log10(const double *v) { return v[0] > 0.0 ? pm_log10(v[0]) : PM_NAN; }
double portable_log(const double *v) { return v[0] > 0.0 ? pm_log(v[0]) : PM_NAN; }
double portable_exp(const double *v) { return pm_exp(v[0]); }
double portable_pow(const double *v) { return v[0] >= 0.0 ? pm_pow(v[0], v[1]) : PM_NAN; }
double portable_atan2(const double *v) { return pm_atan2(v[0], v[1]); }

struct NumericFunction {
    const char *name;
    int arguments;
    double (*compute)(const double *);
    const char *names[5];
};

constexpr NumericFunction numeric_functions[] = {
    {"norm2", 3, norm2, {"x", "y", "z"}},
    {"pseudorapidity", 3, pseudorapidity, {"x", "y", "z"}},
    {"azimuthal", 3, azimuthal, {"x", "y", "z"}},
    {"polar", 3, polar, {"x", "y", "z"}},
    {"z_closest_to_beam", 5, z_closest_to_beam, {"x", "y", "z", "tx", "ty"}},
    {"portable_log10", 1, portable_log10, {"x"}},
    {"portable_log", 1, portable_log, {"x"}},
    {"portable_exp", 1, portable_exp, {"x"}},
    {"portable_pow", 2, portable_pow, {"x", "y"}},
    {"portable_atan2", 2, portable_atan2, {"y", "x"}},
};

void call_numeric(sqlite3_context *context, int count, sqlite3_value **values) {
    guard_sql(context, [&] {
        const auto &f = *static_cast<const NumericFunction *>(sqlite3_user_data(context));
        double arguments[5];
        if (real_arguments(f.name, f.names, count, values, arguments)) result_finite(context, f.compute(arguments));
    });
}

constexpr const char *LENGTH_AND_SLOPES[] = {"norm", "tx", "ty"};
constexpr const char *MOMENTUM_AND_KICK[] = {"px", "py", "pz", "kick"};

// The first argument, which coordinate is meant; nothing if it, or an argument behind it, is NULL.
std::optional<int64_t> coordinate(const char *function, int64_t last, const char *expected, int count,
                                  sqlite3_value **values) {
    if (any_null(count, values)) return std::nullopt;
    const int64_t coord = integer_argument(function, "coord", values[0]);
    if (coord < 0 || coord > last) bad_argument(function, "coord", expected, values[0]);
    return coord;
}

// Component `coord` (0, 1, 2) of the vector of length `norm` along (tx, ty, 1).
void slopes_to_cartesian(sqlite3_context *context, int count, sqlite3_value **values) {
    guard_sql(context, [&] {
        const auto coord = coordinate("slopes_to_cartesian", 2, "0 (x), 1 (y) or 2 (z)", count, values);
        double v[3];
        if (!coord || !real_arguments("slopes_to_cartesian", LENGTH_AND_SLOPES, 3, values + 1, v)) return;
        const double direction[3] = {v[1], v[2], 1.0};
        result_finite(context, v[0] * (direction[*coord] / norm(v[1], v[2], 1.0)));
    });
}

// Slope dx/dz (coord 0) or dy/dz (1) of a momentum after p_x has changed by `kick` at constant p_y and magnitude; NULL
// if that turns it back, or is more than there is.
void kicked_slope(sqlite3_context *context, int count, sqlite3_value **values) {
    guard_sql(context, [&] {
        const auto coord = coordinate("kicked_slope", 1, "0 (x) or 1 (y)", count, values);
        double v[4];
        if (!coord || !real_arguments("kicked_slope", MOMENTUM_AND_KICK, 4, values + 1, v)) return;
        const double px = v[0], py = v[1], pz = v[2], kick = v[3];
        const double square = pz * pz - kick * (2.0 * px + kick); // of p_z behind
        if (!(pz > 0.0 && square > 0.0)) return;
        result_finite(context, (*coord == 0 ? px + kick : py) / std::sqrt(square));
    });
}

// NULL for codes that say nothing, and for quarks: fractional charges do not propagate.
void propagation_charge(sqlite3_context *context, int count, sqlite3_value **values) {
    guard_sql(context, [&] {
        if (any_null(count, values)) return;
        const auto three_charge = pdg_three_charge(integer_argument("propagation_charge", "pdg", values[0]));
        if (three_charge && *three_charge % 3 == 0) sqlite3_result_int(context, *three_charge / 3);
    });
}

void correlation_shrink_sql(sqlite3_context *context, int, sqlite3_value **values) {
    guard_sql(context, [&] {
        static constexpr const char *names[] = {"r01", "r02", "r12", "r03", "r13", "r23", "r04", "r14", "r24", "r34"};
        double r[10];
        if (!real_arguments("correlation_shrink", names, 10, values, r)) return;
        const double scale = correlation_shrink(r);
        if (!(scale > 0.0))
            throw Error(SQLAMARR_SQL, "correlation_shrink: the arguments are not correlations, as even a hundredth of "
                                      "them is not positive definite; expected ten numbers between -1 and 1.");
        sqlite3_result_double(context, scale);
    });
}

int create(sqlite3 *db, const char *name, int arguments, const void *data,
           void (*function)(sqlite3_context *, int, sqlite3_value **)) {
    return sqlite3_create_function_v2(db, name, arguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                      const_cast<void *>(data), function, nullptr, nullptr, nullptr);
}

} // namespace

int register_kinematic_functions(sqlite3 *db) {
    int rc = SQLITE_OK;
    for (const auto &f : numeric_functions)
        if (rc == SQLITE_OK) rc = create(db, f.name, f.arguments, &f, call_numeric);
    if (rc == SQLITE_OK) rc = create(db, "slopes_to_cartesian", 4, nullptr, slopes_to_cartesian);
    if (rc == SQLITE_OK) rc = create(db, "kicked_slope", 5, nullptr, kicked_slope);
    if (rc == SQLITE_OK) rc = create(db, "propagation_charge", 1, nullptr, propagation_charge);
    if (rc == SQLITE_OK) rc = create(db, "correlation_shrink", 10, nullptr, correlation_shrink_sql);
    return rc;
}

} // namespace sqlamarr
