/* Scoring: J and F of every object in every frame. A frame is one task; tasks are handed to threads one at a time,
   since frames with many objects cost several times what the others do. Decoding two PNGs is most of the work. */
#include "tools/eval.h"

#include "core/memory.h"

#include <omp.h>
#include <string.h>

/* The masks of one object in one frame. */
typedef struct {
    reel_bitmask truth, guess, truth_boundary, guess_boundary;
} object_masks;

static void free_masks(object_masks *m)
{
    reel_bitmask_free(&m->truth);
    reel_bitmask_free(&m->guess);
    reel_bitmask_free(&m->truth_boundary);
    reel_bitmask_free(&m->guess_boundary);
}

static reel_status new_masks(object_masks *m, int height, int width, reel_error *error)
{
    *m = (object_masks){0};
    reel_bitmask *all[] = {&m->truth, &m->guess, &m->truth_boundary, &m->guess_boundary};
    for (int i = 0; i < 4; i++)
        if (reel_bitmask_new(all[i], height, width, error)) {
            free_masks(m);
            return REEL_ENVIRONMENT;
        }
    return REEL_OK;
}

/* Which ids occur, background aside. Masks are made of long runs, so stretches of the id seen last are skipped. */
static void note_ids(reel_id_set *set, const reel_mask *mask, bool binary)
{
    size_t n = (size_t)mask->height * (size_t)mask->width, i = 0;
    uint8_t last = 0;
    while (i < n) {
        bool whole = n - i >= 64;
        if (whole && reel_all_equal(mask->id + i, last)) {
            i += 64;
            continue;
        }
        size_t end = whole ? i + 64 : n;
        for (; i < end; i++) {
            if (mask->id[i] == last) continue;
            last = mask->id[i];
            if (last) reel_id_set_add(set, binary ? 1 : last);
        }
        if (binary && last) return;
    }
}

static reel_status score_objects(reel_eval_frame *frame, const reel_mask *truth, const reel_mask *guess, bool binary,
                                 reel_error *error)
{
    reel_id_set either;
    int count = 0;
    for (int k = 0; k < 4; k++) {
        either.bit[k] = frame->in_truth.bit[k] | frame->in_guess.bit[k];
        count += __builtin_popcountll(either.bit[k]);
    }
    if (!count) return REEL_OK;
    frame->score = reel_alloc((size_t)count, sizeof *frame->score);
    if (!frame->score) return reel_fail_memory(error);
    object_masks m;
    if (new_masks(&m, truth->height, truth->width, error)) return REEL_ENVIRONMENT;
    const reel_disk disk = reel_metric_disk(truth->height, truth->width);
    for (int id = 1; id < 256; id++) {
        if (!reel_id_set_has(&either, id)) continue;
        reel_bitmask_select(&m.truth, truth->id, binary ? REEL_ANY_OBJECT : id);
        reel_bitmask_select(&m.guess, guess->id, binary ? REEL_ANY_OBJECT : id);
        reel_bitmask_boundary(&m.truth, &m.truth_boundary);
        reel_bitmask_boundary(&m.guess, &m.guess_boundary);
        frame->score[frame->scores++] = (reel_eval_score){(uint8_t)id, reel_metric_j(&m.truth, &m.guess),
                                                          reel_metric_f(&m.truth_boundary, &m.guess_boundary, &disk)};
    }
    free_masks(&m);
    return REEL_OK;
}

static reel_status score_frame(reel_eval_frame *frame, bool binary, reel_error *error)
{
    reel_mask truth = {0}, guess = {0};
    reel_status status = reel_mask_read(&truth, frame->truth, error);
    if (!status) note_ids(&frame->in_truth, &truth, binary);
    if (!status && frame->guess) {
        status = reel_mask_read(&guess, frame->guess, error);
        if (!status && (guess.height != truth.height || guess.width != truth.width))
            status = reel_fail(error, REEL_BAD_DATA,
                               "%s: the prediction is %dx%d (height x width), its ground truth %s "
                               "is %dx%d; write predictions at the size of the ground truth",
                               frame->guess, guess.height, guess.width, frame->truth, truth.height, truth.width);
        if (!status) {
            note_ids(&frame->in_guess, &guess, binary);
            status = score_objects(frame, &truth, &guess, binary, error);
        }
    }
    reel_mask_free(&truth);
    reel_mask_free(&guess);
    return status;
}

reel_status reel_eval_score_frames(reel_eval_frame *frame, int frames, bool binary, int threads, reel_error *error)
{
    /* Frames before a failed one are still tried, later ones are not: the first failure is always found. */
    int failed = frames;
    reel_error first = {0};
#pragma omp parallel for schedule(dynamic) num_threads(threads > 0 ? threads : omp_get_max_threads())
    for (int i = 0; i < frames; i++) {
        int limit;
#pragma omp atomic read
        limit = failed;
        reel_error own = {0};
        if (i > limit || !score_frame(&frame[i], binary, &own)) continue;
#pragma omp critical(reel_eval_failure)
        if (i < failed) {
#pragma omp atomic write
            failed = i;
            first = own;
        }
    }
    return failed < frames ? reel_fail(error, first.status, "%s", first.text) : REEL_OK;
}
