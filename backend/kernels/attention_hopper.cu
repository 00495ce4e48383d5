// Flash attention of `attention.cu` for Hopper (sm_90a): the same mask, layouts and results, heads of 128 in f16 and bf16,
// with products of warpgroups (`wgmma`) on tiles that TMA copies. Other GPUs and sizes of heads have `attention.cu`.
//
// A block is one producer, of which one warp copies tiles, and two consumers, warpgroups that have 64 rows of the block's
// 128 each. They work at different times on the same tiles, so that one's exponentials run beside the other's products.
//
//   kernel                             grid                                    block  dynamic shared bytes
//   attention_hopper_forward_TYPE      (heads, sequences, tiles(128))          384    forward_shared_bytes
//   attention_hopper_backward_TYPE     (heads, sequences, 2 * tiles(128))      384    backward_shared_bytes
//
// Maps of tensors [tokens, columns] have boxes of [64, 64] with 128-byte swizzle and zeros beyond the end. The backward
// wants `attention_delta` before it. With angles, it turns back the gradients of queries and keys: see `rotary.cu`.
#include "hopper.cuh"
#include "mma.cuh"
#include "softmax.cuh"

namespace attention_hopper {

using namespace hopper;

constexpr int DIM = 128;
constexpr int ROWS = 64;          // of a box, and of a consumer
constexpr int CONSUMERS = 2;
constexpr int TILE = CONSUMERS * ROWS;
constexpr int THREADS = 128 * (1 + CONSUMERS);
constexpr int PRODUCER_REGISTERS = 24, CONSUMER_REGISTERS = 240;
constexpr uint32_t BOX = ROWS * 64 * 2;         // bytes
constexpr uint32_t BOX_ROW = 2 * BOX;           // of 64 rows of a head

// Keys and values that the forward holds at once, in tiles.
constexpr int FORWARD_STAGES = 2;
constexpr int forward_shared_bytes() { return (1 + 2 * FORWARD_STAGES) * TILE * DIM * 2 + 128; }

// Pairs of tiles of 64 rows that pass by a block of the backward, and the numbers beside them.
constexpr int BACKWARD_STAGES = 3;
constexpr int backward_shared_bytes() {
    return 2 * TILE * DIM * 2 + BACKWARD_STAGES * (2 * ROWS * DIM * 2 + 2 * ROWS * 4) + 128;
}

static_assert(forward_shared_bytes() == 163968 && backward_shared_bytes() == 165504, "launch table");

// Sums of a product as the first operand of the next: their places are the same.
template <typename T, int COUNT> __device__ __forceinline__ void pack_all(uint32_t (&to)[COUNT][4], const float (&from)[COUNT * 8]) {
#pragma unroll
    for (int k = 0; k < COUNT; k++)
#pragma unroll
        for (int i = 0; i < 4; i++) to[k][i] = pack<T>(from[k * 8 + i * 2], from[k * 8 + i * 2 + 1]);
}

__device__ __forceinline__ float2 load_two(uint32_t from) {
    float2 r;
    asm volatile("ld.shared.v2.f32 {%0,%1}, [%2];" : "=f"(r.x), "=f"(r.y) : "r"(from) : "memory");
    return r;
}

// A consumer writes its [64, DIM] sums as T, through its own 16 KiB of `scratch`, so that whole rows leave together. Rows
// below `begin` become zeros, rows from `end` on are left alone.
template <typename T>
__device__ __forceinline__ void store_rows(uint32_t scratch, const float (&sums)[64], float factor_low, float factor_high,
                                           T *to, size_t stride, int begin, int end) {
    const int warp = threadIdx.x % 128 / 32, lane = threadIdx.x % 32;
    scratch += warp * 16 * DIM * 2;
    to += warp * 16 * stride;
    begin -= warp * 16;
    end -= warp * 16;
#pragma unroll
    for (int n = 0; n < 16; n++) {
        const uint32_t address = scratch + lane / 4 * DIM * 2 + (n ^ lane / 4) * 16 + lane % 4 * 4;
        const uint32_t low = pack<T>(sums[n * 4] * factor_low, sums[n * 4 + 1] * factor_low);
        const uint32_t high = pack<T>(sums[n * 4 + 2] * factor_high, sums[n * 4 + 3] * factor_high);
        asm volatile("st.shared.b32 [%0], %1;" ::"r"(address), "r"(low) : "memory");
        asm volatile("st.shared.b32 [%0], %1;" ::"r"(address + 8 * DIM * 2), "r"(high) : "memory");
    }
    __syncwarp();
#pragma unroll
    for (int i = 0; i < 8; i++) {
        const int row = i * 2 + lane / 16, chunk = lane % 16;
        uint4 value;
        asm volatile("ld.shared.v4.b32 {%0,%1,%2,%3}, [%4];"
                     : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
                     : "r"(scratch + row * DIM * 2 + (chunk ^ row % 8) * 16)
                     : "memory");
        if (row < begin) value = make_uint4(0, 0, 0, 0);
        if (row < end) *reinterpret_cast<uint4 *>(to + row * stride + chunk * 8) = value;
    }
    __syncwarp();
}

// Zeros in `rows` rows, by the whole block.
template <typename T> __device__ __forceinline__ void store_zeros(T *to, size_t stride, int rows) {
    for (int i = threadIdx.x; i < rows * (DIM / 8); i += THREADS)
        *reinterpret_cast<uint4 *>(to + i / (DIM / 8) * stride + i % (DIM / 8) * 8) = make_uint4(0, 0, 0, 0);
}

// Copies 64 rows of a head to [2][64][64].
__device__ __forceinline__ void copy_rows(uint32_t to, const TensorMap &map, int column, int row, uint32_t barrier) {
    copy_box(to, map, column, row, barrier);
    copy_box(to + BOX, map, column + 64, row, barrier);
}

// ---- forward ----

template <typename T>
__device__ __forceinline__ void forward(const TensorMap &qkv, T *__restrict__ out, float *__restrict__ log_sums,
                                        const int4 *__restrict__ spans, int tokens, int heads, float scale) {
    constexpr uint32_t TILE_BYTES = TILE * DIM * 2;
    extern __shared__ __align__(1024) char shared[];

    const int head = blockIdx.x;
    const int4 span = spans[blockIdx.y];
    const int first_token = span.x, seq = span.y, padding = span.z, context_end = padding + span.w;
    const int first_query = (gridDim.z - 1 - blockIdx.z) * TILE;  // the last ones see most: start them first
    if (first_query >= seq) return;
    const size_t out_stride = size_t(heads) * DIM;
    out += (size_t(first_token) + first_query) * out_stride + head * DIM;
    log_sums += size_t(head) * tokens + first_token + first_query;
    const int query_count = min(TILE, seq - first_query);

    if (first_query + TILE <= padding) {
        store_zeros<T>(out, out_stride, query_count);
        for (int i = threadIdx.x; i < query_count; i += THREADS) log_sums[i] = 0;
        return;
    }
    const int first_tile = padding / TILE;
    const int count = (min(seq, max(first_query + query_count, context_end)) + TILE - 1) / TILE - first_tile;

    // the queries [2][2][64][64], then the stages: keys and values [2][128][64]; then barriers
    const uint32_t q_tile = __cvta_generic_to_shared(shared), stages = q_tile + TILE_BYTES;
    const uint32_t q_came = stages + 2 * FORWARD_STAGES * TILE_BYTES;
    const uint32_t k_came = q_came + 8, v_came = k_came + 8 * FORWARD_STAGES;
    const uint32_t k_free = v_came + 8 * FORWARD_STAGES, v_free = k_free + 8 * FORWARD_STAGES;
    if (threadIdx.x == 0) {
        barrier_init(q_came, 1);
        for (int stage = 0; stage < FORWARD_STAGES; stage++) {
            barrier_init(k_came + 8 * stage, 1);
            barrier_init(v_came + 8 * stage, 1);
            barrier_init(k_free + 8 * stage, CONSUMERS * 4);
            barrier_init(v_free + 8 * stage, CONSUMERS * 4);
        }
        barriers_ready();
    }
    __syncthreads();

    const int warpgroup = threadIdx.x / 128;
    if (warpgroup == 0) {
        give_registers<PRODUCER_REGISTERS>();
        if (threadIdx.x != 0) return;
        const int column = head * 3 * DIM;
        arrive_expecting(q_came, TILE_BYTES);
        for (int part = 0; part < CONSUMERS; part++)
            copy_rows(q_tile + part * BOX_ROW, qkv, column, first_token + first_query + part * ROWS, q_came);
        for (int i = 0; i < count; i++) {
            const int stage = i % FORWARD_STAGES, row = first_token + (first_tile + i) * TILE;
            const uint32_t parity = i / FORWARD_STAGES % 2 ^ 1;
            for (int kind = 0; kind < 2; kind++) {
                const uint32_t to = stages + (2 * stage + kind) * TILE_BYTES;
                const uint32_t came = (kind ? v_came : k_came) + 8 * stage;
                wait((kind ? v_free : k_free) + 8 * stage, parity);
                arrive_expecting(came, TILE_BYTES);
                for (int half = 0; half < 2; half++)
                    for (int part = 0; part < 2; part++)
                        copy_box(to + (half * 2 + part) * BOX, qkv, column + (1 + kind) * DIM + half * 64, row + part * ROWS,
                                 came);
            }
        }
        return;
    }
    take_registers<CONSUMER_REGISTERS>();
    const int consumer = warpgroup - 1, warp = threadIdx.x % 128 / 32, lane = threadIdx.x % 32;
    const uint32_t q_rows = q_tile + consumer * BOX_ROW;
    const int block = consumer * ROWS, first_row = first_query + block + warp * 16 + lane / 4;
    const float scale_log2 = scale * LOG2_E;

    float scores[64] = {}, sums[64] = {}, row_max[2] = {-INFINITY, -INFINITY}, row_sum[2] = {}, shrink[2];
    uint32_t weights[8][4];

    const auto multiply_keys = [&](int i) {
        const uint32_t keys = stages + i % FORWARD_STAGES * 2 * TILE_BYTES;
#pragma unroll
        for (int k = 0; k < DIM / 16; k++) {
            const uint32_t at = k % 4 * 32;
            multiply<T>(scores, operand(q_rows + k / 4 * BOX + at, 16, 1024), operand(keys + k / 4 * 2 * BOX + at, 16, 1024),
                        k > 0);
        }
        products_commit();
    };
    const auto multiply_values = [&](int i) {
        const uint32_t values = stages + (i % FORWARD_STAGES * 2 + 1) * TILE_BYTES;
#pragma unroll
        for (int k = 0; k < TILE / 16; k++)
            multiply_kept<T, 1>(sums, weights[k], operand(values + k * 2048, 2 * BOX, 1024), true);
        products_commit();
    };
    // Scores become exponentials; `shrink` is what earlier sums are to be multiplied with.
    const auto exponentials = [&](int i) {
        const int first_key = (first_tile + i) * TILE;
        const bool seen = first_key >= padding && first_key + TILE <= min(seq, max(first_query + block + 1, context_end));
        if (!seen) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const int end = min(seq, max(first_row + half * 8 + 1, context_end));
#pragma unroll
                for (int n = 0; n < 16; n++)
#pragma unroll
                    for (int k = 0; k < 2; k++) {
                        const int key = first_key + n * 8 + lane % 4 * 2 + k;
                        if (key < padding || key >= end) scores[n * 4 + half * 2 + k] = -INFINITY;
                    }
            }
        }
        // The first tile holds the first visible key, so the maximum of a row is finite from then on; only rows of
        // padding, which are not written, may become NaN.
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float high = row_max[half];
#pragma unroll
            for (int n = 0; n < 16; n++) high = fmaxf(high, fmaxf(scores[n * 4 + half * 2], scores[n * 4 + half * 2 + 1]));
            high = quad_max(high);
            const float base = high * scale_log2;
            shrink[half] = exp2_fast(row_max[half] * scale_log2 - base);
            row_max[half] = high;
            float sum = 0;
#pragma unroll
            for (int n = 0; n < 16; n++)
#pragma unroll
                for (int k = 0; k < 2; k++) {
                    float &score = scores[n * 4 + half * 2 + k];
                    score = exp2_fast(score * scale_log2 - base);
                    sum += score;
                }
            row_sum[half] = row_sum[half] * shrink[half] + sum;
        }
    };

    wait(q_came, 0);
    wait(k_came, 0);
    products_begin();
    multiply_keys(0);
    products_wait<0>();
    hold(scores);
    if (lane == 0) arrive(k_free);
    exponentials(0);
    pack_all<T>(weights, scores);
    for (int i = 1; i < count; i++) {
        const int before = (i - 1) % FORWARD_STAGES;
        wait(k_came + i % FORWARD_STAGES * 8, i / FORWARD_STAGES % 2);
        hold(scores);
        hold(weights);
        hold(sums);
        products_begin();
        multiply_keys(i);
        wait(v_came + before * 8, (i - 1) / FORWARD_STAGES % 2);
        multiply_values(i - 1);
        products_wait<1>();
        hold(scores);
        if (lane == 0) arrive(k_free + i % FORWARD_STAGES * 8);
        exponentials(i);
        products_wait<0>();
        hold(sums);
        if (lane == 0) arrive(v_free + before * 8);
#pragma unroll
        for (int n = 0; n < 64; n++) sums[n] *= shrink[n / 2 % 2];
        pack_all<T>(weights, scores);
    }
    wait(v_came + (count - 1) % FORWARD_STAGES * 8, (count - 1) / FORWARD_STAGES % 2);
    hold(weights);
    hold(sums);
    products_begin();
    multiply_values(count - 1);
    products_wait<0>();
    hold(sums);

    float factor[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float sum = quad_sum(row_sum[half]);
        factor[half] = 1 / sum;
        const int row = block + warp * 16 + half * 8 + lane / 4;
        if (lane % 4 == 0 && row < query_count) {
            const float log_sum = row_max[half] * scale + log2f(sum) * LN_2;
            log_sums[row] = first_query + row < padding ? 0 : log_sum;
        }
    }
    sync_some(1 + consumer, 128);  // nobody reads the consumer's queries any more
    store_rows<T>(q_rows, sums, factor[0], factor[1], out + block * out_stride, out_stride, padding - first_query - block,
                  query_count - block);
}

// ---- backward ----
//
// As in `attention.cu`: blocks of keys and blocks of queries each recompute P and dP, so that nothing is added across blocks.
// Both are one kernel, so that the ones fill the processors that the others leave idle at the end.

struct Angles {
    const float *cos, *sin;  // [tokens, 2 * 32], or null
};

// Turns the gradient of a row back. A part of a head is 64 wide; element i goes with i + 32, which the same thread has.
__device__ __forceinline__ void turn_back(float (&sums)[64], const Angles &angles, int first_row, int end) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int row = first_row + half * 8;
        if (row >= end) continue;
#pragma unroll
        for (int n = 0; n < 8; n++) {
            const size_t at = size_t(row) * 64 + n * 8 + lane % 4 * 2;
            const float2 c = *reinterpret_cast<const float2 *>(angles.cos + at);
            const float2 s = *reinterpret_cast<const float2 *>(angles.sin + at);
            // n counts the eights of both parts: 4 for each
            const int left = (n / 4 * 8 + n % 4) * 4 + half * 2, right = left + 16;
#pragma unroll
            for (int k = 0; k < 2; k++) {
                const float a = sums[left + k], z = sums[right + k], cosine = k ? c.y : c.x, sine = k ? s.y : s.x;
                sums[left + k] = a * cosine + z * sine;
                sums[right + k] = z * cosine - a * sine;
            }
        }
    }
}

// What both kinds of blocks know.
template <typename T> struct Backward {
    const float *log_sums, *deltas;  // of the sequence and head
    T *d_qkv;                        // the block's first row and head, at its queries
    size_t stride;
    Angles angles;                   // of the sequence
    int seq, padding, context_end;
    int first;                       // row of the block
    int first_tile, count;           // of 64 rows that pass by
    float scale;
    uint32_t own, stages, statistics, own_came, came, free;  // addresses in shared memory
    int consumer;
};

constexpr uint32_t STAGE = 2 * BOX_ROW;

// dk and dv of 64 keys. The scores are kept transposed, [keys, queries]: P^T and dS^T are first operands as they come.
template <typename T> __device__ __forceinline__ void backward_keys(const Backward<T> &of) {
    const int warp = threadIdx.x % 128 / 32, lane = threadIdx.x % 32;
    const uint32_t keys = of.own + of.consumer * 2 * BOX_ROW, values = keys + BOX_ROW;
    const int first_key = of.first + of.consumer * ROWS, first_row = first_key + warp * 16 + lane / 4;
    const float scale_log2 = of.scale * LOG2_E;
    float dk[64] = {}, dv[64] = {};
    uint32_t p_packed[4][4], ds_packed[4][4];

    const auto multiply_rows = [&](float (&to)[32], uint32_t a, uint32_t b) {
#pragma unroll
        for (int k = 0; k < DIM / 16; k++) {
            const uint32_t at = k / 4 * BOX + k % 4 * 32;
            multiply<T>(to, operand(a + at, 16, 1024), operand(b + at, 16, 1024), k > 0);
        }
        products_commit();
    };
    wait(of.own_came, 0);
    for (int i = 0; i < of.count; i++) {
        const int place = i % BACKWARD_STAGES;
        const uint32_t stage = of.stages + place * STAGE, statistics = of.statistics + place * 2 * ROWS * 4;
        const int first_query = (of.first_tile + i) * ROWS;
        const bool seen = min(first_key, first_query) >= of.padding && first_query + ROWS <= of.seq &&
                          first_key + ROWS <= max(first_query + 1, of.context_end);
        float p[32], ds[32];
        wait(of.came + place * 8, i / BACKWARD_STAGES % 2);
        products_begin();
        multiply_rows(p, keys, stage);
        multiply_rows(ds, values, stage + BOX_ROW);
        products_wait<1>();
        hold(p);
#pragma unroll
        for (int n = 0; n < 8; n++) {
            const float2 sum = load_two(statistics + (n * 8 + lane % 4 * 2) * 4);
#pragma unroll
            for (int k = 0; k < 4; k++) p[n * 4 + k] = exp2_fast(p[n * 4 + k] * scale_log2 - (k % 2 == 0 ? sum.x : sum.y));
        }
        if (!seen) {
#pragma unroll
            for (int n = 0; n < 8; n++)
#pragma unroll
                for (int k = 0; k < 4; k++) {
                    const int key = first_row + k / 2 * 8, query = first_query + n * 8 + lane % 4 * 2 + k % 2;
                    if (min(key, query) < of.padding || query >= of.seq || key >= max(query + 1, of.context_end))
                        p[n * 4 + k] = 0;
                }
        }
        pack_all<T>(p_packed, p);
        hold(p_packed);
        products_begin();
#pragma unroll
        for (int k = 0; k < 4; k++) multiply_kept<T, 1>(dv, p_packed[k], operand(stage + BOX_ROW + k * 2048, BOX, 1024), true);
        products_commit();
        products_wait<1>();
        hold(ds);
#pragma unroll
        for (int n = 0; n < 8; n++) {
            const float2 d = load_two(statistics + (ROWS + n * 8 + lane % 4 * 2) * 4);
#pragma unroll
            for (int k = 0; k < 4; k++) ds[n * 4 + k] = p[n * 4 + k] * (ds[n * 4 + k] - (k % 2 == 0 ? d.x : d.y));
        }
        pack_all<T>(ds_packed, ds);
        hold(ds_packed);
        products_begin();
#pragma unroll
        for (int k = 0; k < 4; k++) multiply_kept<T, 1>(dk, ds_packed[k], operand(stage + k * 2048, BOX, 1024), true);
        products_commit();
        products_wait<0>();
        hold(dk);
        hold(dv);
        if (lane == 0) arrive(of.free + place * 8);
    }

    sync_some(1 + of.consumer, 128);  // nobody reads the consumer's keys and values any more
    T *d_keys = of.d_qkv + of.consumer * ROWS * of.stride + DIM;
    if (of.angles.cos) turn_back(dk, of.angles, first_row, of.seq);
    store_rows<T>(keys, dk, of.scale, of.scale, d_keys, of.stride, 0, of.seq - first_key);
    store_rows<T>(values, dv, 1, 1, d_keys + DIM, of.stride, 0, of.seq - first_key);
}

// dq of 64 queries, which stay in registers, as does their d_out.
template <typename T> __device__ __forceinline__ void backward_queries(const Backward<T> &of) {
    const int warp = threadIdx.x % 128 / 32, lane = threadIdx.x % 32;
    const uint32_t own = of.own + of.consumer * 2 * BOX_ROW;
    const int first_query = of.first + of.consumer * ROWS, first_row = first_query + warp * 16 + lane / 4;
    const float scale_log2 = of.scale * LOG2_E;
    float dq[64] = {}, base[2], row_delta[2];
    uint32_t q[8][4], d_out[8][4], packed[4][4];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int row = first_row + half * 8;
        base[half] = row < of.seq ? of.log_sums[row] * LOG2_E : 0;
        row_delta[half] = row < of.seq ? of.deltas[row] : 0;
    }

    wait(of.own_came, 0);
#pragma unroll
    for (int k = 0; k < 8; k++) {
        const int row = warp * 16 + lane % 16, chunk = k % 4 * 2 + lane / 16;
        const uint32_t at = own + k / 4 * BOX + row * 128 + (chunk ^ row % 8) * 16;
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(q[k][0]), "=r"(q[k][1]), "=r"(q[k][2]), "=r"(q[k][3])
                     : "r"(at)
                     : "memory");
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(d_out[k][0]), "=r"(d_out[k][1]), "=r"(d_out[k][2]), "=r"(d_out[k][3])
                     : "r"(at + BOX_ROW)
                     : "memory");
    }

    const auto multiply_rows = [&](float (&to)[32], const uint32_t (&a)[8][4], uint32_t b) {
#pragma unroll
        for (int k = 0; k < DIM / 16; k++)
            multiply_kept<T, 0>(to, a[k], operand(b + k / 4 * BOX + k % 4 * 32, 16, 1024), k > 0);
        products_commit();
    };
    // Adds the packed dS of tile i to dq.
    const auto add_up = [&](int i) {
        const uint32_t stage = of.stages + i % BACKWARD_STAGES * STAGE;
#pragma unroll
        for (int k = 0; k < 4; k++) multiply_kept<T, 1>(dq, packed[k], operand(stage + k * 2048, BOX, 1024), true);
        products_commit();
    };
    const auto step = [&](int i, auto is_first) {
        constexpr int BEHIND = decltype(is_first)::value ? 0 : 1;
        const int place = i % BACKWARD_STAGES;
        const uint32_t stage = of.stages + place * STAGE;
        const int first_key = (of.first_tile + i) * ROWS;
        const bool seen =
            first_key >= of.padding && first_key + ROWS <= min(of.seq, max(first_query + 1, of.context_end));
        float p[32], ds[32];
        wait(of.came + place * 8, i / BACKWARD_STAGES % 2);
        products_begin();
        multiply_rows(p, q, stage);
        multiply_rows(ds, d_out, stage + BOX_ROW);
        if constexpr (BEHIND) add_up(i - 1);
        products_wait<1 + BEHIND>();
        hold(p);
#pragma unroll
        for (int n = 0; n < 32; n++) p[n] = exp2_fast(p[n] * scale_log2 - base[n / 2 % 2]);
        if (!seen) {
#pragma unroll
            for (int n = 0; n < 8; n++)
#pragma unroll
                for (int k = 0; k < 4; k++) {
                    const int key = first_key + n * 8 + lane % 4 * 2 + k % 2;
                    const int end = min(of.seq, max(first_row + k / 2 * 8 + 1, of.context_end));
                    if (key < of.padding || key >= end) p[n * 4 + k] = 0;
                }
        }
        products_wait<BEHIND>();
        hold(ds);
#pragma unroll
        for (int n = 0; n < 32; n++) ds[n] = p[n] * (ds[n] - row_delta[n / 2 % 2]);
        if constexpr (BEHIND) {
            products_wait<0>();
            hold(dq);
            if (lane == 0) arrive(of.free + (i - 1) % BACKWARD_STAGES * 8);
        }
        pack_all<T>(packed, ds);
        hold(packed);
    };
    hold(q);
    hold(d_out);
    step(0, std::true_type());
    for (int i = 1; i < of.count; i++) step(i, std::false_type());
    products_begin();
    add_up(of.count - 1);
    products_wait<0>();
    hold(dq);

    sync_some(1 + of.consumer, 128);  // nobody reads the consumer's queries any more
    if (of.angles.cos) turn_back(dq, of.angles, first_row, of.seq);
    store_rows<T>(own, dq, of.scale, of.scale, of.d_qkv + of.consumer * ROWS * of.stride, of.stride,
                  of.padding - first_query, of.seq - first_query);
}

template <typename T>
__device__ __forceinline__ void backward(const TensorMap &qkv, const TensorMap &d_out, const float *__restrict__ log_sums,
                                         const float *__restrict__ deltas, const int4 *__restrict__ spans,
                                         T *__restrict__ d_qkv, Angles angles, int tokens, int heads, float scale) {
    extern __shared__ __align__(1024) char shared[];
    const int head = blockIdx.x, tiles = gridDim.z / 2;
    const int4 span = spans[blockIdx.y];
    const int first_token = span.x, seq = span.y, padding = span.z, context_end = padding + span.w;
    const bool of_keys = blockIdx.z % 2 == 0;
    // the first keys are seen most, the last queries see most: start them first
    const int first = (of_keys ? blockIdx.z / 2 : tiles - 1 - blockIdx.z / 2) * TILE;
    if (first >= seq) return;

    Backward<T> of;
    of.log_sums = log_sums + size_t(head) * tokens + first_token;
    of.deltas = deltas + size_t(head) * tokens + first_token;
    of.stride = size_t(heads) * 3 * DIM;
    of.d_qkv = d_qkv + (size_t(first_token) + first) * of.stride + head * 3 * DIM;
    of.angles = angles;
    if (angles.cos) {
        of.angles.cos += size_t(first_token) * 64;
        of.angles.sin += size_t(first_token) * 64;
    }
    of.seq = seq, of.padding = padding, of.context_end = context_end;
    of.first = first;
    of.scale = scale;
    if (first + TILE <= padding) {
        const int rows = min(TILE, seq - first);
        if (of_keys) {
            store_zeros<T>(of.d_qkv + DIM, of.stride, rows);
            store_zeros<T>(of.d_qkv + 2 * DIM, of.stride, rows);
        } else {
            store_zeros<T>(of.d_qkv, of.stride, rows);
        }
        return;
    }
    if (of_keys) {
        const int first_visible = max(first, padding);
        of.first_tile = (first_visible < context_end ? padding : first_visible) / ROWS;
        of.count = (seq + ROWS - 1) / ROWS - of.first_tile;
    } else {
        of.first_tile = padding / ROWS;
        of.count = (min(seq, max(min(first + TILE, seq), context_end)) + ROWS - 1) / ROWS - of.first_tile;
    }

    // for each consumer two tiles of its own; the stages of two tiles that pass by; their log_sums and deltas; barriers
    of.own = __cvta_generic_to_shared(shared);
    of.stages = of.own + CONSUMERS * 2 * BOX_ROW;
    of.statistics = of.stages + BACKWARD_STAGES * STAGE;
    of.own_came = of.statistics + BACKWARD_STAGES * 2 * ROWS * 4;
    of.came = of.own_came + 8;
    of.free = of.came + 8 * BACKWARD_STAGES;
    if (threadIdx.x == 0) {
        barrier_init(of.own_came, 1);
        for (int stage = 0; stage < BACKWARD_STAGES; stage++) {
            barrier_init(of.came + 8 * stage, 32);
            barrier_init(of.free + 8 * stage, CONSUMERS * 4);
        }
        barriers_ready();
    }
    __syncthreads();

    const int warpgroup = threadIdx.x / 128;
    if (warpgroup == 0) {
        give_registers<PRODUCER_REGISTERS>();
        if (threadIdx.x >= 32) return;
        const int lane = threadIdx.x, q = head * 3 * DIM, o = head * DIM;
        // keys and values of the block's own, or queries and d_out; the others pass by
        const TensorMap &second_own = of_keys ? qkv : d_out, &second = of_keys ? d_out : qkv;
        const int own_column = of_keys ? q + DIM : q, second_own_column = of_keys ? q + 2 * DIM : o;
        const int column = of_keys ? q : q + DIM, second_column = of_keys ? o : q + 2 * DIM;
        if (lane == 0) {
            arrive_expecting(of.own_came, CONSUMERS * 2 * BOX_ROW);
            for (int part = 0; part < CONSUMERS; part++) {
                const uint32_t to = of.own + part * 2 * BOX_ROW;
                const int row = first_token + first + part * ROWS;
                copy_rows(to, qkv, own_column, row, of.own_came);
                copy_rows(to + BOX_ROW, second_own, second_own_column, row, of.own_came);
            }
        }
        for (int i = 0; i < of.count; i++) {
            const int stage = i % BACKWARD_STAGES, row = (of.first_tile + i) * ROWS;
            const uint32_t to = of.stages + stage * STAGE, came = of.came + 8 * stage;
            wait(of.free + 8 * stage, i / BACKWARD_STAGES % 2 ^ 1);
            if (lane == 0) {
                arrive_expecting(came, STAGE);
                copy_rows(to, qkv, column, first_token + row, came);
                copy_rows(to + BOX_ROW, second, second_column, first_token + row, came);
            }
            if (of_keys) {
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    const int at = half * 32 + lane, query = row + at;
                    const uint32_t address = of.statistics + (stage * 2 * ROWS + at) * 4;
                    const float log_sum = query < seq ? of.log_sums[query] * LOG2_E : 0;
                    const float delta = query < seq ? of.deltas[query] : 0;
                    asm volatile("st.shared.f32 [%0], %1;" ::"r"(address), "f"(log_sum) : "memory");
                    asm volatile("st.shared.f32 [%0], %1;" ::"r"(address + ROWS * 4), "f"(delta) : "memory");
                }
            }
            if (lane != 0) arrive(came);
        }
        return;
    }
    take_registers<CONSUMER_REGISTERS>();
    of.consumer = warpgroup - 1;
    if (of_keys)
        backward_keys(of);
    else
        backward_queries(of);
}

}  // namespace attention_hopper

#define ATTENTION_HOPPER(TYPE, NAME)                                                                                    \
    extern "C" __global__ void __launch_bounds__(attention_hopper::THREADS, 1) attention_hopper_forward_##NAME(          \
        const __grid_constant__ hopper::TensorMap qkv, TYPE *out, float *log_sums, const int4 *spans, int tokens,        \
        int heads, float scale) {                                                                                        \
        attention_hopper::forward<TYPE>(qkv, out, log_sums, spans, tokens, heads, scale);                                \
    }                                                                                                                    \
    extern "C" __global__ void __launch_bounds__(attention_hopper::THREADS, 1) attention_hopper_backward_##NAME(         \
        const __grid_constant__ hopper::TensorMap qkv, const __grid_constant__ hopper::TensorMap d_out,                  \
        const float *log_sums, const float *deltas, const int4 *spans, TYPE *d_qkv, const float *cos, const float *sin,  \
        int tokens, int heads, float scale) {                                                                            \
        attention_hopper::backward<TYPE>(qkv, d_out, log_sums, deltas, spans, d_qkv, {cos, sin}, tokens, heads, scale);  \
    }

ATTENTION_HOPPER(__half, f16)
ATTENTION_HOPPER(__nv_bfloat16, bf16)
