// What every kernel shares: element types, packs of them, sums over a block, the dropout rule.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>

typedef __half f16;
typedef __nv_bfloat16 bf16;

__device__ __forceinline__ float to_f32(float x) { return x; }
__device__ __forceinline__ float to_f32(f16 x) { return __half2float(x); }
__device__ __forceinline__ float to_f32(bf16 x) { return __bfloat162float(x); }
template <typename T> __device__ __forceinline__ T from_f32(float x);
template <> __device__ __forceinline__ float from_f32<float>(float x) { return x; }
template <> __device__ __forceinline__ f16 from_f32<f16>(float x) { return __float2half_rn(x); }
template <> __device__ __forceinline__ bf16 from_f32<bf16>(float x) { return __float2bfloat16_rn(x); }

// Kernels start while the one before them ends: until `wait_for_input` they read nothing but weights and
// what was written before the last one that did not start so, and write nothing.
__device__ __forceinline__ void let_next_start() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;");
#endif
}
__device__ __forceinline__ void wait_for_input() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// The 32 bytes there on their way to the L2 cache. What another kernel still writes may come so, too.
__device__ __forceinline__ void bring_near(const void *from) {
    asm volatile("prefetch.global.L2 [%0];" ::"l"(from));
}

// GELU in its tanh form, and what it multiplies x by.
__device__ __forceinline__ float gelu_gate(float x) {
    return 1.f / (1.f + __expf(-1.5957691216057308f * x * (1.f + 0.044715f * (x * x))));
}
__device__ __forceinline__ float gelu(float x) { return x * gelu_gate(x); }

// As many elements as one 16-byte access moves.
template <typename T> struct alignas(16) Pack {
    static constexpr int N = 16 / sizeof(T);
    T v[N];
};

// Four elements in one access.
template <typename T> struct alignas(4 * sizeof(T)) Four {
    T v[4];
};

__device__ __forceinline__ float warp_sum(float x) {
#pragma unroll
    for (int lane = 16; lane; lane >>= 1) x += __shfl_xor_sync(~0u, x, lane);
    return x;
}
__device__ __forceinline__ float warp_max(float x) {
#pragma unroll
    for (int lane = 16; lane; lane >>= 1) x = fmaxf(x, __shfl_xor_sync(~0u, x, lane));
    return x;
}

// The sum over all threads of a block, in every thread. `scratch` holds a number for each warp.
__device__ __forceinline__ float block_sum(float x, float *scratch) {
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, warps = (blockDim.x + 31) >> 5;
    x = warp_sum(x);
    __syncthreads();
    if (lane == 0) scratch[warp] = x;
    __syncthreads();
    return warp_sum(lane < warps ? scratch[lane] : 0.f);
}
__device__ __forceinline__ float block_max(float x, float *scratch) {
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, warps = (blockDim.x + 31) >> 5;
    x = warp_max(x);
    __syncthreads();
    if (lane == 0) scratch[warp] = x;
    __syncthreads();
    return warp_max(lane < warps ? scratch[lane] : -INFINITY);
}

// The mask of `ops/dropout.rs`, bit for bit: the factor of element `index`.
struct Dropout {
    uint32_t key0, key1, threshold;
    float scale;
    __device__ __forceinline__ static uint32_t begin(uint32_t x) { return x ^ (x >> 16); }
    __device__ __forceinline__ static uint32_t end(uint32_t x) {
        x *= 0x7feb352du;
        x ^= x >> 15;
        x *= 0x846ca68bu;
        return x ^ (x >> 16);
    }
    __device__ __forceinline__ float factor(uint32_t index) const { return factor_of(first_of_eight(index), 0); }
    // Eight neighbours from a multiple of eight on begin alike: the factor of the one `k` behind the first.
    __device__ __forceinline__ uint32_t first_of_eight(uint32_t index) const { return begin(index ^ key0); }
    __device__ __forceinline__ float factor_of(uint32_t first, uint32_t k) const {
        return end(begin(end(first ^ k) ^ key1)) >= threshold ? scale : 0.f;
    }
};

#define EACH_TYPE(MAKE) MAKE(float, f32) MAKE(f16, f16) MAKE(bf16, bf16)
