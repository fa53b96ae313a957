// A 5x5 correlation matrix made positive definite.
#pragma once

namespace sqlamarr {

// The largest s of 1, 0.99, 0.98, ..., 0.01 for which the matrix with ones on its diagonal and s * r
// beside it has all squared Cholesky pivots >= 1e-6; 0 if there is none (numbers far beyond +-1).
// r: upper triangle by columns: 01, 02, 12, 03, 13, 23, 04, 14, 24, 34.
double correlation_shrink(const double r[10]);

} // namespace sqlamarr
