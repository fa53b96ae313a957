#include "models.h"

PID_MODELS(pion, PION);
