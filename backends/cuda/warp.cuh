/* What the threads of a warp do together for a matrix product, on sm_80 and later: tensor cores, the loads that feed
   them, and copies into shared memory that go on beside them. Each function is one instruction.

   A tensor core multiplies a left matrix of 16 rows by a right one of 8 columns, 32 bytes deep: 16 deep in bf16, 8 in
   TF32. Lane l holds, with g = l / 4, t = l % 4, and a word being 4 bytes along the depth,

       left[4]   word t of row g, word t of row g + 8, word t + 4 of row g, word t + 4 of row g + 8
       right[2]  words t and t + 4 of column g
       sum[4]    row g, columns 2 t and 2 t + 1; row g + 8, the same columns

   TF32 is a float of 10 bits of fraction; what a core does with the other 13 is not promised, so warp_tf32 rounds them
   off. Products are exact, sums are float.

   Tests have these functions too (tests/cuda/emulated_warp.h), with the same meaning. */
#ifndef REEL_BACKENDS_CUDA_WARP_CUH
#define REEL_BACKENDS_CUDA_WARP_CUH

#include <cuda_runtime.h>

#ifndef REEL_CUDA_EMULATED

__device__ __forceinline__ unsigned warp_shared_address(const void *shared)
{
    return (unsigned)__cvta_generic_to_shared(shared);
}

/* sum += left right, in bf16. */
__device__ __forceinline__ void warp_multiply_bf16(float sum[4], const unsigned left[4], const unsigned right[2])
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                 "{%0,%1,%2,%3};"
                 : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                 : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right[0]), "r"(right[1]));
}

/* sum += left right, in TF32. */
__device__ __forceinline__ void warp_multiply_tf32(float sum[4], const unsigned left[4], const unsigned right[2])
{
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                 "{%0,%1,%2,%3};"
                 : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                 : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right[0]), "r"(right[1]));
}

/* A float rounded to TF32, ties away from zero. */
__device__ __forceinline__ unsigned warp_tf32(float value)
{
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return bits;
}

/* Four matrices of 8 rows of 16 bytes. Lane l says where row l % 8 of matrix l / 8 is, and gets word t of row g of each
   matrix. */
__device__ __forceinline__ void warp_load(unsigned word[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(word[0]), "=r"(word[1]), "=r"(word[2]), "=r"(word[3])
                 : "r"(warp_shared_address(row))
                 : "memory");
}

/* The same of matrices of 8 x 8 bf16, which are turned: a lane gets elements 2 t and 2 t + 1 of column g. */
__device__ __forceinline__ void warp_load_turned(unsigned word[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(word[0]), "=r"(word[1]), "=r"(word[2]), "=r"(word[3])
                 : "r"(warp_shared_address(row))
                 : "memory");
}

/* Starts to copy 16 bytes, or 16 zeros, into shared memory; both are aligned. */
__device__ __forceinline__ void copy_begin(void *shared, const void *from, bool zeros)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(warp_shared_address(shared)), "l"(from),
                 "r"(zeros ? 0 : 16)
                 : "memory");
}

/* What this thread has begun since the last time is one group. */
__device__ __forceinline__ void copy_group()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

/* Waits until all groups of this thread but the latest LATER are copied. Others' are after a barrier. */
template <int LATER> __device__ __forceinline__ void copy_wait()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(LATER) : "memory");
}

#endif
#endif
