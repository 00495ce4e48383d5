// The adapter beside a frozen linear layer: y += scale * dropout(x) A^T B^T, A [rank, in], B [out, rank], both f32.
//
// Each kernel takes up to RANKS ranks of the adapter; a larger one is launched again for the next ranks. Sums go in a
// fixed order: two runs agree to the bit.
#include "common.cuh"

constexpr int RANKS = 8;
// Rows that a block reads A (or B) once for.
constexpr int ROWS = 4;

// Sums `values` over the block; thread 0 .. COUNT-1 get one sum each. `scratch`: warps * COUNT floats.
template <int COUNT> __device__ __forceinline__ float block_sums(const float (&values)[COUNT], float *scratch) {
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, warps = blockDim.x >> 5;
    __syncthreads();
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        float sum = warp_sum(values[i]);
        if (lane == 0) scratch[warp * COUNT + i] = sum;
    }
    __syncthreads();
    float sum = 0.f;
    if (threadIdx.x < COUNT)
        for (int i = 0; i < warps; i++) sum += scratch[i * COUNT + threadIdx.x];
    return sum;
}

// low[row, first..] = scale * dropout(x[row]) · A^T. Grid: rows / ROWS; 256 threads.
template <typename T>
__device__ void down(const T *x, const float *a, float *low, int rows, int in, int rank, int first, float scale,
                     Dropout dropout) {
    __shared__ float scratch[8 * ROWS * RANKS];
    constexpr int N = Pack<T>::N;
    int row = blockIdx.x * ROWS, ranks = min(RANKS, rank - first);
    float sums[ROWS * RANKS] = {};
    for (int i = threadIdx.x * N; i < in; i += blockDim.x * N) {
        float values[ROWS][N];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            if (row + r < rows) {
                size_t at = (size_t)(row + r) * in + i;
                Pack<T> p = *(const Pack<T> *)(x + at);
#pragma unroll
                for (int k = 0; k < N; k++) {
                    float factor = dropout.threshold ? dropout.factor((uint32_t)at + k) : 1.f;
                    values[r][k] = to_f32(p.v[k]) * factor;
                }
            } else {
#pragma unroll
                for (int k = 0; k < N; k++) values[r][k] = 0.f;
            }
        }
#pragma unroll
        for (int j = 0; j < RANKS; j++) {
            if (j >= ranks) break;
            const float4 *of_a = (const float4 *)(a + (size_t)(first + j) * in + i);
#pragma unroll
            for (int k = 0; k < N; k += 4) {
                float4 w = of_a[k / 4];
#pragma unroll
                for (int r = 0; r < ROWS; r++)
                    sums[r * RANKS + j] += values[r][k] * w.x + values[r][k + 1] * w.y + values[r][k + 2] * w.z +
                                           values[r][k + 3] * w.w;
            }
        }
    }
    float sum = block_sums(sums, scratch);
    int r = threadIdx.x / RANKS, j = threadIdx.x % RANKS;
    if (threadIdx.x < ROWS * RANKS && row + r < rows && j < ranks)
        low[(size_t)(row + r) * rank + first + j] = sum * scale;
}

// y[row] += low[row] · B^T, in place. Grid: (out / (256 * 2), rows / 16).
template <typename T>
__device__ void up(T *y, const float *low, const float *b, int rows, int out, int rank, int first) {
    int column = (blockIdx.x * blockDim.x + threadIdx.x) * 2, ranks = min(RANKS, rank - first);
    if (column >= out) return;
    float weights[2][RANKS];
#pragma unroll
    for (int j = 0; j < RANKS; j++)
#pragma unroll
        for (int k = 0; k < 2; k++)
            weights[k][j] = j < ranks ? b[(size_t)(column + k) * rank + first + j] : 0.f;
    int end = min(rows, (int)(blockIdx.y + 1) * 16);
    for (int row = blockIdx.y * 16; row < end; row++) {
        float sums[2] = {};
#pragma unroll
        for (int j = 0; j < RANKS; j++) {
            float l = j < ranks ? low[(size_t)row * rank + first + j] : 0.f;
            sums[0] += l * weights[0][j];
            sums[1] += l * weights[1][j];
        }
        T *to = y + (size_t)row * out + column;
        to[0] = from_f32<T>(to_f32(to[0]) + sums[0]);
        to[1] = from_f32<T>(to_f32(to[1]) + sums[1]);
    }
}

// d_low[row, first..] = scale * dy[row] · B. Grid: rows / ROWS; 256 threads.
template <typename T>
__device__ void up_backward(const T *dy, const float *b, float *d_low, int rows, int out, int rank, int first,
                            float scale) {
    __shared__ float scratch[8 * ROWS * RANKS];
    constexpr int N = Pack<T>::N;
    int row = blockIdx.x * ROWS, ranks = min(RANKS, rank - first);
    float sums[ROWS * RANKS] = {};
    for (int i = threadIdx.x * N; i < out; i += blockDim.x * N) {
        Pack<T> values[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++)
            if (row + r < rows) values[r] = *(const Pack<T> *)(dy + (size_t)(row + r) * out + i);
#pragma unroll
        for (int k = 0; k < N; k++) {
            float weights[RANKS];
#pragma unroll
            for (int j = 0; j < RANKS; j++) weights[j] = j < ranks ? b[(size_t)(i + k) * rank + first + j] : 0.f;
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                float value = row + r < rows ? to_f32(values[r].v[k]) : 0.f;
#pragma unroll
                for (int j = 0; j < RANKS; j++) sums[r * RANKS + j] += value * weights[j];
            }
        }
    }
    float sum = block_sums(sums, scratch);
    int r = threadIdx.x / RANKS, j = threadIdx.x % RANKS;
    if (threadIdx.x < ROWS * RANKS && row + r < rows && j < ranks)
        d_low[(size_t)(row + r) * rank + first + j] = sum * scale;
}

// partial[split, column, first..] = sum over the split's rows of dropout(z[row, column]) * low[row, first..]: the
// gradients of B (z = dy) and of A (z = x, low = d_low). Grid: (columns / (128 * 2), splits); 128 threads.
template <typename T>
__device__ void outer(const T *z, const float *low, float *partial, int rows, int columns, int rank, int first,
                      int rows_a_split, Dropout dropout) {
    int column = (blockIdx.x * blockDim.x + threadIdx.x) * 2, ranks = min(RANKS, rank - first);
    if (column >= columns) return;
    float sums[2][RANKS] = {};
    int end = min(rows, (int)(blockIdx.y + 1) * rows_a_split);
#pragma unroll 4
    for (int row = blockIdx.y * rows_a_split; row < end; row++) {
        size_t at = (size_t)row * columns + column;
        float values[2];
#pragma unroll
        for (int k = 0; k < 2; k++) {
            values[k] = to_f32(z[at + k]);
            if (dropout.threshold) values[k] *= dropout.factor((uint32_t)at + k);
        }
#pragma unroll
        for (int j = 0; j < RANKS; j++) {
            float l = j < ranks ? low[(size_t)row * rank + first + j] : 0.f;
            sums[0][j] += l * values[0];
            sums[1][j] += l * values[1];
        }
    }
#pragma unroll
    for (int k = 0; k < 2; k++)
#pragma unroll
        for (int j = 0; j < RANKS; j++)
            if (j < ranks) partial[((size_t)blockIdx.y * columns + column + k) * rank + first + j] = sums[k][j];
}

// dx[row] += dropout(d_low[row] · A), in place. Grid: (in / (256 * 2), rows / 16).
template <typename T>
__device__ void down_backward(T *dx, const float *d_low, const float *a, int rows, int in, int rank, int first,
                              Dropout dropout) {
    int column = (blockIdx.x * blockDim.x + threadIdx.x) * 2, ranks = min(RANKS, rank - first);
    if (column >= in) return;
    float weights[2][RANKS];
#pragma unroll
    for (int j = 0; j < RANKS; j++)
#pragma unroll
        for (int k = 0; k < 2; k++) weights[k][j] = j < ranks ? a[(size_t)(first + j) * in + column + k] : 0.f;
    int end = min(rows, (int)(blockIdx.y + 1) * 16);
    for (int row = blockIdx.y * 16; row < end; row++) {
        size_t at = (size_t)row * in + column;
        float sums[2] = {};
#pragma unroll
        for (int j = 0; j < RANKS; j++) {
            float l = j < ranks ? d_low[(size_t)row * rank + first + j] : 0.f;
            sums[0] += l * weights[0][j];
            sums[1] += l * weights[1][j];
        }
#pragma unroll
        for (int k = 0; k < 2; k++) {
            float factor = dropout.threshold ? dropout.factor((uint32_t)at + k) : 1.f;
            dx[at + k] = from_f32<T>(to_f32(dx[at + k]) + sums[k] * factor);
        }
    }
}

// Adds up the splits: out[column, rank], or with `turned` out[rank, column]. Grid: columns * rank / 256.
extern "C" __global__ void lora_join_splits(const float *partial, float *out, int columns, int rank, int splits,
                                            int turned) {
    int at = blockIdx.x * blockDim.x + threadIdx.x, size = columns * rank;
    if (at >= size) return;
    float sum = 0.f;
    for (int split = 0; split < splits; split++) sum += partial[(size_t)split * size + at];
    out[turned ? at % rank * columns + at / rank : at] = sum;
}

#define MAKE(T, S)                                                                                                     \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        lora_down_##S(const T *x, const float *a, float *low, int rows, int in, int rank, int first, float scale,      \
                      Dropout dropout) {                                                                               \
        down<T>(x, a, low, rows, in, rank, first, scale, dropout);                                                     \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        lora_up_##S(T *y, const float *low, const float *b, int rows, int out, int rank, int first) {                  \
        up<T>(y, low, b, rows, out, rank, first);                                                                      \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        lora_up_backward_##S(const T *dy, const float *b, float *d_low, int rows, int out, int rank, int first,        \
                             float scale) {                                                                            \
        up_backward<T>(dy, b, d_low, rows, out, rank, first, scale);                                                   \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(128)                                                                  \
        lora_outer_##S(const T *z, const float *low, float *partial, int rows, int columns, int rank, int first,       \
                       int rows_a_split, Dropout dropout) {                                                            \
        outer<T>(z, low, partial, rows, columns, rank, first, rows_a_split, dropout);                                  \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        lora_down_backward_##S(T *dx, const float *d_low, const float *a, int rows, int in, int rank, int first,       \
                               Dropout dropout) {                                                                      \
        down_backward<T>(dx, d_low, a, rows, in, rank, first, dropout);                                                \
    }
EACH_TYPE(MAKE)
