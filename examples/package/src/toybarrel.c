/* A model in C: the momentum that a barrel in a field measures.
 *
 * One row in, one row out, and one standard normal number per random number that the step asks for. The numbers must
 * not depend on other rows; only + - * / and sqrt are used, which give the same bits on every processor.
 */
#include <math.h>

/* in: transverse momentum [MeV], pseudorapidity; out: measured transverse momentum [MeV], its error [MeV] */
float *barrel_momentum(float *out, const float *in, const float *random) {
    const float pt = in[0], slope = in[1];
    const float scattering = .008f, curvature = 4e-6f; /* relative, and relative per MeV */
    const float path = 1.f + .1f * slope * slope;      /* slanted tracks cross more material */
    const float relative = sqrtf(scattering * scattering * path + curvature * pt * curvature * pt);
    const float shift = relative * random[0];
    out[0] = shift > -.9f ? pt / (1.f + shift) : 10.f * pt; /* curvature is what is measured */
    out[1] = pt * relative;
    return out;
}
