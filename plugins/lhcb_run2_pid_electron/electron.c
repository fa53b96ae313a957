/* Electrons, which LHCb's published library does not have: one more library beside it. */
#include "lhcb_run2_pid/models.h"

PID_MODELS(electron, ELECTRON);
