/* Trees of files as data sets have them, DAVIS and YouTube-VOS, small and sound; and what opening and verifying say of
   them. A test makes one and plants its fault there. */
#ifndef REEL_TESTS_SUPPORT_TREES_H
#define REEL_TESTS_SUPPORT_TREES_H

#include "datasets/dataset.h"
#include "tests/support/pictures.h"

/* --- making --- */

enum { WIDTH = 6, HEIGHT = 4, PIXELS = WIDTH * HEIGHT };

#define F "JPEGImages/480p/"
#define A "Annotations/480p/"
#define TF "train/JPEGImages/"
#define TA "train/Annotations/"

extern png_text png;           /* the last mask */
extern const char *root;       /* of the last tree */
extern const char *const meta; /* meta.json of make_youtube_vos */

void fresh(void); /* a new, empty root */
/* Creates root/path, with the folders above it. */
__attribute__((format(printf, 3, 4))) void put(const void *data, size_t bytes, const char *format, ...);
void put_text(const char *path, const char *text);
__attribute__((format(printf, 1, 2))) void take_away(const char *format, ...);
/* A mask whose first pixels show the ids of the string, one digit each. */
void mask_with(const char *digits, uint32_t width);
void put_frame(const char *folder, int number);
void put_mask(const char *folder, int number, const char *digits);
/* Two videos of five frames with objects 1 and 3, and the lists of 2017 (train: both, val: dog, test-dev: dog). */
void make_davis(void);
/* Video a1 with one frame; b0 with frames 5, 10, 15, 20, where object 3 comes late. A train and a valid split. */
void make_youtube_vos(void);

/* --- asking --- */

enum { REPORTS = 1 << 16 };
extern char reports[REPORTS];           /* of the last verification, a line each */
void note(void *to, const char *fault); /* adds one to `reports`, which is `to` */

/* The number of faults, which must also be the number of reports. */
int verify(const char *folder, reel_layout layout, const char *split);
void verifies_clean(reel_layout layout, const char *split);
/* Verifying finds exactly one fault, whose line has the words; `also_opening`: opening fails with the same line. */
void one_fault(const char *split, bool also_opening, const char *words);
/* Opening fails with this status and these words; verifying fails or names them too. */
void cannot_open(const char *folder, reel_layout layout, const char *split, reel_status status, const char *words);
reel_dataset opened(reel_layout layout, const char *split);

#endif
