/* See data.h. */
#include "tools/data.h"

#include <string.h>

reel_status reel_data_open(reel_dataset *set, const reel_data_choice *choice, reel_error *error)
{
    if (strcmp(choice->name, "moving_shapes") != 0)
        return reel_dataset_open(set, choice->name, (reel_layout)choice->layout, choice->split, error);
    reel_moving_shapes options = {.seed = choice->seed,
                                  .videos = choice->videos,
                                  .frames = choice->frames,
                                  .width = choice->width,
                                  .height = choice->height,
                                  .objects = 3};
    return reel_moving_shapes_open(set, &options, error);
}
