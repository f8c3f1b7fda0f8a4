/* Running a trained S2S on a video of any length, object by object and frame by frame. The graph of the first frame and
   the graph of a step are planned once; an object is no more than its state, kept in host memory between its steps, so
   that the cost is that of one step whatever the length of the video. */
#ifndef REEL_MODELS_S2S_SESSION_H
#define REEL_MODELS_S2S_SESSION_H

#include "core/plan.h"
#include "models/s2s.h"

typedef struct reel_s2s_session reel_s2s_session;

/* Weights come from `set`, which must hold (or will start) the parameters of `config`. height x width is the size at
   which the network works; bf16: in mixed precision (models/net.h). */
reel_s2s_session *reel_s2s_session_new(reel_parameters *set, const reel_s2s_config *config, int height, int width,
                                       bool bf16, reel_error *error);
void reel_s2s_session_free(reel_s2s_session *session);

/* The state of one object, to be freed with reel_free. */
typedef struct reel_s2s_object reel_s2s_object;
reel_s2s_object *reel_s2s_object_new(const reel_s2s_session *session, reel_error *error);

/* The object's first frame: rgb [3, height, width] as in models/s2s.h, mask [height, width]. */
reel_status reel_s2s_begin(reel_s2s_session *session, reel_s2s_object *object, const float *rgb, const float *mask,
                           reel_error *error);
/* A following frame: the probability of each pixel into probability [height, width]. */
reel_status reel_s2s_continue(reel_s2s_session *session, reel_s2s_object *object, const float *rgb, float *probability,
                              reel_error *error);

/* Memory of both plans; operations of a step. */
reel_cost reel_s2s_session_cost(const reel_s2s_session *session);

#endif
