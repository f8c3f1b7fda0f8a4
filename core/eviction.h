/* Judges what freeing a piece of memory at the peak of a schedule would take: which nodes would run again, with which
   cuts, how much work that is and how many bytes it saves there. An estimate: the peak of the new schedule may lie
   elsewhere, and memory that was shared may no longer be. Used by core/recompute.c. */
#ifndef REEL_CORE_EVICTION_H
#define REEL_CORE_EVICTION_H

#include "core/lives.h"

/* A schedule with the lives of its values and the step at which most bytes live together. */
typedef struct {
    reel_schedule schedule;
    reel_lives lives;
    size_t peak;
    int peak_step;
    double work; /* of all runs */
} reel_layout;

typedef struct {
    int storage;
    int alone;    /* a value of it that is to go, while the others that are read later stay; -1: all go */
    size_t saved; /* bytes, at the peak */
    double work;  /* added */
    reel_cuts cuts;
} reel_eviction;

/* What is known of the nodes, by position, the same for all schedules of a graph. */
typedef struct {
    int nodes;
    double *work; /* of a run */
    bool *fixed;  /* must not run again */
    int update;   /* the first node that changes a parameter; nothing runs again beyond it */
} reel_node_facts;

/* When a layout's memory is touched around its peak; filled once a layout, used for all its evictions. */
typedef struct {
    const reel_node_facts *facts;
    const reel_layout *layout;
    int place;           /* of the peak */
    int *maker;          /* per value: its step */
    int *head, *next;    /* the values in a storage: the first per storage, the next per value; -1 ends */
    int *before, *after; /* per storage: the place where it is touched last before the peak, and first after it */
    int *last_run;       /* per node: the place of its last run */
    int *stack;          /* steps to be looked at */
    int *rerun, *kept, *gone, stamp; /* per step, root, root: the stamp of the eviction that marked it */
    bool out_of_memory;              /* in judging */
} reel_survey;

/* Memory for surveys of layouts of up to `values` values. */
bool reel_survey_new(reel_survey *survey, const reel_node_facts *facts, int values);
void reel_survey_free(reel_survey *survey);
void reel_survey_take(reel_survey *survey, const reel_layout *layout);

/* The value that fills a storage which it shares with pieces that are read later, too; -1 for none. */
int reel_survey_whole(const reel_survey *survey, int storage);

/* Fills in the rest of an eviction, of which storage and alone are given. False when it cannot be or saves nothing. */
bool reel_survey_judge(reel_survey *survey, reel_eviction *eviction);

#endif
