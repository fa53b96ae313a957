#include "models.h"

PID_MODELS(muon, MUON);
