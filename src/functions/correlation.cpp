#include "functions/correlation.h"

namespace sqlamarr {

namespace {

constexpr int size = 5;
constexpr double smallest_pivot = 1e-6;

// L D L^T without square roots: D holds the squared Cholesky pivots.
bool positive_definite(const double r[10], double scale) {
    double l[size][size] = {}, d[size];
    for (int row = 0; row < size; ++row) {
        d[row] = 1.0;
        for (int column = 0; column < row; ++column) {
            double sum = scale * r[row * (row - 1) / 2 + column];
            for (int k = 0; k < column; ++k) sum -= l[row][k] * l[column][k] * d[k];
            l[row][column] = sum / d[column];
            d[row] -= l[row][column] * sum;
        }
        if (!(d[row] >= smallest_pivot)) return false;
    }
    return true;
}

} // namespace

double correlation_shrink(const double r[10]) {
    for (int percent = 100; percent > 0; --percent)
        if (positive_definite(r, percent / 100.0)) return percent / 100.0;
    return 0.0;
}

} // namespace sqlamarr
