// The machine's clock in the hands of a test: it steps, for the whole process, while the steady
// clock goes on.
#pragma once

#include <string>

#include "common/base/clock.h"

namespace hub::integration {

// Steps it by so much and returns when MachineNow() has noticed.
void StepMachineClock(Micros by);
// Puts it to a time of day in London, forwards, today or tomorrow.
void SetMachineTime(const std::string& time_of_day);
// Back to what it truly is.
void ResetMachineClock();

}  // namespace hub::integration
