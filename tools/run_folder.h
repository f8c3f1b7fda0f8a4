/* The folder of a training run:

       last.safetensors      the newest weights, moments and settings; previous.safetensors: those before
       log.csv               a line a step
       loss.svg              the curve
       lock                  held while a process trains here

   Only one process at a time may train in a folder. */
#ifndef REEL_TOOLS_RUN_FOLDER_H
#define REEL_TOOLS_RUN_FOLDER_H

#include "models/safetensors.h"
#include "tools/trainer.h"

#include <stdio.h>

typedef struct {
    char path[3072];
    int lock;
    FILE *log;
} reel_run_folder;

/* Makes the folder if it is not there and locks it. A folder that holds a run is refused unless `resume`. */
reel_status reel_run_open(reel_run_folder *run, const char *path, bool resume, reel_error *error);
void reel_run_close(reel_run_folder *run);

/* A file of the folder; `text` of 4096 bytes. */
char *reel_run_file(const reel_run_folder *run, const char *name, char text[4096]);

/* Opens the log; lines of steps beyond `step` (a run that was cut after its last checkpoint) are dropped. */
reel_status reel_run_log_begin(reel_run_folder *run, uint64_t step, reel_error *error);
reel_status reel_run_log(reel_run_folder *run, uint64_t step, double lr, const reel_step_report *report,
                         reel_error *error);

/* Writes last.safetensors, keeping the one before as previous.safetensors. */
reel_status reel_run_save(const reel_run_folder *run, reel_parameters *set, const reel_metadata *metadata, size_t count,
                          reel_error *error);

/* Draws loss.svg from log.csv. */
reel_status reel_run_draw(const reel_run_folder *run, reel_error *error);

#endif
