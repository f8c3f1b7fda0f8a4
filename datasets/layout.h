/* What the layouts of data sets share. Internal to datasets/.

   Opening and verifying walk the same code. A fault in the data is handed to reel_fault: opening stops there, because
   a data set that contradicts itself should not be trained on; verifying reports it and goes on, keeping whatever is
   sound. So a function here returns false for "stop now", and then faults->error says why. */
#ifndef REEL_DATASETS_LAYOUT_H
#define REEL_DATASETS_LAYOUT_H

#include "datasets/dataset.h"
#include "datasets/folder.h"

typedef struct {
    reel_error *error;        /* never NULL */
    reel_fault_report report; /* NULL: the first fault stops */
    void *to;
    int count;
} reel_faults;

/* True when the caller should go on. */
bool reel_fault(reel_faults *faults, reel_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

static inline bool reel_stop_for_memory(reel_faults *faults)
{
    reel_fail_memory(faults->error);
    return false;
}

/* An empty data set of files: frames and masks are read from the paths of its videos. */
void reel_dataset_begin(reel_dataset *set);

/* The two layouts fill set->video. `split` is never NULL. */
bool reel_davis_open(reel_dataset *set, const char *folder, reel_layout layout, const char *split, reel_faults *faults);
bool reel_youtube_vos_open(reel_dataset *set, const char *folder, const char *split, reel_faults *faults);

/* Whether a folder looks like the layout. */
bool reel_davis_is_here(const char *folder);
bool reel_youtube_vos_is_here(const char *folder, const char *split);

/* reel_dataset_open without the faults on the way: the set is closed when this returns false. */
bool reel_dataset_open_layout(reel_dataset *set, const char *folder, reel_layout layout, const char *split,
                              reel_faults *faults);

/* Room for `count` videos; set->videos stays 0 and grows as they are filled. */
bool reel_dataset_reserve(reel_dataset *set, int count, reel_faults *faults);

/* The frames (.jpg, .jpeg or .png, named by their number) of one folder in time order, each with its mask (.png of the
   same name) where the other folder has one. Frames or masks that fit nowhere are faults. */
bool reel_video_find_files(reel_video *video, const char *name, const char *frame_folder, const char *mask_folder,
                           reel_faults *faults);

/* Index of the frame of exactly this name, or -1. */
int reel_video_find_frame(const reel_video *video, const char *frame);

/* A new object at the end, its `listed` all false; NULL when memory is refused. */
reel_video_object *reel_video_add_object(reel_video *video, int id, reel_faults *faults);

/* Binary data sets: every pixel that is not 0 is object 1. */
reel_status reel_dataset_read_binary_mask(const reel_dataset *set, int video, int frame, reel_mask *mask,
                                          reel_error *error);

#endif
