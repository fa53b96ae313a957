#include "gun/distribution.h"

#include "core/portable_math.h"

#include <algorithm>

namespace sqlamarr::gun {

namespace {

enum Kind { fixed, flat, log_flat, exponential, power, gaussian, histogram };

double within(double x, double a, double b) { return std::min(std::max(x, a), b); }

} // namespace

Bins::Bins(const double *contents, size_t n) : upper_(n) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i) upper_[i] = sum += contents[i];
    for (double &bound : upper_) bound /= sum;
}

size_t Bins::find(double &u) const {
    const auto found = std::upper_bound(upper_.begin(), upper_.end() - 1, u);
    const auto bin = static_cast<size_t>(found - upper_.begin());
    const double low = bin ? upper_[bin - 1] : 0.0;
    u = upper_[bin] > low ? within((u - low) / (upper_[bin] - low), 0.0, 1.0) : 0.5;
    return bin;
}

Distribution::Distribution(const sqlamarr_distribution &law, const double *numbers)
    : law_(law), edges_(numbers + law.at) {
    switch (law.kind) {
    case log_flat: span_ = pm_log(law.b / law.a); break;
    case exponential: span_ = 1.0 - pm_exp((law.a - law.b) / law.c); break; // b may be infinite
    case power:
        if (law.c == -1.0) {
            law_.kind = log_flat;
            span_ = pm_log(law.b / law.a);
        } else {
            from_ = pm_pow(law.a, law.c + 1.0);
            span_ = pm_pow(law.b, law.c + 1.0) - from_;
        }
        break;
    case gaussian:
        if (law.a > law.c) law_.d = -law.d; // the upper tail is the lower one mirrored, which keeps its digits
        from_ = pm_normal_cdf(((law_.d < 0 ? law.b : law.a) - law.c) / law_.d);
        span_ = pm_normal_cdf(((law_.d < 0 ? law.a : law.b) - law.c) / law_.d) - from_;
        break;
    case histogram: bins_ = Bins(edges_ + law.n + 1, static_cast<size_t>(law.n)); break;
    default: break;
    }
}

double Distribution::operator()(double u) const {
    const auto &l = law_;
    switch (l.kind) {
    case fixed: return l.a;
    case flat: return within(l.a + u * (l.b - l.a), l.a, l.b);
    case log_flat: return within(l.a * pm_exp(u * span_), l.a, l.b);
    case exponential: return within(l.a - l.c * pm_log(1.0 - u * span_), l.a, l.b);
    case power: return within(pm_pow(from_ + u * span_, 1.0 / (l.c + 1.0)), l.a, l.b);
    case gaussian: return within(l.c + l.d * pm_normal_quantile(from_ + u * span_), l.a, l.b);
    default: return in_bins(u);
    }
}

double Distribution::in_bins(double u) const {
    const size_t bin = bins_.find(u);
    return within(edges_[bin] + u * (edges_[bin + 1] - edges_[bin]), edges_[bin], edges_[bin + 1]);
}

Joint::Joint(const double *numbers, int32_t n_size, int32_t n_angle)
    : size_edges_(numbers), angle_edges_(numbers + n_size + 1), n_angle_(static_cast<size_t>(n_angle)),
      bins_(numbers + n_size + n_angle + 2, static_cast<size_t>(n_size) * static_cast<size_t>(n_angle)) {}

void Joint::draw(Draws &draws, double &size, double &angle) const {
    double u = draws.uniform();
    const double v = draws.uniform();
    const size_t bin = bins_.find(u), i = bin / n_angle_, j = bin % n_angle_;
    size = size_edges_[i] + u * (size_edges_[i + 1] - size_edges_[i]);
    angle = angle_edges_[j] + v * (angle_edges_[j + 1] - angle_edges_[j]);
}

} // namespace sqlamarr::gun
