// The adapter beside a frozen linear layer: y += scale * dropout(x) A^T B^T, A [rank, in], B [out, rank], both f32.
//
// B is transposed first, so that both are read along their rows. Each kernel takes up to RANKS ranks of the adapter; a
// larger one is launched again for the next ranks. Sums go in a fixed order: two runs agree to the bit.
#include "common.cuh"

constexpr int RANKS = 8;
// Rows of a block of `down`, in sixteens.
constexpr int SIXTEENS = 2;
constexpr int ROWS = 16 * SIXTEENS;
// Rows that a thread of `up` reads at once.
constexpr int BATCH = 4;

// c [16, 8] += a [16, 8] * b [8, 8] of numbers with the eleven bits of tf32, which hold those of f16 and bf16.
__device__ __forceinline__ void multiply(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// RANKS numbers of a row of `low`; with WHOLE, they are there and aligned, else zeros take the place of those beyond.
template <bool WHOLE> __device__ __forceinline__ void read_ranks(const float *from, int ranks, float (&to)[RANKS]) {
    if (WHOLE) {
        *(float4 *)to = __ldg((const float4 *)from);
        *(float4 *)(to + 4) = __ldg((const float4 *)(from + 4));
    } else {
#pragma unroll
        for (int j = 0; j < RANKS; j++) to[j] = j < ranks ? from[j] : 0.f;
    }
}

__device__ __forceinline__ bool are_whole(int rank, int first) { return rank - first >= RANKS && rank % 4 == 0; }

// low[row, first..] = scale * dropout(x[row]) · A^T, with tensor cores: A, which is f32, is taken as two numbers of eleven
// bits. A warp has every eighth 32 columns of a block's rows, and the columns are shared by gridDim.y blocks; the last to
// finish adds up what they found, in a fixed order. Grid: (rows / ROWS, splits); 256 threads. `in` is a multiple of 8.
// partial: [rows / ROWS, splits, ROWS * RANKS]; counters: [rows / ROWS], zeros before and after.
template <typename T>
__device__ void down(const T *x, const float *a, float *low, int rows, int in, int rank, int first, float scale,
                     Dropout dropout, float *partial, uint32_t *counters) {
    __shared__ float scratch[8][ROWS * RANKS];
    __shared__ bool last;
    int row = blockIdx.x * ROWS, ranks = min(RANKS, rank - first), splits = gridDim.y;
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, group = lane / 4;
    int share = (in + splits * 32 - 1) / (splits * 32) * 32, end = min(in, (int)(blockIdx.y + 1) * share);
    float sums[SIXTEENS][4] = {};
    // Ranks beyond the last are computed of the last, and not written.
    const float *of_rank = a + (size_t)(first + min(group, ranks - 1)) * in;
    // The order of the columns in a product is free: a lane has eight neighbours.
#pragma unroll 2
    for (int i = blockIdx.y * share + warp * 32 + lane % 4 * 8; i - lane % 4 * 8 < end; i += 8 * 32) {
        Pack<T> packs[SIXTEENS][2] = {};
        float w[8] = {};
        if (i < end) {
#pragma unroll
            for (int m = 0; m < SIXTEENS; m++)
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    size_t at = (size_t)min(row + m * 16 + half * 8 + group, rows - 1) * in + i;
                    packs[m][half] = *(const Pack<T> *)(x + at);
                }
            *(float4 *)w = *(const float4 *)(of_rank + i);
            *(float4 *)(w + 4) = *(const float4 *)(of_rank + i + 4);
        }
        if (dropout.threshold) {
#pragma unroll
            for (int m = 0; m < SIXTEENS; m++)
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    uint32_t at = (uint32_t)(row + m * 16 + half * 8 + group) * (uint32_t)in + i;
#pragma unroll
                    for (int k = 0; k < 8; k++)
                        if (dropout.factor(at + k) == 0.f) packs[m][half].v[k] = from_f32<T>(0.f);
                }
        }
#pragma unroll
        for (int k = 0; k < 8; k += 2) {
            uint32_t high[2], rest[2];
#pragma unroll
            for (int n = 0; n < 2; n++) {
                high[n] = __float_as_uint(w[k + n]) & 0xffffe000u;
                rest[n] = __float_as_uint(w[k + n] - __uint_as_float(high[n]));
            }
#pragma unroll
            for (int m = 0; m < SIXTEENS; m++) {
                uint32_t of_x[4];
#pragma unroll
                for (int n = 0; n < 4; n++) of_x[n] = __float_as_uint(to_f32(packs[m][n % 2].v[k + n / 2]));
                multiply(sums[m], of_x, high[0], high[1]);
                multiply(sums[m], of_x, rest[0], rest[1]);
            }
        }
    }
#pragma unroll
    for (int m = 0; m < SIXTEENS; m++)
#pragma unroll
        for (int n = 0; n < 4; n++)
            scratch[warp][(m * 16 + n / 2 * 8 + group) * RANKS + lane % 4 * 2 + n % 2] = sums[m][n];
    __syncthreads();
    float sum = 0.f;
#pragma unroll
    for (int from = 0; from < 8; from++) sum += scratch[from][threadIdx.x];
    if (splits > 1) {
        float *of_rows = partial + (size_t)blockIdx.x * splits * ROWS * RANKS;
        of_rows[blockIdx.y * ROWS * RANKS + threadIdx.x] = sum;
        __threadfence();
        __syncthreads();
        if (threadIdx.x == 0) last = atomicAdd(counters + blockIdx.x, 1u) == splits - 1;
        __syncthreads();
        if (!last) return;
        __threadfence();
        sum = 0.f;
        for (int split = 0; split < splits; split++) sum += __ldcg(of_rows + split * ROWS * RANKS + threadIdx.x);
        if (threadIdx.x == 0) counters[blockIdx.x] = 0;
    }
    int r = threadIdx.x / RANKS, j = threadIdx.x % RANKS;
    if (row + r < rows && j < ranks)
        low[(size_t)(row + r) * rank + first + j] = sum * (dropout.threshold ? scale * dropout.scale : scale);
}
static_assert(ROWS * RANKS == 256, "a thread of `down` for each sum");

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
    // What is read must be on its way before anything is written: the compiler cannot know that rows are apart.
    for (int begin = blockIdx.y * rows_a_block; begin < end; begin += BATCH) {
        Four<T> values[BATCH];
#pragma unroll
        for (int r = 0; r < BATCH; r++)
            values[r] = *(const Four<T> *)(y + (size_t)min(begin + r, end - 1) * out + column);
#pragma unroll
        for (int r = 0; r < BATCH; r++) {
            int row = begin + r;
            if (row >= end) break;
            size_t at = (size_t)row * out + column;
            float of_row[RANKS], sums[4] = {};
            read_ranks<WHOLE>(low + (size_t)row * rank + first, ranks, of_row);
#pragma unroll
            for (int j = 0; j < RANKS; j++)
#pragma unroll
                for (int k = 0; k < 4; k++) sums[k] += of_row[j] * weights[j][k];
#pragma unroll
            for (int k = 0; k < 4; k++) {
                float factor = dropout.threshold ? dropout.factor((uint32_t)at + k) : 1.f;
                values[r].v[k] = from_f32<T>(to_f32(values[r].v[k]) + sums[k] * factor);
            }
            *(Four<T> *)(y + at) = values[r];
        }
    }
}

// partial[split, first.., column] = sum over the split's rows of dropout(z[row, column]) * low[row, first..]: the
// gradients of A (z = x, low = d_low) and of B (z = dy), which is transposed here.
// Grid: (columns / (8 * 128), splits); 128 threads. `columns` is a multiple of 8.
template <typename T, bool WHOLE>
__device__ void outer(const T *z, const float *low, float *partial, int rows, int columns, int rank, int first,
                      int rows_a_split, Dropout dropout) {
    constexpr int N = Pack<T>::N;
    int column = (blockIdx.x * blockDim.x + threadIdx.x) * N, ranks = min(RANKS, rank - first);
    if (column >= columns) return;
    float sums[RANKS][N] = {};
    int end = min(rows, (int)(blockIdx.y + 1) * rows_a_split);
#pragma unroll 4
    for (int row = blockIdx.y * rows_a_split; row < end; row++) {
        size_t at = (size_t)row * columns + column;
        Pack<T> of_z = *(const Pack<T> *)(z + at);
        float values[N], of_row[RANKS];
        read_ranks<WHOLE>(low + (size_t)row * rank + first, ranks, of_row);
#pragma unroll
        for (int k = 0; k < N; k++) {
            values[k] = to_f32(of_z.v[k]);
            if (dropout.threshold) values[k] *= dropout.factor((uint32_t)at + k);
        }
#pragma unroll
        for (int j = 0; j < RANKS; j++)
#pragma unroll
            for (int k = 0; k < N; k++) sums[j][k] += of_row[j] * values[k];
    }
#pragma unroll
    for (int j = 0; j < RANKS; j++)
#pragma unroll
        for (int k = 0; k < N; k += 4)
            if (j < ranks)
                *(float4 *)(partial + ((size_t)blockIdx.y * rank + first + j) * columns + column + k) = *(float4 *)(sums[j] + k);
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
    extern "C" __global__ void __launch_bounds__(256, 3)                                                               \
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
MAKE(f16, f16)
MAKE(bf16, bf16)
