// The adapter beside a frozen linear layer: y += scale * dropout(x) A^T B^T, A [rank, in], B [out, rank], both f32.
//
// B is transposed first, so that both are read along their rows. Each kernel takes up to EIGHTS eights of ranks at a time; a
// larger adapter has it launched again for the next ranks, and then it reads its rows again. Tensor cores multiply: what is
// f32 is taken as two numbers of eleven bits. Sums go in a fixed order: two runs agree to the bit.
#include "common.cuh"

constexpr int RANKS = 8;
// Rows of a block of `down`, in sixteens.
constexpr int SIXTEENS = 2;
constexpr int ROWS = 16 * SIXTEENS;

// c [16, 8] += a [16, 8] * b [8, 8] of numbers with the eleven bits of tf32, which hold those of f16 and bf16.
__device__ __forceinline__ void multiply(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// f32 as two numbers of eleven bits.
__device__ __forceinline__ void halves(float x, uint32_t &high, uint32_t &rest) {
    high = __float_as_uint(x) & 0xffffe000u;
    rest = __float_as_uint(x - __uint_as_float(high));
}

// low[row, first..] = scale * dropout(x[row]) · A^T. A warp has every eighth 32 columns of a block's rows, and the columns
// are shared by gridDim.y blocks; the last to finish adds up what they found, in a fixed order.
// Grid: (rows / ROWS, splits); 256 threads. `in` is a multiple of 8.
// partial: [rows / ROWS, splits, EIGHTS, ROWS, RANKS]; counters: [rows / ROWS], zeros before and after.
template <typename T, int EIGHTS>
__device__ __forceinline__ void down(const T *x, const float *a, float *low, int rows, int in, int rank, int first,
                                     float scale, Dropout dropout, float *partial, uint32_t *counters) {
    __shared__ float scratch[8][EIGHTS][ROWS * RANKS];
    __shared__ bool last;
    let_next_start();
    wait_for_input();
    int row = blockIdx.x * ROWS, ranks = rank - first, splits = gridDim.y;
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, group = lane / 4;
    int share = (in + splits * 32 - 1) / (splits * 32) * 32, end = min(in, (int)(blockIdx.y + 1) * share);
    float sums[EIGHTS][SIXTEENS][4] = {};
    // Ranks beyond the last are computed of the last, and not written.
    const float *of_rank[EIGHTS];
#pragma unroll
    for (int e = 0; e < EIGHTS; e++) of_rank[e] = a + (size_t)(first + min(e * RANKS + group, ranks - 1)) * in;
    // The order of the columns in a product is free: a lane has eight neighbours.
#pragma unroll 2
    for (int i = blockIdx.y * share + warp * 32 + lane % 4 * 8; i - lane % 4 * 8 < end; i += 8 * 32) {
        Pack<T> packs[SIXTEENS][2] = {};
        float w[EIGHTS][8] = {};
        if (i < end) {
#pragma unroll
            for (int m = 0; m < SIXTEENS; m++)
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    size_t at = (size_t)min(row + m * 16 + half * 8 + group, rows - 1) * in + i;
                    packs[m][half] = *(const Pack<T> *)(x + at);
                }
#pragma unroll
            for (int e = 0; e < EIGHTS; e++) {
                *(float4 *)w[e] = *(const float4 *)(of_rank[e] + i);
                *(float4 *)(w[e] + 4) = *(const float4 *)(of_rank[e] + i + 4);
            }
        }
        if (dropout.threshold) {
#pragma unroll
            for (int m = 0; m < SIXTEENS; m++)
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    uint32_t at = dropout.first_of_eight((uint32_t)(row + m * 16 + half * 8 + group) * (uint32_t)in + i);
#pragma unroll
                    for (int k = 0; k < 8; k++)
                        if (dropout.factor_of(at, k) == 0.f) packs[m][half].v[k] = from_f32<T>(0.f);
                }
        }
#pragma unroll
        for (int k = 0; k < 8; k += 2) {
            uint32_t of_x[SIXTEENS][4];
#pragma unroll
            for (int m = 0; m < SIXTEENS; m++)
#pragma unroll
                for (int n = 0; n < 4; n++) of_x[m][n] = __float_as_uint(to_f32(packs[m][n % 2].v[k + n / 2]));
#pragma unroll
            for (int e = 0; e < EIGHTS; e++) {
                uint32_t high[2], rest[2];
#pragma unroll
                for (int n = 0; n < 2; n++) halves(w[e][k + n], high[n], rest[n]);
#pragma unroll
                for (int m = 0; m < SIXTEENS; m++) {
                    multiply(sums[e][m], of_x[m], high[0], high[1]);
                    multiply(sums[e][m], of_x[m], rest[0], rest[1]);
                }
            }
        }
    }
#pragma unroll
    for (int e = 0; e < EIGHTS; e++)
#pragma unroll
        for (int m = 0; m < SIXTEENS; m++)
#pragma unroll
            for (int n = 0; n < 4; n++)
                scratch[warp][e][(m * 16 + n / 2 * 8 + group) * RANKS + lane % 4 * 2 + n % 2] = sums[e][m][n];
    __syncthreads();
    float sum[EIGHTS] = {};
#pragma unroll
    for (int e = 0; e < EIGHTS; e++)
#pragma unroll
        for (int from = 0; from < 8; from++) sum[e] += scratch[from][e][threadIdx.x];
    if (splits > 1) {
        constexpr int SIZE = EIGHTS * ROWS * RANKS;
        float *of_rows = partial + (size_t)blockIdx.x * splits * SIZE + threadIdx.x;
#pragma unroll
        for (int e = 0; e < EIGHTS; e++) of_rows[blockIdx.y * SIZE + e * ROWS * RANKS] = sum[e];
        __threadfence();
        __syncthreads();
        if (threadIdx.x == 0) last = atomicAdd(counters + blockIdx.x, 1u) == splits - 1;
        __syncthreads();
        if (!last) return;
        __threadfence();
#pragma unroll
        for (int e = 0; e < EIGHTS; e++) sum[e] = 0.f;
        for (int split = 0; split < splits; split++)
#pragma unroll
            for (int e = 0; e < EIGHTS; e++) sum[e] += __ldcg(of_rows + split * SIZE + e * ROWS * RANKS);
        if (threadIdx.x == 0) counters[blockIdx.x] = 0;
    }
    int r = threadIdx.x / RANKS, j = threadIdx.x % RANKS;
#pragma unroll
    for (int e = 0; e < EIGHTS; e++)
        if (row + r < rows && e * RANKS + j < ranks)
            low[(size_t)(row + r) * rank + first + e * RANKS + j] =
                sum[e] * (dropout.threshold ? scale * dropout.scale : scale);
}
static_assert(ROWS * RANKS == 256, "a thread of `down` for each sum of eight ranks");

// y[row] += dropout(low[row] · A), in place, A [rank, out]; the product of what both leave beyond eleven bits is left out. A
// warp has 32 columns of `rows_a_block` rows, a multiple of 16.
// Grid: (out / 256, rows / rows_a_block); 256 threads. `out` is a multiple of 8.
template <typename T, int EIGHTS>
__device__ __forceinline__ void up(T *y, const float *low, const float *a, int rows, int out, int rank, int first,
                                   int rows_a_block, const Dropout &dropout) {
    let_next_start();
    wait_for_input();
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, group = lane / 4, pair = lane % 4, ranks = rank - first;
    // The order of the columns in a product is free: a lane has eight neighbours of y, and four of A.
    const int column = (blockIdx.x * 8 + warp) * 32, of_a = column + group * 4, of_y = column + pair * 8;
    if (column >= out) return;
    const int begin = blockIdx.y * rows_a_block, end = min(rows, begin + rows_a_block);
    Pack<T> packs[2];
    float2 lows[EIGHTS][2];
    auto read = [&](int r) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            size_t row = min(r + half * 8 + group, end - 1);
            packs[half] = of_y < out ? *(const Pack<T> *)(y + row * out + of_y) : Pack<T>{};
#pragma unroll
            for (int e = 0; e < EIGHTS; e++) {
                const float *from = low + row * rank + first + e * RANKS + pair * 2;
                int left = ranks - e * RANKS - pair * 2;
                if (rank % 2 == 0)
                    lows[e][half] = left > 0 ? __ldg((const float2 *)from) : float2{0.f, 0.f};
                else
                    lows[e][half] = {left > 0 ? __ldg(from) : 0.f, left > 1 ? __ldg(from + 1) : 0.f};
            }
        }
    };
    read(begin);
    float w[EIGHTS][2][4];
#pragma unroll
    for (int e = 0; e < EIGHTS; e++)
#pragma unroll
        for (int n = 0; n < 2; n++) {
            int j = e * RANKS + pair * 2 + n;
            float4 zero = {0.f, 0.f, 0.f, 0.f};
            *(float4 *)w[e][n] = j < ranks && of_a < out ? __ldg((const float4 *)(a + (size_t)(first + j) * out + of_a)) : zero;
        }
    for (int r = begin; r < end; r += 16) {
        Pack<T> values[2] = {packs[0], packs[1]};
        float sums[4][4] = {};
        float2 of_row[EIGHTS][2];
#pragma unroll
        for (int e = 0; e < EIGHTS; e++)
#pragma unroll
            for (int half = 0; half < 2; half++) of_row[e][half] = lows[e][half];
        // The next rows are on their way while these are multiplied.
        if (r + 16 < end) read(r + 16);
#pragma unroll
        for (int e = 0; e < EIGHTS; e++) {
            uint32_t low_high[4], low_rest[4];
#pragma unroll
            for (int half = 0; half < 2; half++) {
                halves(of_row[e][half].x, low_high[half], low_rest[half]);
                halves(of_row[e][half].y, low_high[half + 2], low_rest[half + 2]);
            }
#pragma unroll
            for (int t = 0; t < 4; t++) {
                uint32_t high[2], rest[2];
#pragma unroll
                for (int n = 0; n < 2; n++) {
                    // With several eights there are no registers for both halves of all.
                    if (EIGHTS > 1) asm volatile("" : "+f"(w[e][n][t]));
                    halves(w[e][n][t], high[n], rest[n]);
                }
                multiply(sums[t], low_rest, high[0], high[1]);
                multiply(sums[t], low_high, rest[0], rest[1]);
                multiply(sums[t], low_high, high[0], high[1]);
            }
        }
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int row = r + half * 8 + group;
            size_t at = (size_t)row * out + of_y;
            uint32_t first_of_eight = dropout.first_of_eight((uint32_t)at);
#pragma unroll
            for (int k = 0; k < 8; k++) {
                float factor = dropout.threshold ? dropout.factor_of(first_of_eight, k) : 1.f;
                values[half].v[k] =
                    from_f32<T>(to_f32(values[half].v[k]) + sums[k % 4][half * 2 + k / 4] * factor);
            }
            if (row < end && of_y < out) *(Pack<T> *)(y + at) = values[half];
        }
    }
}

// Four 8 by 8 parts from shared memory, each row where a lane says: a lane gets two neighbours of row `group` of each, or of
// their columns, turned.
template <bool TURNED> __device__ __forceinline__ void load_parts(uint32_t (&to)[4], uint32_t row) {
    if (TURNED)
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                     : "r"(row)
                     : "memory");
    else
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                     : "r"(row)
                     : "memory");
}

// 16 bytes on their way to shared memory, or zeros.
__device__ __forceinline__ void bring(uint32_t to, const void *from, bool there) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(there ? 16 : 0) : "memory");
}

template <typename T> __device__ __forceinline__ void two_f32(uint32_t both, uint32_t &first, uint32_t &second) {
    struct alignas(4) {
        T v[2];
    } two;
    *(uint32_t *)&two = both;
    first = __float_as_uint(to_f32(two.v[0]));
    second = __float_as_uint(to_f32(two.v[1]));
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

// A tile of z: 16 rows of the 64 columns of a warp of `gradient`, in 16-byte pieces, of which a row's are in another order
// than the next one's, so that eight rows are in eight different banks. Each warp has STAGES of them, all but one on their way.
constexpr int WARP_COLUMNS = 64;
constexpr int TILE_BYTES = 16 * WARP_COLUMNS * 2;
constexpr int STAGES = 3;

// The gradients of A (z = x, low = d_low, with x's dropout) and of B (z = dy): z^T low, [columns, ranks] of the ranks from
// `first`. With DOWN, z is read once for two products: d_low = scale * z · B^T is found, too.
//
// A block has `rows_a_block` rows (sixteens for each of its warps) and 64 columns for each of its ACROSS warps beside each
// other; its other warps have other rows. The last block of a stretch of columns to finish adds up what the blocks found, in a
// fixed order, and so does the last of a stretch of rows. Grid: (columns / (64 * ACROSS), rows / rows_a_block); 256 threads.
// `columns` is a multiple of 8. Shared memory: the tiles, with N = EIGHTS * RANKS rows_a_block * (N + 4) floats, and what is
// left to add: with DOWN 2 * 8 * 512 floats, else 8 * 64 * N in place of the tiles.
// counters: gridDim.x + gridDim.y zeros before and after.
// partial: [gridDim.y, columns, N]; partial_low: [gridDim.y, gridDim.x, rows_a_block, N].
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
template <typename T, bool DOWN, int EIGHTS>
__device__ __forceinline__ void gradient(const T *z, const Gradient &of, const Dropout &dropout) {
    constexpr int ACROSS = DOWN ? 8 : 2, DEEP = 8 / ACROSS;
    // The distance of rows of `low` in shared memory keeps banks apart.
    constexpr int N = EIGHTS * RANKS, LOW_STRIDE = N + 4;
    // Rows between two sums over the warps.
    constexpr int CHUNK = 512 / N;
    constexpr int RING = 8 * STAGES * TILE_BYTES / 4, TILES = DOWN || RING > 8 * WARP_COLUMNS * N ? RING : 8 * WARP_COLUMNS * N;
    extern __shared__ __align__(128) float shared[];
    __shared__ bool last_of_columns, last_of_rows;
    let_next_start();
    wait_for_input();
    const int rows = of.rows, columns = of.columns, rank = of.rank, ranks = min(N, rank - of.first);
    const int first_row = blockIdx.y * of.rows_a_block, block_column = blockIdx.x * ACROSS * WARP_COLUMNS;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, group = lane / 4, pair = lane % 4;
    const int column = block_column + warp % ACROSS * WARP_COLUMNS, deep = warp / ACROSS;
    const int end = min(of.rows_a_block, rows - first_row);
    float *lows = shared + TILES, *left = DOWN ? lows + of.rows_a_block * LOW_STRIDE : shared;
    const uint32_t tiles = (uint32_t)__cvta_generic_to_shared(shared) + warp * STAGES * TILE_BYTES;
    // A lane brings a piece of every fourth row.
    auto read = [&](int r, int stage) {
        const int at = column + lane % 8 * 8;
#pragma unroll
        for (int k = 0; k < 4; k++) {
            int in_tile = k * 4 + lane / 8, row = first_row + r + in_tile;
            bool there = row < rows && at < columns;
            uint32_t to = tiles + stage * TILE_BYTES + in_tile * WARP_COLUMNS * 2 + (lane % 8 ^ in_tile % 8) * 16;
            bring(to, z + (there ? (size_t)row * columns + at : 0), there);
        }
    };
#pragma unroll
    for (int stage = 0; stage < STAGES - 1; stage++) {
        int r = (stage * DEEP + deep) * 16;
        if (r < end) read(r, stage);
        asm volatile("cp.async.commit_group;" ::: "memory");
    }
    // Rows and ranks beyond the last count nothing.
#pragma unroll 8
    for (int at = threadIdx.x; at < of.rows_a_block * N; at += 256) {
        int row = first_row + at / N, j = at % N;
        lows[at / N * LOW_STRIDE + j] = row < rows && j < ranks ? of.low[(size_t)row * rank + of.first + j] : 0.f;
    }
    // With DOWN, two neighbours of each eight columns.
    float2 b[EIGHTS][8];
    if (DOWN) {
#pragma unroll
        for (int e = 0; e < EIGHTS; e++) {
            const float *of_rank = of.b + (size_t)(of.first + min(e * RANKS + group, ranks - 1)) * columns;
#pragma unroll
            for (int t = 0; t < 8; t++) {
                int at = column + t * 8 + pair * 2;
                b[e][t] = at < columns ? __ldg((const float2 *)(of_rank + at)) : float2{0.f, 0.f};
            }
        }
    }
    float sums[EIGHTS][4][4] = {};
    __syncthreads();
    // Of the rows that a lane points to: that of its part, and which of two pieces.
    const int part_row = lane % 8 + lane / 8 % 2 * 8, part_piece = lane / 16;
    int stage = 0;
    for (int r = deep * 16; r < end; r += DEEP * 16) {
        asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2) : "memory");
        __syncwarp();
        // The next rows are on their way while these are multiplied.
        if (r + (STAGES - 1) * DEEP * 16 < end) read(r + (STAGES - 1) * DEEP * 16, stage == 0 ? STAGES - 1 : stage - 1);
        asm volatile("cp.async.commit_group;" ::: "memory");
        const uint32_t row_of_tile = tiles + stage * TILE_BYTES + part_row * WARP_COLUMNS * 2;
        stage = stage == STAGES - 1 ? 0 : stage + 1;
        if (DOWN) {
            float down[EIGHTS][4] = {};
#pragma unroll
            for (int t = 0; t < 4; t++) {
                // Rows, rows beyond eight; the same of the next eight columns.
                uint32_t of_z[4];
                load_parts<false>(of_z, row_of_tile + ((t * 2 + part_piece) ^ lane % 8) * 16);
#pragma unroll
                for (int j = 0; j < 2; j++) {
                    uint32_t a[4];
                    two_f32<T>(of_z[j * 2], a[0], a[2]);
                    two_f32<T>(of_z[j * 2 + 1], a[1], a[3]);
#pragma unroll
                    for (int e = 0; e < EIGHTS; e++) {
                        float2 &two = b[e][t * 2 + j];
                        uint32_t high[2], rest[2];
                        // With several eights there are no registers for both halves of all.
                        if (EIGHTS > 1) asm volatile("" : "+f"(two.x), "+f"(two.y));
                        halves(two.x, high[0], rest[0]);
                        halves(two.y, high[1], rest[1]);
                        multiply(down[e], a, high[0], high[1]);
                        multiply(down[e], a, rest[0], rest[1]);
                    }
                }
            }
            // [2, 8, EIGHTS, CHUNK, RANKS]: what is written now, while the others may still add the chunk before.
            float *chunk = left + r / CHUNK % 2 * 8 * CHUNK * N;
#pragma unroll
            for (int e = 0; e < EIGHTS; e++)
#pragma unroll
                for (int half = 0; half < 2; half++)
                    *(float2 *)(chunk + ((warp * EIGHTS + e) * CHUNK + r % CHUNK + half * 8 + group) * RANKS + pair * 2) =
                        float2{down[e][half * 2], down[e][half * 2 + 1]};
        }
        uint32_t high[EIGHTS][4], rest[EIGHTS][4];
#pragma unroll
        for (int e = 0; e < EIGHTS; e++)
#pragma unroll
            for (int k = 0; k < 4; k++)
                halves(lows[(r + k / 2 * 8 + pair * 2 + k % 2) * LOW_STRIDE + e * RANKS + group], high[e][k], rest[e][k]);
#pragma unroll
        for (int t = 0; t < 4; t++) {
            uint32_t of_z[4];
            load_parts<true>(of_z, row_of_tile + ((t * 2 + part_piece) ^ lane % 8) * 16);
#pragma unroll
            for (int half = 0; half < 2; half++) {
                uint32_t a[4];
                two_f32<T>(of_z[half], a[0], a[2]);
                two_f32<T>(of_z[half + 2], a[1], a[3]);
                if (!DOWN && dropout.threshold) {
                    uint32_t at = (uint32_t)(first_row + r + half * 8 + pair * 2) * (uint32_t)columns + column + t * 16 + group;
#pragma unroll
                    for (int k = 0; k < 4; k++)
                        if (dropout.factor(at + k / 2 * columns + k % 2 * 8) == 0.f) a[k] = 0;
                }
#pragma unroll
                for (int e = 0; e < EIGHTS; e++) {
                    multiply(sums[e][t], a, high[e][half * 2], high[e][half * 2 + 1]);
                    multiply(sums[e][t], a, rest[e][half * 2], rest[e][half * 2 + 1]);
                }
            }
        }
        if (DOWN && (r % CHUNK == CHUNK - 16 || r + 16 >= end)) {
            __syncthreads();
            const int from = r / CHUNK * CHUNK, size = min(CHUNK, end - from) * RANKS;
            const float *chunk = left + r / CHUNK % 2 * 8 * CHUNK * N;
            float *to = of.partial_low + ((size_t)(blockIdx.y * gridDim.x + blockIdx.x) * of.rows_a_block + from) * N;
#pragma unroll
            for (int e = 0; e < EIGHTS; e++)
                for (int at = threadIdx.x; at < size; at += 256) {
                    float sum = 0.f;
#pragma unroll
                    for (int w = 0; w < 8; w++) sum += chunk[(w * EIGHTS + e) * CHUNK * RANKS + at];
                    to[at / RANKS * N + e * RANKS + at % RANKS] = sum;
                }
        }
    }
    // A lane's sums are of ranks 2 * pair and 2 * pair + 1 of each eight, and of columns `group` of eights.
    constexpr int BLOCK = ACROSS * WARP_COLUMNS * N;
    const int block_size = min(columns - block_column, ACROSS * WARP_COLUMNS) * N;
    float *of_block = of.partial + ((size_t)blockIdx.y * columns + block_column) * N;
    // What is left takes the place of the tiles.
    if (DEEP > 1) __syncthreads();
#pragma unroll
    for (int e = 0; e < EIGHTS; e++)
#pragma unroll
        for (int t = 0; t < 4; t++)
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int at = (warp % ACROSS * WARP_COLUMNS + t * 16 + half * 8 + group) * N + e * RANKS + pair * 2;
                float2 two = {sums[e][t][half * 2], sums[e][t][half * 2 + 1]};
                if (DEEP > 1)
                    *(float2 *)(left + deep * BLOCK + at) = two;
                else if (at < block_size)
                    *(float2 *)(of_block + at) = two;
            }
    if (DEEP > 1) {
        __syncthreads();
        for (int at = threadIdx.x; at < block_size; at += 256) {
            float sum = 0.f;
#pragma unroll
            for (int d = 0; d < DEEP; d++) sum += left[d * BLOCK + at];
            of_block[at] = sum;
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
            float4 sum = sum_of(of.partial + (size_t)block_column * N + at, (size_t)columns * N, gridDim.y);
            const float *of_rank = (const float *)&sum;
            size_t to = block_column + at / N;
#pragma unroll
            for (int k = 0; k < 4; k++) {
                int j = at % N + k;
                if (j < ranks) of.out[of.across ? (size_t)(of.first + j) * columns + to : to * rank + of.first + j] = of_rank[k] * factor;
            }
        }
    }
    if (last_of_rows) {
        __threadfence();
        const int low_size = of.rows_a_block * N;
        for (int at = threadIdx.x * 4; at < end * N; at += 256 * 4) {
            float4 sum = sum_of(of.partial_low + (size_t)blockIdx.y * gridDim.x * low_size + at, low_size, gridDim.x);
            const float *of_rank = (const float *)&sum;
            float *to = of.d_low + (size_t)(first_row + at / N) * rank + of.first;
#pragma unroll
            for (int k = 0; k < 4; k++)
                if (at % N + k < ranks) to[at % N + k] = of_rank[k] * of.scale;
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

// Kernels of N ranks at a time; for B's gradient there are no registers for 32.
#define MAKE(T, S, N)                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256, N > 16 ? 2 : 3)                                                  \
        lora_down_##N##_##S(const T *x, const float *a, float *low, int rows, int in, int rank, int first,             \
                            float scale, Dropout dropout, float *partial, uint32_t *counters) {                        \
        down<T, N / RANKS>(x, a, low, rows, in, rank, first, scale, dropout, partial, counters);                       \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256, N > 16 ? 2 : 3)                                                  \
        lora_up_##N##_##S(T *y, const float *low, const float *a, int rows, int out, int rank, int first,              \
                          int rows_a_block, Dropout dropout) {                                                         \
        up<T, N / RANKS>(y, low, a, rows, out, rank, first, rows_a_block, dropout);                                    \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256, N > 8 ? 2 : 3)                                                   \
        lora_gradient_##N##_##S(const T *z, Gradient of, Dropout dropout) {                                            \
        gradient<T, false, N / RANKS>(z, of, dropout);                                                                 \
    }
#define MAKE_BACK(T, S, N)                                                                                             \
    extern "C" __global__ void __launch_bounds__(256, 2) lora_back_##N##_##S(const T *z, Gradient of, Dropout dropout) { \
        gradient<T, true, N / RANKS>(z, of, dropout);                                                                  \
    }
#define MAKE_ALL(T, S) MAKE(T, S, 8) MAKE(T, S, 16) MAKE(T, S, 32) MAKE_BACK(T, S, 8) MAKE_BACK(T, S, 16)
MAKE_ALL(f16, f16)
MAKE_ALL(bf16, bf16)
