/* How predicted masks are scored, in three steps: plan (which frames of which videos, by the rules of the protocol),
   score (J and F of every object in every frame; all the work, in parallel), fold (each object's values over time, by
   the rules again, into a report). Only planning and folding know the protocols.

   The score of a frame depends on nothing but its two masks, and folding goes in a fixed order: a report is the same
   for every number of threads. */
#ifndef REEL_TOOLS_EVAL_H
#define REEL_TOOLS_EVAL_H

#include "datasets/dataset.h"
#include "datasets/folder.h"
#include "tools/metrics.h"

#include <stdio.h>

/* In the order of the choices of --protocol. */
typedef enum { REEL_EVAL_DAVIS2016, REEL_EVAL_DAVIS2017, REEL_EVAL_VOSBENCH, REEL_EVAL_YTVOS } reel_eval_protocol;

typedef struct {
    int protocol;          /* reel_eval_protocol */
    const char *gt, *pred; /* the data set; the folder with a folder a video */
    const char *split;     /* NULL: the protocol's own; "all": every video with ground truth */
    const char *seen;      /* YouTube-VOS: meta.json whose categories count as seen; NULL: look beside the data set */
    const char *out;       /* folder for the CSV tables, or NULL */
    int threads;           /* 0: as many as OpenMP would take */
    int skip_first_object_frame, skip_last; /* YouTube-VOS: leave out an object's first, last frame */
    bool json;                              /* print JSON instead of a table */
} reel_eval_options;

/* ---- plan ---- */

typedef struct {
    uint8_t id;
    double j, f;
} reel_eval_score;

/* One bit an object id. */
typedef struct {
    uint64_t bit[4];
} reel_id_set;

static inline bool reel_id_set_has(const reel_id_set *set, int id)
{
    return set->bit[id / 64] >> id % 64 & 1;
}
static inline void reel_id_set_add(reel_id_set *set, int id)
{
    set->bit[id / 64] |= (uint64_t)1 << id % 64;
}

typedef struct {
    int index;           /* which frame of its video */
    char *truth, *guess; /* paths; no guess: only which objects the truth shows is wanted */
    reel_id_set in_truth, in_guess;
    int scores;
    reel_eval_score *score; /* of every object in either mask, by ascending id */
} reel_eval_frame;

typedef struct {
    char *name;
    int first, frames; /* its part of the plan's frames */
    int source;        /* index in the plan's data set, -1 without */
} reel_eval_video;

typedef struct {
    int videos, video_room, frames, frame_room;
    reel_eval_video *video;
    reel_eval_frame *frame;
    char *videos_from; /* where the list of videos comes from, for the report */
    reel_dataset set;  /* YouTube-VOS only: the objects and their frame lists */
    reel_names seen;   /* YouTube-VOS only: the seen categories */
    bool seen_known;
} reel_eval_plan;

/* Finds what to score: the videos, their frames and the paths of both masks of each. */
reel_status reel_eval_make_plan(reel_eval_plan *plan, const reel_eval_options *options, reel_error *error);
void reel_eval_free_plan(reel_eval_plan *plan);

/* For the planners: append a video; append a frame to the last one, taking over both paths (no guess: NULL) whatever
   happens. A `truth` that is NULL means that memory was refused while making the paths. */
reel_status reel_eval_add_video(reel_eval_plan *plan, const char *name, int source, reel_error *error);
reel_status reel_eval_add_frame(reel_eval_plan *plan, int index, char *truth, char *guess, reel_error *error);
/* The path of a predicted mask that exists, or NULL with the failure recorded. */
char *reel_eval_find_guess(const char *folder, const char *video, const char *frame, reel_error *error);
reel_status reel_eval_plan_ytvos(reel_eval_plan *plan, const reel_eval_options *options, reel_error *error);

/* "reel eval: warning: …" on stderr. */
void reel_eval_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- score ---- */

/* Fills in the frames. With `binary` every pixel that is not background is object 1. Of several failures the one of the
   first frame is reported. */
reel_status reel_eval_score_frames(reel_eval_frame *frame, int frames, bool binary, int threads, reel_error *error);

/* ---- fold ---- */

typedef struct {
    char *name; /* the video's, and for several objects _ID behind it */
    const char *video;
    int id, frames;
    int seen; /* YouTube-VOS: 1 seen, 0 unseen, -1 not known */
    reel_statistics j, f;
} reel_eval_object;

typedef struct {
    const reel_eval_plan *plan;
    const reel_eval_options *options;
    int objects, room;
    reel_eval_object *object;
    reel_statistics j, f; /* means over the objects */
    double jf;
    double j_seen, j_unseen, f_seen, f_unseen, overall; /* YouTube-VOS; NaN where there are no such objects */
} reel_eval_report;

/* From the scores of frames to means over objects and videos. */
reel_status reel_eval_fold(reel_eval_report *report, const reel_eval_plan *plan, const reel_eval_options *options,
                           reel_error *error);

/* All three steps. What is odd but no failure is said on stderr. */
reel_status reel_eval_run(reel_eval_plan *plan, reel_eval_report *report, const reel_eval_options *options,
                          reel_error *error);
void reel_eval_free_report(reel_eval_report *report);

/* ---- report ---- */

const char *reel_eval_protocol_name(int protocol);
void reel_eval_print_table(const reel_eval_report *report, FILE *to);
reel_status reel_eval_print_json(const reel_eval_report *report, FILE *to, reel_error *error);
/* The tables of the protocol's reference tool, under their names, byte for byte. */
reel_status reel_eval_write_tables(const reel_eval_report *report, reel_error *error);

#endif
