/* All that a program needs to define, differentiate, plan, run, train and save networks, by one line. What is left out
   are the inner parts of the rooms, which the headers named here explain where they meet them. */
#ifndef REEL_H
#define REEL_H

#include "autograd/gradcheck.h"
#include "autograd/gradient.h"
#include "autograd/time_batch.h"
#include "backends/registry.h"
#include "core/parameters.h"
#include "core/plan.h"
#include "core/rng.h"
#include "datasets/clip.h"
#include "datasets/dataset.h"
#include "models/checkpoint.h"
#include "models/net.h"
#include "models/optimise.h"
#include "models/s2s.h"
#include "models/s2s_session.h"
#include "models/vgg16.h"
#include "models/weights.h"
#include "ops/ops.h"

#endif
