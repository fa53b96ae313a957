#include "track.h"

#include <math.h>

#include "portable_math.h"

track track_of(const float *position, const float *slopes, float log10_p, int electron, track_class type) {
    track t;
    t.type = type;
    t.electron = electron;
    t.x = clamp(position[0], -1e5, 1e5);
    t.y = clamp(position[1], -1e5, 1e5);
    t.z = clamp(position[2], -1e5, 1e5);
    t.tx = clamp(slopes[0], -10., 10.);
    t.ty = clamp(slopes[1], -10., 10.);
    t.slope = sqrt(t.tx * t.tx + t.ty * t.ty);
    t.log10_p = clamp(log10_p, 0., 8.);
    t.p = pm_exp(t.log10_p * 2.302585092994046);
    return t;
}
