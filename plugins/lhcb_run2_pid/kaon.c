#include "models.h"

PID_MODELS(kaon, KAON);
