// Memory that a run uses again and again.
#include "sqlamarr.h"

#ifdef __linux__
#include <malloc.h>
#endif

// Each batch needs what the last one has given back. The system makes pages zero before it hands them out again, which
// costs more than what is done with some of them.
void sqlamarr_keep_memory() {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 32 << 20); // the largest that is allowed
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}
