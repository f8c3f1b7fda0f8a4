/* A picture of a training run: the loss over the steps, as SVG, from the run's log. */
#ifndef REEL_TOOLS_CURVE_H
#define REEL_TOOLS_CURVE_H

#include "core/error.h"

/* Reads columns step and loss of the CSV `log` and replaces `svg`. Each step is a faint dot; the line is their running
   mean over a fiftieth of the run. */
reel_status reel_curve_draw(const char *log, const char *svg, reel_error *error);

#endif
