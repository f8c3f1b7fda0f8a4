/* A data set is a list of videos; a video is a list of frames with the objects that are marked in it. What is behind
   it (DAVIS folders, YouTube-VOS with its meta.json, a generator) is hidden by two functions that fetch one frame or
   one mask, from any thread.

   Opening reads lists and names; pictures are read when asked for. One exception: only the first mask of a DAVIS 2017
   video tells which objects it has, so that one is decoded. */
#ifndef REEL_DATASETS_DATASET_H
#define REEL_DATASETS_DATASET_H

#include "datasets/image.h"

typedef struct {
    int id;    /* the pixel value in the masks, 1..254; ids may have gaps */
    int first; /* index of the first frame whose mask shows or lists the object; YouTube-VOS has a few blank ones */
    char *category; /* NULL when the data set does not tell */
    bool *listed;   /* per frame: the data set has, or asks for, a mask of this object here */
} reel_video_object;

typedef struct {
    char *name;
    int frames;
    char **frame;                   /* frame names without extension, in time order: "00000", "00005", … */
    char **frame_path, **mask_path; /* NULL for generated videos; a mask path is NULL where there is no mask */
    int objects;
    reel_video_object *object; /* by ascending id */
} reel_video;

typedef struct reel_dataset {
    char *name; /* the folder, or "moving_shapes" */
    int videos;
    reel_video *video;
    reel_status (*read_frame)(const struct reel_dataset *set, int video, int frame, reel_image *image,
                              reel_error *error);
    /* A frame without a mask gives REEL_OK and a mask of width 0. A mask that is not as large as its frame fails. */
    reel_status (*read_mask)(const struct reel_dataset *set, int video, int frame, reel_mask *mask, reel_error *error);
    void *own; /* what the layout or generator keeps; freed by close_own */
    void (*close_own)(void *own);
} reel_dataset;

typedef enum { REEL_ANY_LAYOUT, REEL_DAVIS2016, REEL_DAVIS2017, REEL_YOUTUBE_VOS } reel_layout;

/* Opens a folder in a known layout; `split` is train, val, valid, test, … or NULL for the layout's training split.
   REEL_ANY_LAYOUT tells DAVIS (an ImageSets or Annotations/480p folder) from YouTube-VOS (a meta.json) by looking, and
   the year of DAVIS by its lists. In DAVIS 2016 every non-zero mask pixel is object 1. A DAVIS folder without ImageSets
   gives all its videos for any split; a YouTube-VOS folder may be the root or one split. Fails on the first
   contradiction it meets; `reel_dataset_verify` lists them all. On failure the set is closed already. */
reel_status reel_dataset_open(reel_dataset *set, const char *folder, reel_layout layout, const char *split,
                              reel_error *error);

/* One video from a folder of frames and its masks: a PNG for the first frame (or the frame of the same name), or a
   folder of PNGs for the frames in which objects are first marked. */
reel_status reel_dataset_open_video(reel_dataset *set, const char *frames, const char *masks, reel_error *error);

void reel_dataset_close(reel_dataset *set);

/* Index of the video of that name, or -1. */
int reel_dataset_find(const reel_dataset *set, const char *name);

/* Decodes everything and calls `report` once a fault (path, what, expected); returns the number of faults, or -1 when
   the folder is no data set at all, its list of videos cannot be read, or memory runs out (then `error` says why). The
   reports come from one thread, in the same order every time. */
typedef void (*reel_fault_report)(void *to, const char *fault);
int reel_dataset_verify(const char *folder, reel_layout layout, const char *split, reel_fault_report report, void *to,
                        reel_error *error);

/* moving_shapes: seeded videos of textured objects that move, deform, leave, return and hide each other in front of a
   moving textured background. Nothing is stored: video v of seed s is a function of (s, v, frame). */
typedef struct {
    uint64_t seed;
    int videos, frames, width, height, objects; /* objects: the most a video has */
} reel_moving_shapes;
reel_status reel_moving_shapes_open(reel_dataset *set, const reel_moving_shapes *options, reel_error *error);

#endif
