/* Masks are written to folders that a person names, and so to the wrong one now and then: the folder of the frames,
   that of the masks that were painted, or one for two things. Each is refused before anything is written. */
#ifndef REEL_TOOLS_KEEP_INPUT_H
#define REEL_TOOLS_KEEP_INPUT_H

#include "datasets/dataset.h"

/* Whether two paths lead to the same folder, however they are written; false when one of them leads nowhere. */
bool reel_same_folder(const char *a, const char *b);

/* Refuses `folder`, the value of option --`option`, when pictures named FRAME.png in it would stand among the frames of
   the video or take the place of one of its masks. */
reel_status reel_keep_input(const reel_video *video, const char *folder, const char *option, reel_error *error);

#endif
