// Gradients of what a full training run learns beside the matrices: biases, layer norms, the embedding. Sums over the
// rows are f32 and made in one order, so equal inputs give equal bits.
#include "common.cuh"

constexpr int LANES = 32, ROWS = 8;

// The sum over ROWS threads of a column, in the first of them.
__device__ __forceinline__ float column_sum(float x, float (*scratch)[LANES]) {
    int lane = threadIdx.x % LANES, row = threadIdx.x / LANES;
    __syncthreads();
    scratch[row][lane] = x;
    __syncthreads();
    float sum = 0.f;
    if (row == 0)
#pragma unroll
        for (int i = 0; i < ROWS; i++) sum += scratch[i][lane];
    return sum;
}

// parts[part, column] = the sum of a part's rows of x [rows, columns].
// Grid: (columns / 32, parts); 256 threads.
template <typename T> __device__ void sums(const T *x, float *parts, int rows, int columns) {
    __shared__ float scratch[ROWS][LANES];
    int column = blockIdx.x * LANES + threadIdx.x % LANES;
    int a_part = (rows + gridDim.y - 1) / gridDim.y, end = min(rows, (int)(blockIdx.y + 1) * a_part);
    float sum = 0.f;
    if (column < columns)
        for (int row = blockIdx.y * a_part + threadIdx.x / LANES; row < end; row += ROWS)
            sum += to_f32(x[(size_t)row * columns + column]);
    sum = column_sum(sum, scratch);
    if (threadIdx.x < LANES && column < columns) parts[(size_t)blockIdx.y * columns + column] = sum;
}

// statistics[row] = mean, and 1 / the standard deviation. A warp a row; 256 threads.
template <typename T> __device__ void statistics(const T *x, float2 *statistics, int rows, int columns, float eps) {
    int row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    x += (size_t)row * columns;
    float sum = 0.f, squares = 0.f;
    for (int i = lane; i < columns; i += 32) sum += to_f32(x[i]);
    float mean = warp_sum(sum) / columns;
    for (int i = lane; i < columns; i += 32) squares += (to_f32(x[i]) - mean) * (to_f32(x[i]) - mean);
    float scale = rsqrtf(warp_sum(squares) / columns + eps);
    if (lane == 0) statistics[row] = make_float2(mean, scale);
}

// Of a layer norm of x: parts[part, 0, column] of its weight's gradient, parts[part, 1, column] of its bias's.
// Grid: (columns / 32, parts); 256 threads.
template <typename T>
__device__ void norm(const T *x, const T *dy, const float2 *statistics, float *parts, int rows, int columns) {
    __shared__ float scratch[ROWS][LANES];
    int column = blockIdx.x * LANES + threadIdx.x % LANES;
    int a_part = (rows + gridDim.y - 1) / gridDim.y, end = min(rows, (int)(blockIdx.y + 1) * a_part);
    float of_weight = 0.f, of_bias = 0.f;
    if (column < columns)
        for (int row = blockIdx.y * a_part + threadIdx.x / LANES; row < end; row += ROWS) {
            float2 of_row = statistics[row];
            float d = to_f32(dy[(size_t)row * columns + column]);
            of_weight += d * (to_f32(x[(size_t)row * columns + column]) - of_row.x) * of_row.y;
            of_bias += d;
        }
    of_weight = column_sum(of_weight, scratch);
    of_bias = column_sum(of_bias, scratch);
    if (threadIdx.x < LANES && column < columns) {
        parts[((size_t)blockIdx.y * 2 + 0) * columns + column] = of_weight;
        parts[((size_t)blockIdx.y * 2 + 1) * columns + column] = of_bias;
    }
}

// to[i] = the sum over parts. Grid: size / 256; 256 threads.
extern "C" __global__ void learned_parts(const float *parts, float *to, int count, int size) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    float sum = 0.f;
    for (int part = 0; part < count; part++) sum += parts[(size_t)part * size + i];
    to[i] = sum;
}

// to[id] = plus[id] + the sum of the rows of dy [tokens, columns] whose token is id. Grid: vocab; 128 threads.
template <typename T>
__device__ void embedding(const T *dy, const uint32_t *ids, const float *plus, float *to, int tokens, int columns) {
    constexpr int THREADS = 128;
    __shared__ unsigned found[THREADS / 32];
    const uint32_t id = blockIdx.x;
    const size_t own = (size_t)id * columns;
    for (int c = threadIdx.x; c < columns; c += THREADS) to[own + c] = plus[own + c];
    for (int first = 0; first < tokens; first += THREADS) {
        int token = first + threadIdx.x;
        bool here = token < tokens && ids[token] == id;
        if (!__syncthreads_or(here)) continue;
        unsigned warp = __ballot_sync(~0u, here);
        if (threadIdx.x % 32 == 0) found[threadIdx.x / 32] = warp;
        __syncthreads();
        for (int c = threadIdx.x; c < columns; c += THREADS) {
            float sum = to[own + c];
            for (int w = 0; w < THREADS / 32; w++)
                for (unsigned rest = found[w]; rest; rest &= rest - 1)
                    sum += to_f32(dy[(size_t)(first + w * 32 + __ffs(rest) - 1) * columns + c]);
            to[own + c] = sum;
        }
    }
}

struct Copy {
    const float *from;
    void *to;
    unsigned long long size;
};

// Each `to` becomes its `from`, rounded. Grid: (any, copies).
template <typename T> __device__ void round_all(const Copy *copies) {
    Copy copy = copies[blockIdx.y];
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < copy.size; i += (size_t)gridDim.x * blockDim.x)
        ((T *)copy.to)[i] = from_f32<T>(copy.from[i]);
}

#define MAKE(T, S)                                                                                                     \
    extern "C" __global__ void __launch_bounds__(256) learned_sums_##S(const T *x, float *parts, int rows,             \
                                                                       int columns) {                                  \
        sums<T>(x, parts, rows, columns);                                                                              \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        learned_statistics_##S(const T *x, float2 *to, int rows, int columns, float eps) {                             \
        statistics<T>(x, to, rows, columns, eps);                                                                      \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        learned_norm_##S(const T *x, const T *dy, const float2 *statistics, float *parts, int rows, int columns) {     \
        norm<T>(x, dy, statistics, parts, rows, columns);                                                              \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(128)                                                                  \
        learned_embedding_##S(const T *dy, const uint32_t *ids, const float *plus, float *to, int tokens,              \
                              int columns) {                                                                           \
        embedding<T>(dy, ids, plus, to, tokens, columns);                                                              \
    }                                                                                                                  \
    extern "C" __global__ void learned_round_##S(const Copy *copies) { round_all<T>(copies); }
MAKE(f16, f16)
MAKE(bf16, bf16)
