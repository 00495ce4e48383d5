// Flash attention for ChatGLM-6B: causal with a bidirectional context and left padding. A Hopper has `attention_hopper.cu` for
// heads of 128, of which this has the `delta` and the forward of short sequences.
//
// A batch is `tokens` tokens, in which sequences lie one after another, each seeing itself alone:
// spans[s] = (start, seq, padding p, context c): `seq` tokens from `start` on, of which query i sees
// key j iff j >= p and (j <= i or j < p + c). So every query sees one interval of keys,
// [p, max(i + 1, p + c)), cut at seq. Queries before p are padding: they read zeros and pass no
// gradient.
//
// Layouts, row-major; T is __half or __nv_bfloat16, sums are f32:
//   qkv, d_qkv        [tokens, heads, 3, head_dim]   q and k already rotated
//   out, d_out        [tokens, heads, head_dim]
//   log_sums, deltas  [heads, tokens]                f32
//   spans             [sequences]                    int4
//
// Every kernel is exported for TYPE f16 and bf16 and for DIM (head_dim) 128, 64 and 32.
// tiles(n) = ceil(longest seq / n), rows = tokens * heads. Pointers to T are 16-byte aligned; scale > 0.
//
//   kernel                                     grid                         block  dynamic shared bytes
//   attention_forward_TYPE_DIM_q64             (heads, sequences, tiles(64))   128    640 * DIM
//   attention_forward_TYPE_DIM_q128            (heads, sequences, tiles(128))   128    512 * DIM
//   attention_delta_TYPE_DIM                   ceil(rows * DIM / 2048)      256    0
//   attention_backward_keys_TYPE_DIM           (heads, sequences, tiles(64))   128    768 * DIM + 1024
//   attention_backward_queries_TYPE_DIM        (heads, sequences, tiles(64))   128    768 * DIM
//
// The backward pass is the delta kernel, then the other two in any order: together they write all
// of d_qkv. No floats are added atomically, so equal inputs give equal bits. More than 48 KiB of
// shared memory has to be asked for (CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES).
// _q128 pays once its grid fills the device's 2 blocks per multiprocessor well over once (on an
// H100: from about 400 blocks on); below that _q64 is faster.

#include "common.cuh"
#include "mma.cuh"
#include "softmax.cuh"

namespace attention {

constexpr int TILE = 64;  // keys of a forward step; queries and keys of a backward step
constexpr int WARPS = 4;
constexpr int THREADS = WARPS * 32;

// Steps of keys and values held at once. With 128 queries the registers are full (32 rows a warp):
// one stage leaves the addresses constant, and either load still runs beside the other's product.
__host__ __device__ constexpr int forward_stages(int q_tile) {
    return q_tile == 64 ? 2 : 1;
}

__host__ __device__ constexpr int forward_shared_bytes(int dim, int q_tile) {
    return (q_tile + forward_stages(q_tile) * 2 * TILE) * dim * 2;
}

// Two tiles of the block's own rows and two stages of two tiles that pass by; for the keys also the
// log_sums and deltas of the queries that pass by.
__host__ __device__ constexpr int backward_queries_shared_bytes(int dim) {
    return (2 + 2 * 2) * TILE * dim * 2;
}

__host__ __device__ constexpr int backward_keys_shared_bytes(int dim) {
    return backward_queries_shared_bytes(dim) + 2 * 2 * TILE * 4;
}

static_assert(forward_shared_bytes(128, 64) == 640 * 128 && forward_shared_bytes(128, 128) == 512 * 128 &&
                  backward_keys_shared_bytes(128) == 768 * 128 + 1024 && backward_queries_shared_bytes(128) == 768 * 128,
              "launch table");

// ---- PTX ----

__device__ __forceinline__ void copy_16(uint32_t to, const void *from) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;" :: "r"(to), "l"(from) : "memory");
}

__device__ __forceinline__ void zero_16(uint32_t to) {
    asm volatile("st.shared.v4.b32 [%0], {%1,%1,%1,%1};" :: "r"(to), "r"(0) : "memory");
}

// Copies 4 bytes, or writes zeros where `valid` is false; `from` must be an address in either case.
__device__ __forceinline__ void copy_4(uint32_t to, const void *from, bool valid) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;"
                 :: "r"(to), "l"(from), "r"(valid ? 4 : 0) : "memory");
}

__device__ __forceinline__ void copies_commit() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

__device__ __forceinline__ void copies_wait() {
    asm volatile("cp.async.wait_group 0;" ::: "memory");
}

__device__ __forceinline__ void load_matrices(uint32_t (&r)[4], uint32_t address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(address) : "memory");
}

__device__ __forceinline__ void load_matrices_transposed(uint32_t (&r)[4], uint32_t address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(address) : "memory");
}

// ---- tiles in shared memory ----

// Byte offset of a 16-byte chunk in a tile [rows, DIM]. The chunks of a row are permuted so that
// the eight rows of an 8x8 matrix lie in different banks. The pattern repeats every eight rows.
template <int DIM>
__device__ __forceinline__ uint32_t chunk_offset(int row, int chunk) {
    constexpr int SPREAD = DIM / 8 < 8 ? DIM / 8 : 8;
    return row * DIM * 2 + (chunk ^ (row / (8 / SPREAD) % SPREAD)) * 16;
}

// Where a lane points ldmatrix in a [16, 16] block at the tile's origin. Other blocks follow as
// (origin ^ 32 * column block) + 32 * DIM * row block: the permutation is an xor too.
// For the A operand, and for a B operand that is read transposed:
template <int DIM>
__device__ __forceinline__ uint32_t lane_offset(int lane) {
    return chunk_offset<DIM>(lane & 15, lane >> 4);
}

// For a B operand whose rows in memory are its columns:
template <int DIM>
__device__ __forceinline__ uint32_t lane_offset_b(int lane) {
    return chunk_offset<DIM>((lane & 7) + (lane >> 4) * 8, lane >> 3 & 1);
}

// Starts copying ROWS rows of `from` (row stride in elements) into a tile; rows past `valid` are zeros.
template <typename T, int DIM, int ROWS>
__device__ __forceinline__ void load_tile(uint32_t tile, const T *from, int stride, int valid) {
    constexpr int CHUNKS = DIM / 8;
    constexpr int STEP = THREADS / CHUNKS;  // a multiple of 8: one permutation for all of a thread's rows
    static_assert(STEP % 8 == 0 && ROWS % STEP == 0, "threads per row");
    const int first = threadIdx.x / CHUNKS, chunk = threadIdx.x % CHUNKS;
    from += first * stride + chunk * 8;
    tile += chunk_offset<DIM>(first, chunk);
    if (valid >= ROWS) {
#pragma unroll
        for (int row = 0; row < ROWS; row += STEP) copy_16(tile + row * DIM * 2, from + row * stride);
    } else {
#pragma unroll 1
        for (int row = 0; row < ROWS; row += STEP) {
            if (first + row < valid) {
                copy_16(tile + row * DIM * 2, from + row * stride);
            } else {
                zero_16(tile + row * DIM * 2);
            }
        }
    }
}

// A warp writes its [16, DIM] sums as T: through `scratch` (16 rows of a tile of its own), so that
// whole rows leave together. Rows below `begin` become zeros, rows from `end` on are left alone.
template <typename T, int DIM>
__device__ __forceinline__ void store_rows(uint32_t scratch, const float (&sums)[DIM / 8][4], float factor_low,
                                           float factor_high, T *to, size_t stride, int begin, int end) {
    constexpr int CHUNKS = DIM / 8;
    const int lane = threadIdx.x & 31;
    __syncwarp();
#pragma unroll
    for (int n = 0; n < CHUNKS; n++) {
        const uint32_t low = pack<T>(sums[n][0] * factor_low, sums[n][1] * factor_low);
        const uint32_t high = pack<T>(sums[n][2] * factor_high, sums[n][3] * factor_high);
        const uint32_t address = scratch + chunk_offset<DIM>(lane / 4, n) + lane % 4 * 4;
        asm volatile("st.shared.b32 [%0], %1;" :: "r"(address), "r"(low) : "memory");
        asm volatile("st.shared.b32 [%0], %1;" :: "r"(address + 8 * DIM * 2), "r"(high) : "memory");
    }
    __syncwarp();
#pragma unroll
    for (int i = lane; i < 16 * CHUNKS; i += 32) {
        const int row = i / CHUNKS, chunk = i % CHUNKS;
        uint4 value;
        asm volatile("ld.shared.v4.b32 {%0,%1,%2,%3}, [%4];"
                     : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
                     : "r"(scratch + chunk_offset<DIM>(row, chunk)) : "memory");
        if (row < begin) value = make_uint4(0, 0, 0, 0);
        if (row < end) *reinterpret_cast<uint4 *>(to + row * stride + chunk * 8) = value;
    }
}

// Zeros in `rows` rows, by the whole block.
template <typename T, int DIM>
__device__ __forceinline__ void store_zeros(T *to, size_t stride, int rows) {
    for (int i = threadIdx.x; i < rows * (DIM / 8); i += THREADS) {
        *reinterpret_cast<uint4 *>(to + i / (DIM / 8) * stride + i % (DIM / 8) * 8) = make_uint4(0, 0, 0, 0);
    }
}

// ---- products ----

// sums [M * 16, N * 8] += a [M * 16, DIM] * b [N * 8, DIM]^T, both in shared memory.
template <typename T, int DIM, int M, int N>
__device__ __forceinline__ void multiply_rows(float (&sums)[M][N][4], uint32_t a_lane, uint32_t b_lane) {
#pragma unroll
    for (int k = 0; k < DIM / 16; k++) {
        uint32_t a[M][4];
#pragma unroll
        for (int m = 0; m < M; m++) load_matrices(a[m], (a_lane ^ k * 32) + m * 32 * DIM);
#pragma unroll
        for (int n = 0; n < N / 2; n++) {
            uint32_t b[4];
            load_matrices(b, (b_lane ^ k * 32) + n * 32 * DIM);
#pragma unroll
            for (int m = 0; m < M; m++) {
                mma<T>(sums[m][2 * n], a[m], b[0], b[1]);
                mma<T>(sums[m][2 * n + 1], a[m], b[2], b[3]);
            }
        }
    }
}

// The same with one block of rows, kept in registers.
template <typename T, int DIM, int N>
__device__ __forceinline__ void multiply_kept_rows(float (&sums)[N][4], const uint32_t (&a)[DIM / 16][4], uint32_t b_lane) {
#pragma unroll
    for (int k = 0; k < DIM / 16; k++) {
#pragma unroll
        for (int n = 0; n < N / 2; n++) {
            uint32_t b[4];
            load_matrices(b, (b_lane ^ k * 32) + n * 32 * DIM);
            mma<T>(sums[2 * n], a[k], b[0], b[1]);
            mma<T>(sums[2 * n + 1], a[k], b[2], b[3]);
        }
    }
}

// sums [M * 16, DIM] += weights [M * 16, N * 8] * b [N * 8, DIM]. The weights are sums of an
// earlier product: the layout of an accumulator is that of an A operand.
template <typename T, int DIM, int M, int N>
__device__ __forceinline__ void multiply_weights(float (&sums)[M][DIM / 8][4], const float (&weights)[M][N][4],
                                                 uint32_t b_lane) {
#pragma unroll
    for (int k = 0; k < N / 2; k++) {
        uint32_t a[M][4];
#pragma unroll
        for (int m = 0; m < M; m++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const float(&w)[4] = weights[m][2 * k + i / 2];
                a[m][i] = i % 2 == 0 ? pack<T>(w[0], w[1]) : pack<T>(w[2], w[3]);
            }
        }
#pragma unroll
        for (int n = 0; n < DIM / 16; n++) {
            uint32_t b[4];
            load_matrices_transposed(b, (b_lane ^ n * 32) + k * 32 * DIM);
#pragma unroll
            for (int m = 0; m < M; m++) {
                mma<T>(sums[m][2 * n], a[m], b[0], b[1]);
                mma<T>(sums[m][2 * n + 1], a[m], b[2], b[3]);
            }
        }
    }
}

// ---- forward ----

// One block: Q_TILE queries of one head. A warp owns a quarter of them. With 16 it keeps them in
// registers; with 32 there is no room for that, but keys and values are read from shared memory
// half as often.
template <typename T, int DIM, int Q_TILE>
__device__ __forceinline__ void forward(const T *__restrict__ qkv, T *__restrict__ out, float *__restrict__ log_sums,
                                        const int4 *__restrict__ spans, int tokens, int heads, float scale) {
    constexpr int M = Q_TILE / WARPS / 16, N = TILE / 8, STAGES = forward_stages(Q_TILE);
    constexpr uint32_t BYTES = TILE * DIM * 2;
    extern __shared__ __align__(1024) char shared[];

    const int head = blockIdx.x;
    const int4 span = spans[blockIdx.y];
    const int first_token = span.x, seq = span.y, padding = span.z, context_end = padding + span.w;
    const int first_query = (gridDim.z - 1 - blockIdx.z) * Q_TILE;  // the last ones see most: start them first
    if (first_query >= seq) return;
    const size_t stride = size_t(heads) * 3 * DIM, out_stride = size_t(heads) * DIM;
    const T *queries = qkv + first_token * stride + head * 3 * DIM;
    const T *keys = queries + DIM, *values = keys + DIM;
    out += (size_t(first_token) + first_query) * out_stride + head * DIM;
    log_sums += size_t(head) * tokens + first_token + first_query;
    const int query_count = min(Q_TILE, seq - first_query);

    if (first_query + Q_TILE <= padding) {
        store_zeros<T, DIM>(out, out_stride, query_count);
        for (int i = threadIdx.x; i < query_count; i += THREADS) log_sums[i] = 0;
        return;
    }
    const int first_tile = padding / TILE;
    const int end_tile = (min(seq, max(first_query + query_count, context_end)) + TILE - 1) / TILE;

    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    // the queries, then the stages: keys and values
    const uint32_t q_tile = __cvta_generic_to_shared(shared), stages = q_tile + Q_TILE * DIM * 2;
    const uint32_t q_rows = q_tile + warp * M * 32 * DIM;
    const uint32_t q_lane = q_rows + lane_offset<DIM>(lane);
    const uint32_t k_lane = stages + lane_offset_b<DIM>(lane);
    const uint32_t v_lane = stages + BYTES + lane_offset<DIM>(lane);

    const auto load = [&](const T *from, int tile, uint32_t to) {
        load_tile<T, DIM, TILE>(to, from + size_t(tile) * TILE * stride, stride, seq - tile * TILE);
    };
    load_tile<T, DIM, Q_TILE>(q_tile, queries + first_query * stride, stride, query_count);
    load(keys, first_tile, stages);
    if constexpr (STAGES == 2) load(values, first_tile, stages + BYTES);
    copies_commit();

    uint32_t q[DIM / 16][4];
    if constexpr (M == 1) {
        copies_wait();
        __syncthreads();
#pragma unroll
        for (int k = 0; k < DIM / 16; k++) load_matrices(q[k], q_lane ^ k * 32);
    }
    const float scale_log2 = scale * LOG2_E;
    const int first_row = first_query + warp * M * 16 + lane / 4;
    float sums[M][DIM / 8][4] = {};
    float row_max[M][2], row_sum[M][2] = {};
#pragma unroll
    for (int m = 0; m < M; m++) row_max[m][0] = row_max[m][1] = -INFINITY;

    for (int tile = first_tile; tile < end_tile; tile++) {
        const uint32_t at = (tile - first_tile) % STAGES * 2 * BYTES;  // this tile's stage
        copies_wait();
        __syncthreads();  // what was loaded last has come, and nobody reads what is overwritten next
        if constexpr (STAGES == 2) {
            if (tile + 1 < end_tile) {
                load(keys, tile + 1, stages + (at ^ 2 * BYTES));
                load(values, tile + 1, stages + (at ^ 2 * BYTES) + BYTES);
            }
        } else {
            load(values, tile, stages + BYTES);
        }
        copies_commit();

        float scores[M][N][4] = {};
        if constexpr (M == 1) {
            multiply_kept_rows<T, DIM>(scores[0], q, k_lane + at);
        } else {
            multiply_rows<T, DIM>(scores, q_lane, k_lane + at);
        }

        const int first_key = tile * TILE;
        const bool seen = first_key >= padding && first_key + TILE <= min(seq, max(first_query + 1, context_end));
        if (!seen) {
#pragma unroll
            for (int m = 0; m < M; m++) {
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    const int end = min(seq, max(first_row + m * 16 + half * 8 + 1, context_end));
#pragma unroll
                    for (int n = 0; n < N; n++) {
#pragma unroll
                        for (int i = 0; i < 2; i++) {
                            const int key = first_key + n * 8 + lane % 4 * 2 + i;
                            if (key < padding || key >= end) scores[m][n][half * 2 + i] = -INFINITY;
                        }
                    }
                }
            }
        }

        // The first tile holds the first visible key, so the maximum of a row is finite from then on;
        // only rows of padding, which are not written, may become NaN.
#pragma unroll
        for (int m = 0; m < M; m++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                float high = row_max[m][half];
#pragma unroll
                for (int n = 0; n < N; n++) high = fmaxf(high, fmaxf(scores[m][n][half * 2], scores[m][n][half * 2 + 1]));
                high = quad_max(high);
                const float base = high * scale_log2;
                const float shrink = exp2_fast(row_max[m][half] * scale_log2 - base);
                row_max[m][half] = high;
                row_sum[m][half] *= shrink;
#pragma unroll
                for (int n = 0; n < DIM / 8; n++) {
                    sums[m][n][half * 2] *= shrink;
                    sums[m][n][half * 2 + 1] *= shrink;
                }
#pragma unroll
                for (int n = 0; n < N; n++) {
#pragma unroll
                    for (int i = half * 2; i < half * 2 + 2; i++) {
                        scores[m][n][i] = exp2_fast(scores[m][n][i] * scale_log2 - base);
                        row_sum[m][half] += scores[m][n][i];
                    }
                }
            }
        }
        if constexpr (STAGES == 1) {
            copies_wait();
            __syncthreads();  // the values have come, and nobody reads the keys any more
            if (tile + 1 < end_tile) load(keys, tile + 1, stages);
            copies_commit();
        }
        multiply_weights<T, DIM>(sums, scores, v_lane + at);
    }

#pragma unroll
    for (int m = 0; m < M; m++) {
        const int block = warp * M * 16 + m * 16;
        float factor[2];
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const float sum = quad_sum(row_sum[m][half]);
            factor[half] = 1 / sum;
            const int row = block + half * 8 + lane / 4;
            if (lane % 4 == 0 && row < query_count) {
                const float log_sum = row_max[m][half] * scale + log2f(sum) * LN_2;
                log_sums[row] = first_query + row < padding ? 0 : log_sum;
            }
        }
        // a warp alone reads its rows of the query tile, so they are free now
        store_rows<T, DIM>(q_rows + m * 32 * DIM, sums[m], factor[0], factor[1], out + block * out_stride, out_stride,
                           padding - first_query - block, query_count - block);
    }
}

// ---- backward ----
//
// With P = exp(scale * q k^T - log_sum), dP = d_out v^T and delta = rowsum(out * d_out):
//   dS = P * (dP - delta), dq = scale * dS k, dk = scale * dS^T q, dv = P^T d_out.
// Blocks of keys and blocks of queries each recompute P and dP: two products more than sharing dS
// would take, but nothing is added across blocks.

// DIM / 8 lanes per row.
template <typename T, int DIM>
__device__ __forceinline__ void delta(const T *__restrict__ out, const T *__restrict__ d_out, float *__restrict__ deltas,
                                      int tokens, int heads, int rows) {
    let_next_start();
    wait_for_input();
    constexpr int LANES = DIM / 8;
    const int row = (blockIdx.x * blockDim.x + threadIdx.x) / LANES;  // in [tokens, heads]
    const int lane = threadIdx.x % LANES;
    float sum = 0;
    if (row < rows) {
        const uint4 a = reinterpret_cast<const uint4 *>(out)[size_t(row) * LANES + lane];
        const uint4 b = reinterpret_cast<const uint4 *>(d_out)[size_t(row) * LANES + lane];
        const T *x = reinterpret_cast<const T *>(&a), *y = reinterpret_cast<const T *>(&b);
#pragma unroll
        for (int i = 0; i < 8; i++) sum += float(x[i]) * float(y[i]);
    }
#pragma unroll
    for (int step = LANES / 2; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
    if (row < rows && lane == 0) {
        deltas[size_t(row % heads) * tokens + row / heads] = sum;
    }
}

// dk and dv of TILE keys. The scores are kept transposed, [keys, queries]: a warp owns 16 keys, and
// P^T and dS^T are A operands as they come.
template <typename T, int DIM>
__device__ __forceinline__ void backward_keys(const T *__restrict__ qkv, const T *__restrict__ d_out,
                                              const float *__restrict__ log_sums, const float *__restrict__ deltas,
                                              const int4 *__restrict__ spans, T *__restrict__ d_qkv, int tokens, int heads,
                                              float scale) {
    constexpr int N = TILE / 8;
    constexpr uint32_t BYTES = TILE * DIM * 2;
    extern __shared__ __align__(1024) char shared[];

    const int head = blockIdx.x;
    const int4 span = spans[blockIdx.y];
    const int first_token = span.x, seq = span.y, padding = span.z, context_end = padding + span.w;
    const int first_key = blockIdx.z * TILE;  // the first ones are seen most: start them first
    if (first_key >= seq) return;
    const size_t stride = size_t(heads) * 3 * DIM, out_stride = size_t(heads) * DIM;
    const size_t start = first_token * stride + head * 3 * DIM, own = start + first_key * stride + DIM;
    const T *queries = qkv + start;
    T *d_keys = d_qkv + own, *d_values = d_keys + DIM;
    d_out += first_token * out_stride + head * DIM;
    log_sums += size_t(head) * tokens + first_token;
    deltas += size_t(head) * tokens + first_token;
    const int key_count = min(TILE, seq - first_key);

    if (first_key + TILE <= padding) {
        store_zeros<T, DIM>(d_keys, stride, key_count);
        store_zeros<T, DIM>(d_values, stride, key_count);
        return;
    }
    const int first_visible = max(first_key, padding);
    const int first_tile = (first_visible < context_end ? padding : first_visible) / TILE;
    const int end_tile = (seq + TILE - 1) / TILE;

    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    // keys, values, then the stages: queries and d_out; at the end the stages' log_sums and deltas
    const uint32_t k_tile = __cvta_generic_to_shared(shared), stages = k_tile + 2 * BYTES, statistics = stages + 4 * BYTES;
    const uint32_t k_rows = k_tile + warp * 32 * DIM;
    const uint32_t k_lane = k_rows + lane_offset<DIM>(lane), v_lane = k_lane + BYTES;
    const uint32_t row_lane = stages + lane_offset_b<DIM>(lane), column_lane = stages + lane_offset<DIM>(lane);

    const auto load_queries = [&](int tile, uint32_t stage) {
        const int first = tile * TILE, valid = seq - first;
        const uint32_t to = stages + stage * 2 * BYTES;
        load_tile<T, DIM, TILE>(to, queries + first * stride, stride, valid);
        load_tile<T, DIM, TILE>(to + BYTES, d_out + first * out_stride, out_stride, valid);
        const int row = threadIdx.x % TILE;
        const float *from = threadIdx.x < TILE ? log_sums : deltas;
        copy_4(statistics + (stage * 2 * TILE + threadIdx.x) * 4, row < valid ? from + first + row : from, row < valid);
        copies_commit();
    };
    load_tile<T, DIM, TILE>(k_tile, qkv + own, stride, key_count);
    load_tile<T, DIM, TILE>(k_tile + BYTES, qkv + own + DIM, stride, key_count);
    load_queries(first_tile, 0);

    const float scale_log2 = scale * LOG2_E;
    const int first_row = first_key + warp * 16 + lane / 4;
    float dk[1][DIM / 8][4] = {}, dv[1][DIM / 8][4] = {};

    for (int tile = first_tile; tile < end_tile; tile++) {
        const uint32_t stage = (tile - first_tile) % 2, at = stage * 2 * BYTES;
        copies_wait();
        __syncthreads();  // this stage has come, and nobody reads the other one any more
        if (tile + 1 < end_tile) load_queries(tile + 1, stage ^ 1);
        const float *tile_log_sums = reinterpret_cast<const float *>(shared + 6 * BYTES) + stage * 2 * TILE;
        const float *tile_deltas = tile_log_sums + TILE;

        float p[1][N][4] = {}, ds[1][N][4] = {};
        multiply_rows<T, DIM>(p, k_lane, row_lane + at);
        multiply_rows<T, DIM>(ds, v_lane, row_lane + at + BYTES);
#pragma unroll
        for (int n = 0; n < N; n++) {
            const float2 sum = *reinterpret_cast<const float2 *>(tile_log_sums + n * 8 + lane % 4 * 2);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                p[0][n][i] = exp2_fast(p[0][n][i] * scale_log2 - (i % 2 == 0 ? sum.x : sum.y) * LOG2_E);
            }
        }
        // queries past seq need no mask: they and their d_out are zeros
        const int first_query = tile * TILE;
        const bool seen = min(first_key, first_query) >= padding && first_key + TILE <= max(first_query + 1, context_end);
        if (!seen) {
#pragma unroll
            for (int n = 0; n < N; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const int key = first_row + i / 2 * 8, query = first_query + n * 8 + lane % 4 * 2 + i % 2;
                    if (min(key, query) < padding || key >= max(query + 1, context_end)) p[0][n][i] = 0;
                }
            }
        }
#pragma unroll
        for (int n = 0; n < N; n++) {
            const float2 d = *reinterpret_cast<const float2 *>(tile_deltas + n * 8 + lane % 4 * 2);
#pragma unroll
            for (int i = 0; i < 4; i++) ds[0][n][i] = p[0][n][i] * (ds[0][n][i] - (i % 2 == 0 ? d.x : d.y));
        }
        multiply_weights<T, DIM>(dv, p, column_lane + at + BYTES);
        multiply_weights<T, DIM>(dk, ds, column_lane + at);
    }

    // a warp alone reads its rows of keys and values, so they are free now
    const int block = warp * 16;
    store_rows<T, DIM>(k_rows, dk[0], scale, scale, d_keys + block * stride, stride, 0, key_count - block);
    store_rows<T, DIM>(k_rows + BYTES, dv[0], 1, 1, d_values + block * stride, stride, 0, key_count - block);
}

// dq of TILE queries; a warp owns 16 and keeps them and their d_out in registers.
template <typename T, int DIM>
__device__ __forceinline__ void backward_queries(const T *__restrict__ qkv, const T *__restrict__ d_out,
                                                 const float *__restrict__ log_sums, const float *__restrict__ deltas,
                                                 const int4 *__restrict__ spans, T *__restrict__ d_qkv, int tokens, int heads,
                                                 float scale) {
    constexpr int N = TILE / 8;
    constexpr uint32_t BYTES = TILE * DIM * 2;
    extern __shared__ __align__(1024) char shared[];

    const int head = blockIdx.x;
    const int4 span = spans[blockIdx.y];
    const int first_token = span.x, seq = span.y, padding = span.z, context_end = padding + span.w;
    const int first_query = (gridDim.z - 1 - blockIdx.z) * TILE;  // the last ones see most: start them first
    if (first_query >= seq) return;
    const size_t stride = size_t(heads) * 3 * DIM, out_stride = size_t(heads) * DIM;
    const size_t start = first_token * stride + head * 3 * DIM, own = start + first_query * stride;
    const T *keys = qkv + start + DIM;  // each followed by its value
    T *d_queries = d_qkv + own;
    d_out += (size_t(first_token) + first_query) * out_stride + head * DIM;
    log_sums += size_t(head) * tokens + first_token + first_query;
    deltas += size_t(head) * tokens + first_token + first_query;
    const int query_count = min(TILE, seq - first_query);

    if (first_query + TILE <= padding) {
        store_zeros<T, DIM>(d_queries, stride, query_count);
        return;
    }
    const int first_tile = padding / TILE;
    const int end_tile = (min(seq, max(first_query + query_count, context_end)) + TILE - 1) / TILE;

    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    // queries, d_out, then the stages: keys and values
    const uint32_t q_tile = __cvta_generic_to_shared(shared), stages = q_tile + 2 * BYTES;
    const uint32_t q_rows = q_tile + warp * 32 * DIM, q_lane = q_rows + lane_offset<DIM>(lane);
    const uint32_t row_lane = stages + lane_offset_b<DIM>(lane), column_lane = stages + lane_offset<DIM>(lane);

    const auto load_keys = [&](int tile, uint32_t stage) {
        const T *from = keys + size_t(tile) * TILE * stride;
        const uint32_t to = stages + stage * 2 * BYTES;
        load_tile<T, DIM, TILE>(to, from, stride, seq - tile * TILE);
        load_tile<T, DIM, TILE>(to + BYTES, from + DIM, stride, seq - tile * TILE);
        copies_commit();
    };
    load_tile<T, DIM, TILE>(q_tile, qkv + own, stride, query_count);
    load_tile<T, DIM, TILE>(q_tile + BYTES, d_out, out_stride, query_count);
    load_keys(first_tile, 0);

    const float scale_log2 = scale * LOG2_E;
    const int block = warp * 16, first_row = first_query + block + lane / 4;
    float base[2], row_delta[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int row = block + half * 8 + lane / 4;
        base[half] = row < query_count ? log_sums[row] * LOG2_E : 0;
        row_delta[half] = row < query_count ? deltas[row] : 0;
    }
    copies_wait();
    __syncthreads();
    uint32_t q[DIM / 16][4], d_o[DIM / 16][4];
#pragma unroll
    for (int k = 0; k < DIM / 16; k++) {
        load_matrices(q[k], q_lane ^ k * 32);
        load_matrices(d_o[k], (q_lane ^ k * 32) + BYTES);
    }
    float dq[1][DIM / 8][4] = {};

    for (int tile = first_tile; tile < end_tile; tile++) {
        const uint32_t stage = (tile - first_tile) % 2, at = stage * 2 * BYTES;
        copies_wait();
        __syncthreads();  // this stage has come, and nobody reads the other one any more
        if (tile + 1 < end_tile) load_keys(tile + 1, stage ^ 1);

        float p[N][4] = {}, ds[1][N][4] = {};
        multiply_kept_rows<T, DIM>(p, q, row_lane + at);
        multiply_kept_rows<T, DIM>(ds[0], d_o, row_lane + at + BYTES);
#pragma unroll
        for (int n = 0; n < N; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                ds[0][n][i] = exp2_fast(p[n][i] * scale_log2 - base[i / 2]) * (ds[0][n][i] - row_delta[i / 2]);
            }
        }
        const int first_key = tile * TILE;
        const bool seen = first_key >= padding && first_key + TILE <= min(seq, max(first_query + 1, context_end));
        if (!seen) {
#pragma unroll
            for (int n = 0; n < N; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const int key = first_key + n * 8 + lane % 4 * 2 + i % 2;
                    const int end = min(seq, max(first_row + i / 2 * 8 + 1, context_end));
                    if (key < padding || key >= end) ds[0][n][i] = 0;
                }
            }
        }
        multiply_weights<T, DIM>(dq, ds, column_lane + at);
    }

    store_rows<T, DIM>(q_rows, dq[0], scale, scale, d_queries + block * stride, stride, padding - first_query - block,
                       query_count - block);
}

}  // namespace attention

// ---- exports ----

#define ATTENTION_FORWARD(TYPE, NAME, DIM, Q_TILE)                                                                    \
    extern "C" __global__ void __launch_bounds__(attention::THREADS, 2) attention_forward_##NAME##_##DIM##_q##Q_TILE( \
        const TYPE *qkv, TYPE *out, float *log_sums, const int4 *spans, int tokens, int heads, float scale) {         \
        attention::forward<TYPE, DIM, Q_TILE>(qkv, out, log_sums, spans, tokens, heads, scale);                       \
    }

#define ATTENTION_DELTA(TYPE, NAME, DIM)                                                                   \
    extern "C" __global__ void __launch_bounds__(256) attention_delta_##NAME##_##DIM(                      \
        const TYPE *out, const TYPE *d_out, float *deltas, int tokens, int heads, int rows) {              \
        attention::delta<TYPE, DIM>(out, d_out, deltas, tokens, heads, rows);                              \
    }

#define ATTENTION_BACKWARD(TYPE, NAME, DIM, PART)                                                          \
    extern "C" __global__ void __launch_bounds__(attention::THREADS, 2)                                    \
        attention_backward_##PART##_##NAME##_##DIM(const TYPE *qkv, const TYPE *d_out,                     \
                                                   const float *log_sums, const float *deltas,             \
                                                   const int4 *spans, TYPE *d_qkv, int tokens, int heads,  \
                                                   float scale) {                                          \
        attention::backward_##PART<TYPE, DIM>(qkv, d_out, log_sums, deltas, spans, d_qkv, tokens, heads, scale); \
    }

#define ATTENTION(TYPE, NAME, DIM)            \
    ATTENTION_FORWARD(TYPE, NAME, DIM, 64)    \
    ATTENTION_FORWARD(TYPE, NAME, DIM, 128)   \
    ATTENTION_DELTA(TYPE, NAME, DIM)          \
    ATTENTION_BACKWARD(TYPE, NAME, DIM, keys) \
    ATTENTION_BACKWARD(TYPE, NAME, DIM, queries)

ATTENTION(__half, f16, 128)
ATTENTION(__half, f16, 64)
ATTENTION(__half, f16, 32)
ATTENTION(__nv_bfloat16, bf16, 128)
ATTENTION(__nv_bfloat16, bf16, 64)
ATTENTION(__nv_bfloat16, bf16, 32)
