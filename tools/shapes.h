/* Writes a data set as files in the layout of DAVIS 2017: JPEGImages and Annotations under 480p, ImageSets/2017. */
#ifndef REEL_TOOLS_SHAPES_H
#define REEL_TOOLS_SHAPES_H

#include "datasets/dataset.h"

reel_status reel_dataset_export(const reel_dataset *set, const char *folder, reel_error *error);

/* Makes a folder and those above it. */
reel_status reel_make_folders(const char *path, reel_error *error);

#endif
