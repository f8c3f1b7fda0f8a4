/* See clip.h. Samples live in a ring of `ahead` slots; sample n has slot n % ahead. One mutex guards all numbers:

     delivered <= claimed <= delivered + ahead

   A worker claims the next sample when its slot is free, fetches it without the lock, and marks the slot ready. The
   reader waits for the slot of the next sample only, so order holds whatever the workers' speed. There are two
   conditions: `room` wakes workers when a slot was emptied, `ready` wakes the reader when a slot was filled; both are
   woken by stopping. Since sample n is a function of n (see clip.c), which worker fetched it cannot be seen.

   A failed sample ends the sequence: workers claim no more, samples before it are still delivered. Stopping waits for
   the samples being fetched, one a worker at most. */
#include "datasets/clip.h"

#include "core/memory.h"

#include <pthread.h>
#include <string.h>

typedef struct {
    bool ready;
    reel_clip clip;
    reel_error error;
} slot;

struct reel_loader {
    const reel_dataset *set;
    reel_clip_options options;
    uint64_t first, claimed, delivered; /* the latter two counted from first */
    uint64_t ahead;
    bool ending; /* no more claims: stopped, or a sample failed */
    int threads; /* that were started */
    pthread_mutex_t lock;
    pthread_cond_t room, ready;
    slot *ring;
    pthread_t *thread;
};

enum { MOST_WORKERS = 1024, MOST_AHEAD = 1 << 20 };

/* Claims a sample, waiting for room; false when there is nothing more to do. */
static bool claim(reel_loader *l, uint64_t *number)
{
    pthread_mutex_lock(&l->lock);
    while (!l->ending && l->claimed == l->delivered + l->ahead) pthread_cond_wait(&l->room, &l->lock);
    bool go_on = !l->ending;
    if (go_on) *number = l->claimed++;
    pthread_mutex_unlock(&l->lock);
    return go_on;
}

static void *work(void *pointer)
{
    reel_loader *l = pointer;
    uint64_t number;
    while (claim(l, &number)) {
        slot *s = &l->ring[number % l->ahead];
        s->error = (reel_error){0};
        reel_status status = reel_clip_sample(&s->clip, l->set, &l->options, l->first + number, &s->error);
        /* The status is what counts, also where a data set's own functions forgot to record a message. */
        if (status != REEL_OK)
            reel_fail(&s->error, status, "%s: sample %llu could not be read", l->set->name,
                      (unsigned long long)(l->first + number));
        pthread_mutex_lock(&l->lock);
        s->ready = true;
        l->ending |= status != REEL_OK;
        if (status != REEL_OK) pthread_cond_broadcast(&l->room);
        pthread_cond_signal(&l->ready);
        pthread_mutex_unlock(&l->lock);
    }
    return NULL;
}

static bool start_threads(reel_loader *l, int workers, reel_error *error)
{
    for (; l->threads < workers; l->threads++) {
        int wrong = pthread_create(&l->thread[l->threads], NULL, work, l);
        if (!wrong) continue;
        reel_fail(error, REEL_ENVIRONMENT, "data loader: thread %d of %d could not be started: %s; use fewer workers",
                  l->threads + 1, workers, strerror(wrong));
        return false;
    }
    return true;
}

reel_loader *reel_loader_start(const reel_dataset *set, const reel_clip_options *options, uint64_t first, int workers,
                               int ahead, reel_error *error)
{
    if (workers < 1 || workers > MOST_WORKERS || ahead < 1 || ahead > MOST_AHEAD) {
        reel_fail(error, REEL_USAGE,
                  "data loader: %d workers and %d samples ahead were asked for; they must be 1..%d and "
                  "1..%d",
                  workers, ahead, MOST_WORKERS, MOST_AHEAD);
        return NULL;
    }
    reel_loader *l = reel_alloc(1, sizeof *l);
    if (l) {
        *l = (reel_loader){.set = set, .options = *options, .first = first, .ahead = (uint64_t)ahead};
        pthread_mutex_init(&l->lock, NULL);
        pthread_cond_init(&l->room, NULL);
        pthread_cond_init(&l->ready, NULL);
        l->ring = reel_alloc((size_t)ahead, sizeof *l->ring);
        l->thread = reel_alloc((size_t)workers, sizeof *l->thread);
    }
    if (!l || !l->ring || !l->thread) reel_fail_memory(error);
    if (l && l->ring && l->thread && start_threads(l, workers, error)) return l;
    reel_loader_stop(l);
    return NULL;
}

reel_status reel_loader_next(reel_loader *l, reel_clip *clip, reel_error *error)
{
    *clip = (reel_clip){0};
    pthread_mutex_lock(&l->lock);
    slot *s = &l->ring[l->delivered % l->ahead];
    while (!s->ready) pthread_cond_wait(&l->ready, &l->lock);
    if (reel_failed(&s->error)) {
        pthread_mutex_unlock(&l->lock); /* the slot stays: the next call fails alike */
        return reel_fail(error, s->error.status, "%s", s->error.text);
    }
    *clip = s->clip;
    s->clip = (reel_clip){0};
    s->ready = false;
    l->delivered++;
    pthread_cond_signal(&l->room);
    pthread_mutex_unlock(&l->lock);
    return REEL_OK;
}

void reel_loader_stop(reel_loader *l)
{
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    l->ending = true;
    pthread_cond_broadcast(&l->room);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->threads; i++) pthread_join(l->thread[i], NULL);
    for (uint64_t i = 0; l->ring && i < l->ahead; i++) reel_clip_free(&l->ring[i].clip);
    reel_free(l->ring);
    reel_free(l->thread);
    pthread_cond_destroy(&l->ready);
    pthread_cond_destroy(&l->room);
    pthread_mutex_destroy(&l->lock);
    reel_free(l);
}
