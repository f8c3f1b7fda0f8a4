/* The exact squared distance transform of one plane, shared by the ops and kernels that need it.

   Squared distances separate: min over (y', x') of (x - x')^2 + (y - y')^2 is, along the row, the lower envelope of the
   parabolas (x - x')^2 + g(x')^2, where g(x') is the distance to the nearest feature in the column of x'. The envelope
   is built and read in one sweep each (Felzenszwalb and Huttenlocher 2012; in integers Meijster, Roerdink and Hesselink
   2000), so the whole takes O(H W), and as everything is an integer it is exact. */
#ifndef REEL_OPS_SQUARED_DISTANCE_H
#define REEL_OPS_SQUARED_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

/* No feature anywhere. */
#define REEL_INFINITELY_FAR INT64_MAX

/* column[y * width + x] becomes the distance to the nearest feature (non-zero byte) above or below, for x in
   first..end-1. */
void reel_column_distances(const uint8_t *feature, int64_t height, int64_t width, int64_t first, int64_t end,
                           int64_t *column);

/* One row: column[x] is the distance to the nearest feature in the column of x, REEL_INFINITELY_FAR for none;
   squared[x] becomes the squared distance to the nearest feature of all. `work` holds 2 width numbers. */
void reel_squared_distance_row(const int64_t *column, int64_t *squared, int64_t width, int64_t *work);

#endif
