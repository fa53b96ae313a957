#include "models.h"

PID_MODELS(proton, PROTON);
