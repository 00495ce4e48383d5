// The adapter beside a frozen linear layer: y += scale * dropout(x) A^T B^T, A [rank, in], B [out, rank], both f32.
//
// B is transposed first, so that both are read along their rows. Each kernel takes up to RANKS ranks of the adapter; a
// larger one is launched again for the next ranks. Sums go in a fixed order: two runs agree to the bit.
#include "common.cuh"

constexpr int RANKS = 8;
// Rows that a block reads A (or B) once for.
constexpr int ROWS = 8;

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

// RANKS numbers of a row of `low`; with WHOLE, they are there and aligned, else zeros take the place of those beyond.
template <bool WHOLE> __device__ __forceinline__ void read_ranks(const float *from, int ranks, float (&to)[RANKS]) {
    if (WHOLE) {
        *(float4 *)to = *(const float4 *)from;
        *(float4 *)(to + 4) = *(const float4 *)(from + 4);
    } else {
#pragma unroll
        for (int j = 0; j < RANKS; j++) to[j] = j < ranks ? from[j] : 0.f;
    }
}

__device__ __forceinline__ bool are_whole(int rank, int first) { return rank - first >= RANKS && rank % 4 == 0; }

// low[row, first..] = scale * dropout(x[row]) · A^T. The columns are shared by gridDim.y blocks; the last to finish adds
// up what they found, in a fixed order. Grid: (rows / ROWS, splits); 256 threads. `in` is a multiple of 4.
// partial: [rows / ROWS, splits, ROWS * RANKS]; counters: [rows / ROWS], zeros before and after.
template <typename T>
__device__ void down(const T *x, const float *a, float *low, int rows, int in, int rank, int first, float scale,
                     Dropout dropout, float *partial, uint32_t *counters) {
    __shared__ float scratch[8 * ROWS * RANKS];
    __shared__ bool last;
    int row = blockIdx.x * ROWS, ranks = min(RANKS, rank - first), splits = gridDim.y;
    int share = (in / 4 + splits - 1) / splits * 4, end = min(in, (int)(blockIdx.y + 1) * share);
    float sums[ROWS * RANKS] = {};
    for (int i = blockIdx.y * share + threadIdx.x * 4; i < end; i += blockDim.x * 4) {
        float values[ROWS][4];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            size_t at = (size_t)min(row + r, rows - 1) * in + i;
            Four<T> p = *(const Four<T> *)(x + at);
#pragma unroll
            for (int k = 0; k < 4; k++) {
                float factor = dropout.threshold ? dropout.factor((uint32_t)at + k) : 1.f;
                values[r][k] = to_f32(p.v[k]) * factor;
            }
        }
#pragma unroll
        for (int j = 0; j < RANKS; j++) {
            // Ranks beyond the last are computed of the last, and not written.
            float4 w = *(const float4 *)(a + (size_t)(first + min(j, ranks - 1)) * in + i);
#pragma unroll
            for (int r = 0; r < ROWS; r++)
                sums[r * RANKS + j] += values[r][0] * w.x + values[r][1] * w.y + values[r][2] * w.z + values[r][3] * w.w;
        }
    }
    float sum = block_sums(sums, scratch);
    int r = threadIdx.x / RANKS, j = threadIdx.x % RANKS;
    if (splits > 1) {
        float *of_rows = partial + (size_t)blockIdx.x * splits * ROWS * RANKS;
        if (threadIdx.x < ROWS * RANKS) of_rows[blockIdx.y * ROWS * RANKS + threadIdx.x] = sum;
        __threadfence();
        __syncthreads();
        if (threadIdx.x == 0) last = atomicAdd(counters + blockIdx.x, 1u) == splits - 1;
        __syncthreads();
        if (!last) return;
        __threadfence();
        sum = 0.f;
        if (threadIdx.x < ROWS * RANKS)
            for (int split = 0; split < splits; split++) sum += __ldcg(of_rows + split * ROWS * RANKS + threadIdx.x);
        if (threadIdx.x == 0) counters[blockIdx.x] = 0;
    }
    if (threadIdx.x < ROWS * RANKS && row + r < rows && j < ranks)
        low[(size_t)(row + r) * rank + first + j] = sum * scale;
}

// y[row] += dropout(low[row] · A), in place, A [rank, out]. A thread has four columns of `rows_a_block` rows.
// Grid: (out / (4 * 128), rows / rows_a_block); 128 threads. `out` is a multiple of 4.
template <typename T, bool WHOLE>
__device__ void up(T *y, const float *low, const float *a, int rows, int out, int rank, int first, int rows_a_block,
                   Dropout dropout) {
    int column = (blockIdx.x * blockDim.x + threadIdx.x) * 4, ranks = min(RANKS, rank - first);
    if (column >= out) return;
    float weights[RANKS][4];
#pragma unroll
    for (int j = 0; j < RANKS; j++)
        *(float4 *)weights[j] =
            j < ranks ? *(const float4 *)(a + (size_t)(first + j) * out + column) : float4{0.f, 0.f, 0.f, 0.f};
    int end = min(rows, (int)(blockIdx.y + 1) * rows_a_block);
#pragma unroll 4
    for (int row = blockIdx.y * rows_a_block; row < end; row++) {
        size_t at = (size_t)row * out + column;
        Four<T> values = *(const Four<T> *)(y + at);
        float of_row[RANKS], sums[4] = {};
        read_ranks<WHOLE>(low + (size_t)row * rank + first, ranks, of_row);
#pragma unroll
        for (int j = 0; j < RANKS; j++)
#pragma unroll
            for (int k = 0; k < 4; k++) sums[k] += of_row[j] * weights[j][k];
#pragma unroll
        for (int k = 0; k < 4; k++) {
            float factor = dropout.threshold ? dropout.factor((uint32_t)at + k) : 1.f;
            values.v[k] = from_f32<T>(to_f32(values.v[k]) + sums[k] * factor);
        }
        *(Four<T> *)(y + at) = values;
    }
}

// partial[split, first.., column] = sum over the split's rows of dropout(z[row, column]) * low[row, first..]: the
// gradients of A (z = x, low = d_low) and of B (z = dy), which is transposed here.
// Grid: (columns / (4 * 128), splits); 128 threads. `columns` is a multiple of 4.
template <typename T, bool WHOLE>
__device__ void outer(const T *z, const float *low, float *partial, int rows, int columns, int rank, int first,
                      int rows_a_split, Dropout dropout) {
    int column = (blockIdx.x * blockDim.x + threadIdx.x) * 4, ranks = min(RANKS, rank - first);
    if (column >= columns) return;
    float sums[RANKS][4] = {};
    int end = min(rows, (int)(blockIdx.y + 1) * rows_a_split);
#pragma unroll 8
    for (int row = blockIdx.y * rows_a_split; row < end; row++) {
        size_t at = (size_t)row * columns + column;
        Four<T> of_z = *(const Four<T> *)(z + at);
        float values[4], of_row[RANKS];
        read_ranks<WHOLE>(low + (size_t)row * rank + first, ranks, of_row);
#pragma unroll
        for (int k = 0; k < 4; k++) {
            values[k] = to_f32(of_z.v[k]);
            if (dropout.threshold) values[k] *= dropout.factor((uint32_t)at + k);
        }
#pragma unroll
        for (int j = 0; j < RANKS; j++)
#pragma unroll
            for (int k = 0; k < 4; k++) sums[j][k] += of_row[j] * values[k];
    }
#pragma unroll
    for (int j = 0; j < RANKS; j++)
        if (j < ranks)
            *(float4 *)(partial + ((size_t)blockIdx.y * rank + first + j) * columns + column) = *(float4 *)sums[j];
}

// Adds up the splits: out[rank, columns], or with `turned` out[columns, rank]. Grid: columns * rank / 256.
extern "C" __global__ void lora_join_splits(const float *partial, float *out, int columns, int rank, int splits,
                                            int turned) {
    int at = blockIdx.x * blockDim.x + threadIdx.x, size = columns * rank;
    if (at >= size) return;
    float sum = 0.f;
#pragma unroll 8
    for (int split = 0; split < splits; split++) sum += partial[(size_t)split * size + at];
    out[turned ? at % columns * rank + at / columns : at] = sum;
}

// to[column, row] = from[row, column]. Grid: rows * columns / 256.
extern "C" __global__ void lora_transpose(const float *from, float *to, int rows, int columns) {
    int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at < rows * columns) to[at] = from[at % rows * columns + at / rows];
}

#define MAKE(T, S)                                                                                                     \
    extern "C" __global__ void __launch_bounds__(256, 2)                                                               \
        lora_down_##S(const T *x, const float *a, float *low, int rows, int in, int rank, int first, float scale,      \
                      Dropout dropout, float *partial, uint32_t *counters) {                                           \
        down<T>(x, a, low, rows, in, rank, first, scale, dropout, partial, counters);                                  \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(128)                                                                  \
        lora_up_##S(T *y, const float *low, const float *a, int rows, int out, int rank, int first, int rows_a_block,  \
                    Dropout dropout) {                                                                                 \
        if (are_whole(rank, first))                                                                                    \
            up<T, true>(y, low, a, rows, out, rank, first, rows_a_block, dropout);                                     \
        else                                                                                                           \
            up<T, false>(y, low, a, rows, out, rank, first, rows_a_block, dropout);                                    \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(128)                                                                  \
        lora_outer_##S(const T *z, const float *low, float *partial, int rows, int columns, int rank, int first,       \
                       int rows_a_split, Dropout dropout) {                                                            \
        if (are_whole(rank, first))                                                                                    \
            outer<T, true>(z, low, partial, rows, columns, rank, first, rows_a_split, dropout);                        \
        else                                                                                                           \
            outer<T, false>(z, low, partial, rows, columns, rank, first, rows_a_split, dropout);                       \
    }
EACH_TYPE(MAKE)
