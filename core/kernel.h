/* How a kernel is called. Kernels are written for f32 and f64; one that also reads and writes bf16 says so
   (reel_kernel.bf16). Any other is run on float copies: inputs widened in scratch memory, outputs narrowed from there.
   That way every op works in bf16 at once, sums are those of the float kernel, and where it is worth it a kernel of its
   own takes the place of the copies.

   Cost of the copies: one pass over each bf16 array, and twice its bytes of scratch memory while the node runs. */
#ifndef REEL_CORE_KERNEL_H
#define REEL_CORE_KERNEL_H

#include "core/arena.h"
#include "core/op.h"

/* The scratch memory that a call needs; it sees shapes, no data. Fails when out of memory. */
reel_status reel_kernel_scratch(const reel_kernel *kernel, const reel_call *call, size_t *bytes);

/* Runs the kernel; call->scratch has what reel_kernel_scratch told, aligned to REEL_ALIGNMENT. */
reel_status reel_kernel_run(const reel_kernel *kernel, const reel_call *call);

/* The two parts of that, for a backend whose memory is elsewhere: whether a call has bf16 arrays, and the same call on
   float copies, whose descriptions go to `array` and whose elements lie in `room`, scratch memory of the kernel after
   them. With room NULL there are only shapes. Returns the bytes of the copies. */
bool reel_call_has_bf16(const reel_call *call);
size_t reel_call_widen(const reel_call *call, reel_array *array, char *room, reel_call *wide);

/* Scratch memory that is enough for float copies of all arrays of a call, `elements` in all, and for nothing else. */
#define REEL_KERNEL_COPIES(arrays, elements)                                                                           \
    ((size_t)REEL_ALIGNMENT * ((arrays) + 1) + (arrays) * sizeof(reel_array) + (elements) * sizeof(float))

#endif
