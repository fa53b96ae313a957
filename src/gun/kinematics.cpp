#include "gun/decay.h"

#include "core/portable_math.h"

#include <algorithm>

namespace sqlamarr::gun {

double two_body_momentum(double mother, double a, double b) {
    const double rest = mother - a - b; // as a product, which keeps its digits near the threshold
    if (rest <= 0) return 0;
    return std::sqrt(rest * (mother + a + b) * (mother - a + b) * (mother + a - b)) / (2.0 * mother);
}

// Density in s = m^2: 1 / ((s - M^2)^2 + M^2 Gamma^2), see the Review of Particle Physics, "Resonances".
double breit_wigner(double mass, double width, double low, double high, double u) {
    const double scale = mass * width, from = pm_atan((low * low - mass * mass) / scale);
    const double to = pm_atan((high * high - mass * mass) / scale);
    double sine, cosine;
    pm_sincos(from + u * (to - from), &sine, &cosine);
    const double s = mass * mass + scale * (sine / cosine);
    return std::min(std::max(std::sqrt(std::max(s, 0.0)), low), high);
}

} // namespace sqlamarr::gun
