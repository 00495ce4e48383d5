// Layer norm over the last axis, biased variance, arithmetic in f32 (PyTorch's `LayerNorm`).
//
// One block a row; the row stays in shared memory as f32 between the passes.
#include "common.cuh"

// Grid: rows. Shared memory: `columns` floats.
template <typename T>
__device__ void forward(const T *x, const T *weight, const T *bias, T *y, int columns, float eps) {
    extern __shared__ __align__(16) float row[];
    __shared__ float scratch[32];
    x += (size_t)blockIdx.x * columns;
    y += (size_t)blockIdx.x * columns;
    constexpr int N = Pack<T>::N;
    // Rows that are not made of whole packs are not aligned either.
    bool packed = columns % N == 0;
    float sum = 0.f;
    if (packed) {
        for (int i = threadIdx.x * N; i < columns; i += blockDim.x * N) {
            Pack<T> p = *(const Pack<T> *)(x + i);
#pragma unroll
            for (int k = 0; k < N; k++) sum += row[i + k] = to_f32(p.v[k]);
        }
    } else {
        for (int i = threadIdx.x; i < columns; i += blockDim.x) sum += row[i] = to_f32(x[i]);
    }
    float mean = block_sum(sum, scratch) / columns, squares = 0.f;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) squares += (row[i] - mean) * (row[i] - mean);
    float scale = rsqrtf(block_sum(squares, scratch) / columns + eps);
    if (packed) {
        for (int i = threadIdx.x * N; i < columns; i += blockDim.x * N) {
            Pack<T> w = *(const Pack<T> *)(weight + i), b = *(const Pack<T> *)(bias + i), p;
#pragma unroll
            for (int k = 0; k < N; k++)
                p.v[k] = from_f32<T>((row[i + k] - mean) * scale * to_f32(w.v[k]) + to_f32(b.v[k]));
            *(Pack<T> *)(y + i) = p;
        }
    } else {
        for (int i = threadIdx.x; i < columns; i += blockDim.x)
            y[i] = from_f32<T>((row[i] - mean) * scale * to_f32(weight[i]) + to_f32(bias[i]));
    }
}

// dx = scale * (dn - mean(dn) - n * mean(dn * n)), n the normalized row and dn = dy * weight.
// Grid: rows. Shared memory: 2 * `columns` floats.
template <typename T>
__device__ void backward(const T *x, const T *weight, const T *dy, T *dx, int columns, float eps) {
    extern __shared__ __align__(16) float row[];
    __shared__ float scratch[32];
    float *dn = row + columns;
    x += (size_t)blockIdx.x * columns;
    dy += (size_t)blockIdx.x * columns;
    dx += (size_t)blockIdx.x * columns;
    constexpr int N = Pack<T>::N;
    bool packed = columns % N == 0;
    float sum = 0.f, sum_dn = 0.f;
    if (packed) {
        for (int i = threadIdx.x * N; i < columns; i += blockDim.x * N) {
            Pack<T> p = *(const Pack<T> *)(x + i), g = *(const Pack<T> *)(dy + i), w = *(const Pack<T> *)(weight + i);
#pragma unroll
            for (int k = 0; k < N; k++) {
                sum += row[i + k] = to_f32(p.v[k]);
                sum_dn += dn[i + k] = to_f32(g.v[k]) * to_f32(w.v[k]);
            }
        }
    } else {
        for (int i = threadIdx.x; i < columns; i += blockDim.x) {
            sum += row[i] = to_f32(x[i]);
            sum_dn += dn[i] = to_f32(dy[i]) * to_f32(weight[i]);
        }
    }
    float mean = block_sum(sum, scratch) / columns, mean_dn = block_sum(sum_dn, scratch) / columns;
    float squares = 0.f, products = 0.f;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        float centred = row[i] - mean;
        squares += centred * centred;
        products += dn[i] * centred;
    }
    float scale = rsqrtf(block_sum(squares, scratch) / columns + eps);
    float slope = block_sum(products, scratch) / columns * scale * scale;
    if (packed) {
        for (int i = threadIdx.x * N; i < columns; i += blockDim.x * N) {
            Pack<T> p;
#pragma unroll
            for (int k = 0; k < N; k++)
                p.v[k] = from_f32<T>(scale * (dn[i + k] - mean_dn - (row[i + k] - mean) * slope));
            *(Pack<T> *)(dx + i) = p;
        }
    } else {
        for (int i = threadIdx.x; i < columns; i += blockDim.x)
            dx[i] = from_f32<T>(scale * (dn[i] - mean_dn - (row[i] - mean) * slope));
    }
}

#define MAKE(T, S)                                                                                                     \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        layer_norm_forward_##S(const T *x, const T *weight, const T *bias, T *y, int columns, float eps) {             \
        forward<T>(x, weight, bias, y, columns, eps);                                                                  \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        layer_norm_backward_##S(const T *x, const T *weight, const T *dy, T *dx, int columns, float eps) {             \
        backward<T>(x, weight, dy, dx, columns, eps);                                                                  \
    }
EACH_TYPE(MAKE)
