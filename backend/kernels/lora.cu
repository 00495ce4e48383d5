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
    let_next_start();
    wait_for_input();
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
    let_next_start();
    wait_for_input();
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

// Four 8 by 8 parts of what a warp has read, turned: where a lane had two neighbours of row `group`, it has rows 2 * pair
// and 2 * pair + 1 of one column.
__device__ __forceinline__ uint32_t turned(uint32_t of_row) {
    uint32_t of_column;
    asm("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(of_column) : "r"(of_row));
    return of_column;
}

template <typename T> __device__ __forceinline__ void two_f32(uint32_t both, uint32_t &first, uint32_t &second) {
    struct alignas(4) {
        T v[2];
    } two;
    *(uint32_t *)&two = both;
    first = __float_as_uint(to_f32(two.v[0]));
    second = __float_as_uint(to_f32(two.v[1]));
}

// f32 as two numbers of eleven bits.
__device__ __forceinline__ void halves(float x, uint32_t &high, uint32_t &rest) {
    high = __float_as_uint(x) & 0xffffe000u;
    rest = __float_as_uint(x - __uint_as_float(high));
}

// The sum of `count` fours, `stride` floats apart, in their order: many are on their way at once.
__device__ __forceinline__ float4 sum_of(const float *from, size_t stride, int count) {
    constexpr int AT_ONCE = 12;
    float4 sum = {0.f, 0.f, 0.f, 0.f};
    for (int first = 0; first < count; first += AT_ONCE) {
        float4 some[AT_ONCE];
#pragma unroll
        for (int k = 0; k < AT_ONCE; k++)
            some[k] = first + k < count ? __ldcg((const float4 *)(from + (first + k) * stride)) : float4{0.f, 0.f, 0.f, 0.f};
#pragma unroll
        for (int k = 0; k < AT_ONCE; k++)
            sum.x += some[k].x, sum.y += some[k].y, sum.z += some[k].z, sum.w += some[k].w;
    }
    return sum;
}

// Columns of a warp of `gradient`, and the distance of rows of `low` in shared memory, which keeps banks apart.
constexpr int WARP_COLUMNS = 64;
constexpr int LOW_STRIDE = 12;

// The gradients of A (z = x, low = d_low, with x's dropout) and of B (z = dy): z^T low, [columns, RANKS] of the ranks from
// `first`, with tensor cores. With DOWN, z is read once for two products: d_low = scale * z · B^T is found, too.
//
// A block has `rows_a_block` rows (sixteens for each of its warps) and 64 columns for each of its ACROSS warps beside each other;
// its other warps have other rows. The last block of a stretch of columns to finish adds up what the blocks found, in a
// fixed order, and so does the last of a stretch of rows. Grid: (columns / (64 * ACROSS), rows / rows_a_block); 256 threads.
// `columns` is a multiple of 8. Shared memory, floats: rows_a_block * LOW_STRIDE, and the larger of what is left to add:
// with DOWN rows_a_block * RANKS * ACROSS, else 8 * 64 * RANKS. counters: gridDim.x + gridDim.y zeros before and after.
// partial: [gridDim.y, columns, RANKS]; partial_low: [gridDim.y, gridDim.x, rows_a_block * RANKS].
// out: [columns, rank] or, with `across`, [rank, columns].
struct Gradient {
    const float *low;
    float *out, *partial;
    // With DOWN: B turned, [rank, columns]; d_low.
    const float *b;
    float *d_low, *partial_low;
    uint32_t *counters;
    int rows, columns, rank, first, rows_a_block, across;
    float scale;
};
template <typename T, bool DOWN>
__device__ __forceinline__ void gradient(const T *z, const Gradient &of, const Dropout &dropout) {
    constexpr int ACROSS = DOWN ? 8 : 2, DEEP = 8 / ACROSS, STRIPS = WARP_COLUMNS / 32;
    extern __shared__ __align__(16) float shared[];
    __shared__ bool last_of_columns, last_of_rows;
    let_next_start();
    wait_for_input();
    const int rows = of.rows, columns = of.columns, rank = of.rank, ranks = min(RANKS, rank - of.first);
    const int first_row = blockIdx.y * of.rows_a_block, block_column = blockIdx.x * ACROSS * WARP_COLUMNS;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, group = lane / 4, pair = lane % 4;
    const int column = block_column + warp % ACROSS * WARP_COLUMNS, deep = warp / ACROSS;
    float *left = shared + of.rows_a_block * LOW_STRIDE;
    Pack<T> packs[2][STRIPS];
    auto read = [&](int r) {
#pragma unroll
        for (int half = 0; half < 2; half++)
#pragma unroll
            for (int s = 0; s < STRIPS; s++) {
                int row = first_row + r + half * 8 + group, at = column + s * 32 + pair * 8;
                Pack<T> pack = {};
                if (row < rows && at < columns) pack = *(const Pack<T> *)(z + (size_t)row * columns + at);
                packs[half][s] = pack;
            }
    };
    const int end = min(of.rows_a_block, rows - first_row);
    if (deep * 16 < end) read(deep * 16);
    // Rows and ranks beyond the last count nothing.
#pragma unroll 4
    for (int at = threadIdx.x; at < of.rows_a_block * RANKS; at += 256) {
        int row = first_row + at / RANKS, j = at % RANKS;
        shared[at / RANKS * LOW_STRIDE + j] = row < rows && j < ranks ? of.low[(size_t)row * rank + of.first + j] : 0.f;
    }
    uint32_t b_high[STRIPS][4][2], b_rest[STRIPS][4][2];
    if (DOWN) {
        const float *of_rank = of.b + (size_t)(of.first + min(group, ranks - 1)) * columns;
#pragma unroll
        for (int s = 0; s < STRIPS; s++) {
            int at = column + s * 32 + pair * 8;
            float w[8] = {};
            if (at < columns) {
                *(float4 *)w = __ldg((const float4 *)(of_rank + at));
                *(float4 *)(w + 4) = __ldg((const float4 *)(of_rank + at + 4));
            }
#pragma unroll
            for (int k = 0; k < 8; k++) halves(w[k], b_high[s][k / 2][k % 2], b_rest[s][k / 2][k % 2]);
        }
    }
    float sums[STRIPS][2][4] = {};
    __syncthreads();
    for (int r = deep * 16; r < end; r += DEEP * 16) {
        uint32_t of_z[2][STRIPS][4];
#pragma unroll
        for (int half = 0; half < 2; half++)
#pragma unroll
            for (int s = 0; s < STRIPS; s++) {
                Pack<T> pack = packs[half][s];
                if (!DOWN && dropout.threshold) {
                    uint32_t at = (uint32_t)(first_row + r + half * 8 + group) * (uint32_t)columns + column + s * 32 + pair * 8;
#pragma unroll
                    for (int k = 0; k < 8; k++)
                        if (dropout.factor(at + k) == 0.f) pack.v[k] = from_f32<T>(0.f);
                }
#pragma unroll
                for (int j = 0; j < 4; j++) of_z[half][s][j] = ((const uint32_t *)&pack)[j];
            }
        // The next rows are on their way while these are multiplied.
        if (r + DEEP * 16 < end) read(r + DEEP * 16);
        if (DOWN) {
            float down[4] = {};
#pragma unroll
            for (int s = 0; s < STRIPS; s++)
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    uint32_t a[4];
                    two_f32<T>(of_z[0][s][j], a[0], a[2]);
                    two_f32<T>(of_z[1][s][j], a[1], a[3]);
                    multiply(down, a, b_high[s][j][0], b_high[s][j][1]);
                    multiply(down, a, b_rest[s][j][0], b_rest[s][j][1]);
                }
#pragma unroll
            for (int half = 0; half < 2; half++)
                *(float2 *)(left + (warp * of.rows_a_block + r + half * 8 + group) * RANKS + pair * 2) =
                    float2{down[half * 2], down[half * 2 + 1]};
        }
#pragma unroll
        for (int half = 0; half < 2; half++) {
            uint32_t high[2], rest[2];
#pragma unroll
            for (int n = 0; n < 2; n++)
                halves(shared[(r + half * 8 + pair * 2 + n) * LOW_STRIDE + group], high[n], rest[n]);
#pragma unroll
            for (int s = 0; s < STRIPS; s++)
#pragma unroll
                for (int j = 0; j < 2; j++) {
                    uint32_t a[4];
                    two_f32<T>(turned(of_z[half][s][j * 2]), a[0], a[2]);
                    two_f32<T>(turned(of_z[half][s][j * 2 + 1]), a[1], a[3]);
                    multiply(sums[s][j], a, high[0], high[1]);
                    multiply(sums[s][j], a, rest[0], rest[1]);
                }
        }
    }
    // A lane's sums are of ranks 2 * pair and 2 * pair + 1 of these columns.
    auto column_of = [&](int s, int j, int half) { return s * 32 + group / 2 * 8 + j * 4 + half * 2 + group % 2; };
    constexpr int BLOCK = ACROSS * WARP_COLUMNS * RANKS;
    const int block_size = min(columns - block_column, ACROSS * WARP_COLUMNS) * RANKS;
    float *of_block = of.partial + ((size_t)blockIdx.y * columns + block_column) * RANKS;
#pragma unroll
    for (int s = 0; s < STRIPS; s++)
#pragma unroll
        for (int j = 0; j < 2; j++)
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int at = (warp % ACROSS * WARP_COLUMNS + column_of(s, j, half)) * RANKS + pair * 2;
                float2 two = {sums[s][j][half * 2], sums[s][j][half * 2 + 1]};
                if (DEEP > 1)
                    *(float2 *)(left + deep * BLOCK + at) = two;
                else if (at < block_size)
                    *(float2 *)(of_block + at) = two;
            }
    __syncthreads();
    if (DEEP > 1)
        for (int at = threadIdx.x; at < block_size; at += 256) {
            float sum = 0.f;
#pragma unroll
            for (int d = 0; d < DEEP; d++) sum += left[d * BLOCK + at];
            of_block[at] = sum;
        }
    const int low_size = of.rows_a_block * RANKS;
    if (DOWN) {
        float *of_rows = of.partial_low + (size_t)(blockIdx.y * gridDim.x + blockIdx.x) * low_size;
        for (int at = threadIdx.x; at < end * RANKS; at += 256) {
            float sum = 0.f;
#pragma unroll
            for (int w = 0; w < 8; w++) sum += left[w * low_size + at];
            of_rows[at] = sum;
        }
    }
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        last_of_columns = atomicAdd(of.counters + blockIdx.x, 1u) == gridDim.y - 1;
        last_of_rows = DOWN && atomicAdd(of.counters + gridDim.x + blockIdx.y, 1u) == gridDim.x - 1;
        if (last_of_columns) of.counters[blockIdx.x] = 0;
        if (last_of_rows) of.counters[gridDim.x + blockIdx.y] = 0;
    }
    __syncthreads();
    if (last_of_columns) {
        __threadfence();
        const float factor = !DOWN && dropout.threshold ? dropout.scale : 1.f;
        for (int at = threadIdx.x * 4; at < block_size; at += 256 * 4) {
            float4 sum = sum_of(of.partial + (size_t)block_column * RANKS + at, (size_t)columns * RANKS, gridDim.y);
            const float *of_rank = (const float *)&sum;
            size_t to = block_column + at / RANKS;
#pragma unroll
            for (int k = 0; k < 4; k++) {
                int j = at % RANKS + k;
                if (j < ranks) of.out[of.across ? (size_t)(of.first + j) * columns + to : to * rank + of.first + j] = of_rank[k] * factor;
            }
        }
    }
    if (last_of_rows) {
        __threadfence();
        for (int at = threadIdx.x * 4; at < end * RANKS; at += 256 * 4) {
            float4 sum = sum_of(of.partial_low + (size_t)blockIdx.y * gridDim.x * low_size + at, low_size, gridDim.x);
            const float *of_rank = (const float *)&sum;
            float *to = of.d_low + (size_t)(first_row + at / RANKS) * rank + of.first;
#pragma unroll
            for (int k = 0; k < 4; k++)
                if (at % RANKS + k < ranks) to[at % RANKS + k] = of_rank[k] * of.scale;
        }
    }
}

// to[column, row] = from[row, column]. Grid: rows * columns / 256.
extern "C" __global__ void lora_transpose(const float *from, float *to, int rows, int columns) {
    let_next_start();
    wait_for_input();
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
    extern "C" __global__ void __launch_bounds__(256, 2)                                                               \
        lora_gradient_##S(const T *z, Gradient of, Dropout dropout) {                                                  \
        gradient<T, false>(z, of, dropout);                                                                            \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256, 2) lora_back_##S(const T *z, Gradient of, Dropout dropout) {     \
        gradient<T, true>(z, of, dropout);                                                                             \
    }
MAKE(f16, f16)
MAKE(bf16, bf16)
