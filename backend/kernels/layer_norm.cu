// Layer norm over the last axis, biased variance, arithmetic in f32 (PyTorch's `LayerNorm`).
//
// One block a row. The row stays in registers between the passes where it is made of few whole packs, else in shared
// memory as f32.
#include "common.cuh"

constexpr int THREADS = 256;
// Packs that a thread holds.
constexpr int PACKS = 2;

// Rows that are not made of whole packs are not aligned either.
template <typename T> __device__ __forceinline__ bool fits_registers(int columns) {
    return columns % Pack<T>::N == 0 && columns <= PACKS * THREADS * Pack<T>::N;
}

// Grid: rows. Shared memory: `columns` floats, or none where the row fits registers.
template <typename T>
__device__ void forward(const T *x, const T *weight, const T *bias, T *y, int columns, float eps) {
    extern __shared__ __align__(16) float row[];
    __shared__ float scratch[32];
    let_next_start();
    wait_for_input();
    x += (size_t)blockIdx.x * columns;
    y += (size_t)blockIdx.x * columns;
    constexpr int N = Pack<T>::N;
    float sum = 0.f, squares = 0.f;
    if (fits_registers<T>(columns)) {
        float values[PACKS][N];
#pragma unroll
        for (int p = 0; p < PACKS; p++) {
            int i = (p * THREADS + threadIdx.x) * N;
            if (i >= columns) break;
            Pack<T> pack = *(const Pack<T> *)(x + i);
#pragma unroll
            for (int k = 0; k < N; k++) sum += values[p][k] = to_f32(pack.v[k]);
        }
        float mean = block_sum(sum, scratch) / columns;
#pragma unroll
        for (int p = 0; p < PACKS; p++) {
            if ((p * THREADS + threadIdx.x) * N >= columns) break;
#pragma unroll
            for (int k = 0; k < N; k++) squares += (values[p][k] - mean) * (values[p][k] - mean);
        }
        float scale = rsqrtf(block_sum(squares, scratch) / columns + eps);
#pragma unroll
        for (int p = 0; p < PACKS; p++) {
            int i = (p * THREADS + threadIdx.x) * N;
            if (i >= columns) break;
            Pack<T> w = *(const Pack<T> *)(weight + i), b = *(const Pack<T> *)(bias + i), pack;
#pragma unroll
            for (int k = 0; k < N; k++)
                pack.v[k] = from_f32<T>((values[p][k] - mean) * scale * to_f32(w.v[k]) + to_f32(b.v[k]));
            *(Pack<T> *)(y + i) = pack;
        }
        return;
    }
    for (int i = threadIdx.x; i < columns; i += blockDim.x) sum += row[i] = to_f32(x[i]);
    float mean = block_sum(sum, scratch) / columns;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) squares += (row[i] - mean) * (row[i] - mean);
    float scale = rsqrtf(block_sum(squares, scratch) / columns + eps);
    for (int i = threadIdx.x; i < columns; i += blockDim.x)
        y[i] = from_f32<T>((row[i] - mean) * scale * to_f32(weight[i]) + to_f32(bias[i]));
}

// dx = scale * (dn - mean(dn) - n * mean(dn * n)), n the normalized row and dn = dy * weight.
// Grid: rows. Shared memory: 2 * `columns` floats, or none where the row fits registers.
template <typename T>
__device__ void backward(const T *x, const T *weight, const T *dy, T *dx, int columns, float eps) {
    extern __shared__ __align__(16) float row[];
    __shared__ float scratch[32];
    let_next_start();
    wait_for_input();
    x += (size_t)blockIdx.x * columns;
    dy += (size_t)blockIdx.x * columns;
    dx += (size_t)blockIdx.x * columns;
    constexpr int N = Pack<T>::N;
    float sum = 0.f, sum_dn = 0.f, squares = 0.f, products = 0.f;
    if (fits_registers<T>(columns)) {
        float values[PACKS][N], dn[PACKS][N];
#pragma unroll
        for (int p = 0; p < PACKS; p++) {
            int i = (p * THREADS + threadIdx.x) * N;
            if (i >= columns) break;
            Pack<T> of_x = *(const Pack<T> *)(x + i), g = *(const Pack<T> *)(dy + i), w = *(const Pack<T> *)(weight + i);
#pragma unroll
            for (int k = 0; k < N; k++) {
                sum += values[p][k] = to_f32(of_x.v[k]);
                sum_dn += dn[p][k] = to_f32(g.v[k]) * to_f32(w.v[k]);
            }
        }
        float mean = block_sum(sum, scratch) / columns, mean_dn = block_sum(sum_dn, scratch) / columns;
#pragma unroll
        for (int p = 0; p < PACKS; p++) {
            if ((p * THREADS + threadIdx.x) * N >= columns) break;
#pragma unroll
            for (int k = 0; k < N; k++) {
                values[p][k] -= mean;
                squares += values[p][k] * values[p][k];
                products += dn[p][k] * values[p][k];
            }
        }
        float scale = rsqrtf(block_sum(squares, scratch) / columns + eps);
        float slope = block_sum(products, scratch) / columns * scale * scale;
#pragma unroll
        for (int p = 0; p < PACKS; p++) {
            int i = (p * THREADS + threadIdx.x) * N;
            if (i >= columns) break;
            Pack<T> pack;
#pragma unroll
            for (int k = 0; k < N; k++)
                pack.v[k] = from_f32<T>(scale * (dn[p][k] - mean_dn - values[p][k] * slope));
            *(Pack<T> *)(dx + i) = pack;
        }
        return;
    }
    float *dn = row + columns;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        sum += row[i] = to_f32(x[i]);
        sum_dn += dn[i] = to_f32(dy[i]) * to_f32(weight[i]);
    }
    float mean = block_sum(sum, scratch) / columns, mean_dn = block_sum(sum_dn, scratch) / columns;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        float centred = row[i] - mean;
        squares += centred * centred;
        products += dn[i] * centred;
    }
    float scale = rsqrtf(block_sum(squares, scratch) / columns + eps);
    float slope = block_sum(products, scratch) / columns * scale * scale;
    for (int i = threadIdx.x; i < columns; i += blockDim.x)
        dx[i] = from_f32<T>(scale * (dn[i] - mean_dn - (row[i] - mean) * slope));
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
