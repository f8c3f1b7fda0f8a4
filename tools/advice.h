/* What to ask for instead of a memory budget that cannot be met. What is advised has been planned and fits: no guess
   from sizes, since what must live together follows from the whole network. */
#ifndef REEL_TOOLS_ADVICE_H
#define REEL_TOOLS_ADVICE_H

#include "tools/trainer.h"

/* As reel_trainer_new. When the budget is refused, `error` ends in what fits: the most predicted frames, the largest
   size of about this shape and the most clips a step, each with all else as it was; where none of these does alone,
   fewer and smaller frames, or a narrower network. Cost: a dozen plans, each given up after some seconds at most. */
reel_trainer *reel_trainer_or_advice(const reel_training *training, reel_backend *backend, reel_error *error);

#endif
