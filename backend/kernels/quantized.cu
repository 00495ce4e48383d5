// Weights in few bits: `scale * integer`, 8-bit integers or two 4-bit ones a byte (the first in the high half), a scale
// for each `block` neighbours of a row. See `ops/quantized.rs`.
#include "common.cuh"

// Eight integers from where eight of them lie.
template <int BITS> __device__ __forceinline__ void integers(const uint8_t *from, int (&to)[8]) {
    if (BITS == 8) {
        uint2 bytes = *(const uint2 *)from;
        const int8_t *each = (const int8_t *)&bytes;
#pragma unroll
        for (int i = 0; i < 8; i++) to[i] = each[i];
    } else {
        uint32_t bytes = *(const uint32_t *)from;
#pragma unroll
        for (int i = 0; i < 8; i++) {
            int shift = i / 2 * 8 + (i % 2 ? 0 : 4);
            to[i] = (int)(bytes << (28 - shift)) >> 28;
        }
    }
}

// out[i] = scale * integer. A thread has eight numbers of a row. Grid: (columns / 8 / 256, rows); 256 threads.
template <typename T, int BITS>
__device__ void dequantize(const uint8_t *from, const f16 *scales, T *out, int columns, int block) {
    int column = (blockIdx.x * blockDim.x + threadIdx.x) * 8;
    if (column >= columns) return;
    size_t row = blockIdx.y, at = row * columns + column;
    float scale = to_f32(scales[row * (columns / block) + (block == columns ? 0 : column / block)]);
    int each[8];
    integers<BITS>(from + at * BITS / 8, each);
    Pack<T> packs[8 / Pack<T>::N];
#pragma unroll
    for (int i = 0; i < 8; i++) packs[i / Pack<T>::N].v[i % Pack<T>::N] = from_f32<T>(scale * each[i]);
#pragma unroll
    for (int i = 0; i < 8 / Pack<T>::N; i++) ((Pack<T> *)(out + at))[i] = packs[i];
}

// The number of largest size and its scale, integers by it. As `ops/quantized/rounding.rs`, to the bit.
// One thread block for each block of numbers. Grid: rows * (columns / block); `block` up to 256 threads.
template <typename T>
__device__ void quantize(const T *weight, uint8_t *out, f16 *scales, int block, int bits, int ggml) {
    __shared__ float scratch[32];
    __shared__ float shared_scale;
    weight += (size_t)blockIdx.x * block;
    out += (size_t)blockIdx.x * block * bits / 8;
    float largest = 0.f;
    for (int i = threadIdx.x; i < block; i += blockDim.x) largest = fmaxf(largest, fabsf(to_f32(weight[i])));
    largest = block_max(largest, scratch);
    if (threadIdx.x == 0) {
        float scale = largest / (bits == 8 ? 127.f : 7.f);
        if (ggml && bits == 4) {
            scale = 0.f;
            for (int i = 0; i < block; i++)
                if (fabsf(to_f32(weight[i])) == largest) {
                    scale = to_f32(weight[i]) / -8.f;
                    break;
                }
        }
        shared_scale = scale;
        scales[blockIdx.x] = __float2half_rn(scale);
    }
    __syncthreads();
    float scale = shared_scale, inverse = scale == 0.f ? 0.f : 1.f / scale, rounded = to_f32(__float2half_rn(scale));
    auto integer = [&](int i) {
        float value = to_f32(weight[i]);
        if (!ggml) return rounded == 0.f ? 0 : (int)rintf(to_f32(__float2half_rn(value / rounded)));
        if (bits == 8) return (int)roundf(value * inverse);
        return (int)fminf(__fadd_rn(__fmul_rn(value, inverse), 8.5f), 15.f) - 8; // not fused: as the processor
    };
    if (bits == 8) {
        for (int i = threadIdx.x; i < block; i += blockDim.x) out[i] = (uint8_t)integer(i);
    } else {
        for (int i = threadIdx.x; i < block / 2; i += blockDim.x)
            out[i] = (uint8_t)(integer(2 * i) << 4 | (integer(2 * i + 1) & 0xf));
    }
}

#define MAKE(T, S)                                                                                                     \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        dequantize_8_##S(const uint8_t *from, const f16 *scales, T *out, int columns, int block) {                     \
        dequantize<T, 8>(from, scales, out, columns, block);                                                           \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        dequantize_4_##S(const uint8_t *from, const f16 *scales, T *out, int columns, int block) {                     \
        dequantize<T, 4>(from, scales, out, columns, block);                                                           \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        quantize_##S(const T *weight, uint8_t *out, f16 *scales, int block, int bits, int ggml) {                      \
        quantize<T>(weight, out, scales, block, bits, ggml);                                                           \
    }
EACH_TYPE(MAKE)
