// The products of the newest tokens of chats with a matrix [out, in], on tensor cores: of one chat, with what stands around
// the product, and of up to 32 chats at once with a matrix in few bits. Each weight is read once, as it is kept.
//
// The weights are the left operand of `mma.m16n8k16`, the chats the columns of the right one. A lane loads 16 neighbouring
// bytes of two of 16 rows, so that the four lanes of a row load 64: a chunk. Which numbers of a sum meet in one instruction
// does not matter: a lane takes its weights eight at a time, a slot, as few operations make pairs of them (`ORDER`), and
// the inputs lie in shared memory in that order, by chunk, slot, lane.
//
// Whole numbers times half-precision ones are exact in f32; sums are f32, in an order that sizes alone decide.
#include "common.cuh"
#include "mma.cuh"

__device__ __forceinline__ half2 as_f16(uint32_t bits) { return *(half2 *)&bits; }
__device__ __forceinline__ __nv_bfloat162 as_bf16(uint32_t bits) { return *(__nv_bfloat162 *)&bits; }
template <typename Two> __device__ __forceinline__ uint32_t bits_of(Two two) { return *(uint32_t *)&two; }

// Two numbers times a scale, rounded as numbers that are made of the matrix are.
__device__ __forceinline__ uint32_t scaled(uint32_t pair, f16 scale, f16) {
    return bits_of(__hmul2(as_f16(pair), __half2half2(scale)));
}
__device__ __forceinline__ uint32_t scaled(uint32_t pair, f16 scale, bf16) {
    float2 values = __bfloat1622float2(as_bf16(pair));
    float by = to_f32(scale);
    return bits_of(__floats2bfloat162_rn(values.x * by, values.y * by));
}

// How a matrix is kept. `pairs` makes four pairs of numbers of eight weights, in the order ORDER (which is first, second ..
// from the lowest digit): a whole number is put into the low bits of a constant whose last place is 1, and the constant is taken away again.
template <typename T> struct Dense {
    static constexpr int BITS = 16;
    static constexpr uint32_t ORDER = 0x76543210;
    __device__ __forceinline__ static void pairs(const uint32_t *from, uint32_t (&to)[4], T) {
#pragma unroll
        for (int i = 0; i < 4; i++) to[i] = from[i];
    }
};
struct Int8 {
    static constexpr int BITS = 8;
    static constexpr uint32_t ORDER = 0x75643120;
    // A byte plus 128 in the low bits of 1024.
    __device__ __forceinline__ static void pairs(const uint32_t *from, uint32_t (&to)[4], f16) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            uint32_t word = from[i / 2] >> (i % 2 * 8);
            to[i] = bits_of(__hsub2(as_f16((word & 0x00ff00ff) ^ 0x64806480), __float2half2_rn(1152.f)));
        }
    }
    // Seven bits in the low bits of 128, less 128 or, for a negative number, 256.
    __device__ __forceinline__ static void pairs(const uint32_t *from, uint32_t (&to)[4], bf16) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            uint32_t word = from[i / 2] >> (i % 2 * 8);
            uint32_t low = (word & 0x007f007f) | 0x43004300, sign = (word & 0x00800080) | 0x43004300;
            to[i] = bits_of(__hsub2(as_bf16(low), as_bf16(sign)));
        }
    }
};
struct Int4 {
    static constexpr int BITS = 4;
    static constexpr uint32_t ORDER = 0x62734051;
    // A number plus 8 in the low bits of 1024, or of 64 where it is four bits higher.
    __device__ __forceinline__ static void pairs(const uint32_t *from, uint32_t (&to)[4], f16) {
#pragma unroll
        for (int i = 0; i < 4; i += 2) {
            uint32_t word = from[0] >> (i * 4);
            half2 low = as_f16((word & 0x000f000f) ^ 0x64086408), high = as_f16((word & 0x00f000f0) ^ 0x64806480);
            to[i] = bits_of(__hsub2(low, __float2half2_rn(1032.f)));
            to[i + 1] = bits_of(__hfma2(high, __float2half2_rn(1 / 16.f), __float2half2_rn(-72.f)));
        }
    }
    __device__ __forceinline__ static void pairs(const uint32_t *from, uint32_t (&to)[4], bf16) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            uint32_t word = ((from[0] >> (i * 4)) & 0x000f000f) ^ 0x43084308;
            to[i] = bits_of(__hsub2(as_bf16(word), __float2bfloat162_rn(136.f)));
        }
    }
};

// Sizes that follow from how a matrix is kept.
template <typename W> struct Chunk {
    // Weights of 16 bytes, of a chunk, and slots of a lane.
    static constexpr int LANE = 128 / W::BITS, SIZE = 4 * LANE, SLOTS = LANE / 8;
    // Words of a slot.
    static constexpr int WORDS = W::BITS / 4;
};

// Which of eight weights is number `i` of the pairs.
template <typename W> __device__ __forceinline__ constexpr int order(int i) { return W::ORDER >> (4 * i) & 7; }

// Where eight neighbouring inputs are kept, and in which order.
template <typename W> __device__ __forceinline__ int place_of(int eight) {
    constexpr int SLOTS = Chunk<W>::SLOTS;
    int lane = eight / SLOTS;
    return (lane / 4 * SLOTS + eight % SLOTS) * 4 + lane % 4;
}
template <typename W, typename T> __device__ __forceinline__ Pack<T> in_order(const Pack<T> &from) {
    Pack<T> to;
#pragma unroll
    for (int i = 0; i < 8; i++) to.v[i] = from.v[order<W>(i)];
    return to;
}

// Weights are read once: they are not to push the inputs out of the caches.
__device__ __forceinline__ uint4 read_once(const uint8_t *from) { return __ldcs((const uint4 *)from); }

// Copies BYTES on their own to shared memory, or zeros where there are none; `arrived<N>` waits for all but the last N
// that `sent` closed.
template <int BYTES> __device__ __forceinline__ void send(void *to, const void *from, bool there) {
    uint32_t at = (uint32_t)__cvta_generic_to_shared(to);
    if (BYTES == 16)
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(at), "l"(from), "r"(there ? 16 : 0) : "memory");
    else
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(at), "l"(from), "n"(BYTES),
                     "r"(there ? BYTES : 0)
                     : "memory");
}
__device__ __forceinline__ void sent() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int N> __device__ __forceinline__ void arrived() { asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory"); }

// The weights of a linear layer. Integers have an f16 scale a row, or one for each 32 of a row (BLOCKS).
struct Matrix {
    const uint8_t *weight;
    const f16 *scales;
};

// What is done with a product before it is written.
template <typename T> struct Finish {
    const T *bias;
    // Added `alpha` times, or null.
    const T *residual;
    float alpha;
    int gelu;
    __device__ __forceinline__ float residual_at(size_t place) const {
        return residual ? alpha * to_f32(residual[place]) : 0.f;
    }
    __device__ __forceinline__ float operator()(float sum, float of_bias, float plus) const {
        sum += of_bias;
        return (gelu ? ::gelu(sum) : sum) + plus;
    }
};

constexpr int WARPS = 16, ROWS = 16, AHEAD = 8, TURNS = 8;

// Of one chat: y[row] = finish(weight[row] · x'), x' = x, or with `norm_weight` its layer norm, which then also goes to
// `normed`; and what an adapter reads, A [rank, in]: low[i] = scale * a[i] · x'.
//
// A block's warps share the sums of 16 rows at a time, two chunks of each row after the others, while AHEAD chunks are on their
// way to shared memory. A block fills a processor on purpose: where two fit, those of one kernel meet on some processors and
// those of the next one on the others. All columns of the right operand are the chat's, but with BLOCKS column i has the
// inputs of lane i of a row alone, so that the sums of different scales stay apart.
//
// Grid: any; 512 threads. Shared memory: WARPS * RING + ZEROS bytes, then `in`, rounded up to a chunk, elements of T. `in` is a
// multiple of 16 bytes of weights, and of 64 with BLOCKS.
template <typename W, bool BLOCKS> struct Alone {
    // Bytes of a warp's chunks: weights, and scales.
    static constexpr int RING = AHEAD * (ROWS * 64 + (BLOCKS ? 256 : 0));
    // With BLOCKS, what columns without inputs read.
    static constexpr int ZEROS = BLOCKS ? Chunk<W>::SLOTS * 64 : 0;
};
// Bytes that a block has beside them: what its warps hand each other. The host reads this line.
constexpr int FIXED_ALONE = 8320;
template <typename W, typename T, typename Y, bool BLOCKS>
__device__ void product(const T *x, const T *norm_weight, const T *norm_bias, float eps, T *normed, Matrix matrix,
                        Finish<T> finish, Y *y, const float *a, float *low, float scale, int in, int out, int rank) {
    typedef Chunk<W> Chunk;
    typedef Alone<W, BLOCKS> Own;
    typedef Pack<T> Eight;
    extern __shared__ __align__(128) unsigned char memory[];
    __shared__ float scratch[32], found[TURNS][WARPS][ROWS];
    static_assert(sizeof(scratch) + sizeof(found) == FIXED_ALONE, "what the host reckons with");
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, row_of_lane = lane >> 2, part = lane & 3;
    uint4 *ring = (uint4 *)(memory + warp * Own::RING);
    uint32_t *scale_ring = (uint32_t *)(ring + AHEAD * 64);
    Eight *zeros = (Eight *)(memory + WARPS * Own::RING), *inputs = zeros + Own::ZEROS / 16;
    int chunks = (in + Chunk::SIZE - 1) / Chunk::SIZE, units = in / Chunk::LANE, eights = chunks * Chunk::SIZE / 8;
    int of_warp = (chunks + 2 * WARPS - 1) / (2 * WARPS), groups = (out + ROWS - 1) / ROWS, blocks = in / 32;

    // The next two neighbouring chunks to fetch, of which rows.
    int next = 0, next_group = blockIdx.x;
    const uint8_t *rows[2];
    auto take_rows = [&] {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int row = min(next_group * ROWS + half * 8 + row_of_lane, out - 1);
            rows[half] = matrix.weight + ((size_t)row * units + part) * 16;
        }
    };
    take_rows();
    auto fetch = [&](int slot) {
        int first = (next * WARPS + warp) * 2;
#pragma unroll
        for (int i = 0; i < 2; i++) {
            int chunk = first + i;
            bool there = next_group < groups && chunk * 4 + part < units;
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int at = ((slot * 2 + i) * 2 + half) * 32 + lane;
                send<16>(ring + at, there ? rows[half] + chunk * 64 : matrix.weight, there);
                if (BLOCKS) {
                    int row = min(next_group * ROWS + half * 8 + row_of_lane, out - 1);
                    int block = W::BITS == 4 ? chunk * 4 + part * 2 : chunk * 2;
                    bool scaled = next_group < groups && part < 2 && block < blocks;
                    const f16 *of_row = matrix.scales + (size_t)row * blocks + block;
                    send<4>(scale_ring + at, scaled ? of_row : matrix.scales, scaled);
                }
            }
        }
        sent();
        if (++next < of_warp) return;
        next = 0;
        next_group += gridDim.x;
        take_rows();
    };
    // What a thread finishes: a row of the first, second .. rows of the block.
    float of_scale, of_bias;
    auto prepare = [&](int group) {
        int row = (group + threadIdx.x / ROWS * gridDim.x) * ROWS + threadIdx.x % ROWS;
        bool mine = threadIdx.x < TURNS * ROWS && row < out;
        of_scale = W::BITS < 16 && !BLOCKS && mine ? to_f32(matrix.scales[row]) : 1.f;
        of_bias = finish.bias && mine ? to_f32(finish.bias[row]) : 0.f;
    };
    let_next_start();
#pragma unroll
    for (int i = 0; i < AHEAD / 2; i++) fetch(i);
    prepare(blockIdx.x);
    for (int row = blockIdx.x; row < rank; row += gridDim.x)
        for (int p = threadIdx.x; p < in / 8; p += blockDim.x) bring_near(a + (size_t)row * in + p * 8);
    // The layer norm's of the first inputs that the thread reads.
    Eight w, b;
    if (norm_weight && threadIdx.x * 8 < in) {
        w = ((const Eight *)norm_weight)[threadIdx.x];
        b = ((const Eight *)norm_bias)[threadIdx.x];
    }
    wait_for_input();

    auto read = [&](int p) { return p * 8 < in ? ((const Eight *)x)[p] : Eight(); };
    if (norm_weight) {
        float sum = 0.f, squares = 0.f;
        for (int p = threadIdx.x; p < eights; p += blockDim.x) {
            Eight values = read(p);
            inputs[place_of<W>(p)] = values;
#pragma unroll
            for (int k = 0; k < 8; k++) sum += to_f32(values.v[k]);
        }
        float mean = block_sum(sum, scratch) / in;
        for (int p = threadIdx.x; p * 8 < in; p += blockDim.x) {
            Eight values = inputs[place_of<W>(p)];
#pragma unroll
            for (int k = 0; k < 8; k++) squares += (to_f32(values.v[k]) - mean) * (to_f32(values.v[k]) - mean);
        }
        float factor = rsqrtf(block_sum(squares, scratch) / in + eps);
        for (int p = threadIdx.x; p * 8 < in; p += blockDim.x) {
            Eight values = inputs[place_of<W>(p)];
            if (p >= blockDim.x) {
                w = ((const Eight *)norm_weight)[p];
                b = ((const Eight *)norm_bias)[p];
            }
#pragma unroll
            for (int k = 0; k < 8; k++)
                values.v[k] = from_f32<T>((to_f32(values.v[k]) - mean) * factor * to_f32(w.v[k]) + to_f32(b.v[k]));
            inputs[place_of<W>(p)] = in_order<W>(values);
            if (blockIdx.x == 0) ((Eight *)normed)[p] = values;
        }
    } else {
        constexpr int AT_ONCE = 4;
        for (int first = threadIdx.x; first < eights; first += AT_ONCE * blockDim.x) {
            Eight values[AT_ONCE];
#pragma unroll
            for (int i = 0; i < AT_ONCE; i++) values[i] = read(first + i * blockDim.x);
#pragma unroll
            for (int i = 0; i < AT_ONCE; i++) {
                int p = first + i * blockDim.x;
                if (p < eights) inputs[place_of<W>(p)] = in_order<W>(values[i]);
            }
        }
    }
    if (BLOCKS && threadIdx.x < Own::ZEROS / 16) zeros[threadIdx.x] = Eight();
    __syncthreads();

    for (int row = blockIdx.x; row < rank; row += gridDim.x) {
        const float *of_a = a + (size_t)row * in;
        float sum = 0.f;
        for (int p = threadIdx.x; p < in / 8; p += blockDim.x) {
            Eight values = inputs[place_of<W>(p)];
            float w[8];
            *(float4 *)w = ((const float4 *)of_a)[2 * p];
            *(float4 *)(w + 4) = ((const float4 *)of_a)[2 * p + 1];
#pragma unroll
            for (int k = 0; k < 8; k++) sum += w[order<W>(k)] * to_f32(values.v[k]);
        }
        sum = block_sum(sum, scratch);
        if (threadIdx.x == 0) low[row] = sum * scale;
    }

    int slot = 0, turn = 0, batch = blockIdx.x;
    for (int group = blockIdx.x; group < groups; group += gridDim.x) {
        // Two of each, so that one product need not wait for the one before it.
        float sums[2][4] = {};
        for (int pair = 0; pair < of_warp; pair++) {
            arrived<AHEAD / 2 - 1>();
#pragma unroll
            for (int i = 0; i < 2; i++) {
                int chunk = (pair * WARPS + warp) * 2 + i, at = (slot * 2 + i) * 64 + lane;
                if (chunk >= chunks) break;
                const uint4 *read = (const uint4 *)inputs + chunk * Chunk::SLOTS * 4 + part;
                if (BLOCKS && row_of_lane != part) read = (const uint4 *)zeros + part;
                uint4 kept[2] = {ring[at], ring[at + 32]};
                float apart[2][4] = {};
                auto &c = BLOCKS ? apart : sums;
#pragma unroll
                for (int s = 0; s < Chunk::SLOTS; s++) {
                    uint4 b = read[s * 4];
                    uint32_t up[4], down[4];
                    W::pairs((const uint32_t *)&kept[0] + s * Chunk::WORDS, up, T());
                    W::pairs((const uint32_t *)&kept[1] + s * Chunk::WORDS, down, T());
                    mma<T>(c[0], {up[0], down[0], up[1], down[1]}, b.x, b.y);
                    mma<T>(c[1], {up[2], down[2], up[3], down[3]}, b.z, b.w);
                }
                if (BLOCKS) {
                    half2 scales[2];
#pragma unroll
                    for (int half = 0; half < 2; half++) {
                        scales[half] = as_f16(scale_ring[at + half * 32]);
                        // Half a block is a lane's where a lane has 16 weights.
                        if (W::BITS == 8)
                            scales[half] = part == 0 ? __low2half2(scales[half]) : __high2half2(scales[half]);
                    }
                    float2 above = __half22float2(scales[0]), below = __half22float2(scales[1]);
                    sums[0][0] += (apart[0][0] + apart[1][0]) * above.x;
                    sums[1][0] += (apart[0][1] + apart[1][1]) * above.y;
                    sums[0][2] += (apart[0][2] + apart[1][2]) * below.x;
                    sums[1][2] += (apart[0][3] + apart[1][3]) * below.y;
                }
            }
            fetch(slot);
            slot = (slot + 1) % (AHEAD / 2);
        }
        float above = sums[0][0] + sums[1][0], below = sums[0][2] + sums[1][2];
        if (BLOCKS) {
            above += __shfl_xor_sync(~0u, above, 1);
            below += __shfl_xor_sync(~0u, below, 1);
        }
        if (part == 0) {
            found[turn][warp][row_of_lane] = above;
            found[turn][warp][8 + row_of_lane] = below;
        }
        if (++turn < TURNS && group + gridDim.x < groups) continue;
        __syncthreads();
        int own = threadIdx.x / ROWS, row = (batch + own * gridDim.x) * ROWS + threadIdx.x % ROWS;
        if (own < turn && row < out) {
            float sum = 0.f;
#pragma unroll
            for (int i = 0; i < WARPS; i++) sum += found[own][i][threadIdx.x % ROWS];
            y[row] = from_f32<Y>(finish(sum * of_scale, of_bias, finish.residual_at(row)));
        }
        turn = 0;
        batch = group + gridDim.x;
        prepare(batch);
        __syncthreads();
    }
    arrived<0>();
}

// Of several chats, with a matrix in few bits: y[chat, row] = finish(weight[row] · x[chat]). x: [chats, in], y: [chats, out].
//
// A block has RANGE inputs of up to 8 * TILES chats in shared memory, and reads the weights of these for 64 rows at a time:
// its warps share rows in two and inputs in eight. What the blocks of a row found is added by the last to finish, in a fixed
// order. With BLOCKS, weights are multiplied by their scales first.
//
// Grid: (any, in / RANGE, chats / (8 * TILES)); 512 threads. Shared memory: inputs, T [RANGE, 8 * TILES], and
// what the warps along the inputs found, f32 [ALONG, 8 * TILES, STRIDE]. partial: [splits, chats / (8 * TILES), out / 64,
// 8 * TILES, 64], counters: [chats / (8 * TILES), out / 64], zeros before and after. A block has 512 times 64 rows at most.
//
// The host reads both lines; FIXED_TOGETHER are the bytes that a block has beside the shared memory above.
constexpr int RANGE = 2048;
constexpr int FIXED_TOGETHER = 512;
template <int TILES> struct Together {
    static constexpr int WARPS = 16, ACROSS = 2, ALONG = 8, DEEP = 2, AHEAD = 2, ROWS = ACROSS * DEEP * 16;
    static constexpr int CHATS = 8 * TILES, STRIDE = ROWS + 4;
};
template <typename W, typename T, int TILES, bool BLOCKS>
__device__ void product_of_chats(const T *x, Matrix matrix, Finish<T> finish, T *y, float *partial, uint32_t *counters,
                                 int chats, int in, int out) {
    typedef Chunk<W> Chunk;
    typedef Together<TILES> Own;
    typedef Pack<T> Eight;
    constexpr int AHEAD = Own::AHEAD, DEEP = Own::DEEP, SWAP = 8 / Chunk::SLOTS;
    extern __shared__ __align__(128) unsigned char memory[];
    __shared__ bool last[512];
    static_assert(sizeof(last) == FIXED_TOGETHER, "what the host reckons with");
    Eight *inputs = (Eight *)memory;
    float *found = (float *)(memory + RANGE * Own::CHATS * 2);
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, row_of_lane = lane >> 2, part = lane & 3;
    int across = warp % Own::ACROSS, along = warp / Own::ACROSS;
    int begin = blockIdx.y * RANGE, length = min(RANGE, in - begin);
    int chunks = (length + Chunk::SIZE - 1) / Chunk::SIZE, units = length / Chunk::LANE;
    int steps = (chunks + Own::ALONG * AHEAD - 1) / (Own::ALONG * AHEAD), groups = (out + Own::ROWS - 1) / Own::ROWS;
    int blocks = in / 32;
    int first_chat = blockIdx.z * Own::CHATS;
    chats = min(chats - first_chat, Own::CHATS);

    uint4 ahead[AHEAD][DEEP][2];
    f16 scales[AHEAD][DEEP][2];
    auto fetch = [&](int group, int step, int i) {
        int chunk = (step * Own::ALONG + along) * AHEAD + i, unit = chunk * 4 + part;
        bool there = group < groups && unit < units;
#pragma unroll
        for (int deep = 0; deep < DEEP; deep++)
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int row = min(group * Own::ROWS + (across * DEEP + deep) * 16 + half * 8 + row_of_lane, out - 1);
                const uint8_t *from = matrix.weight + ((size_t)row * in + begin) * W::BITS / 8 + unit * 16;
                ahead[i][deep][half] = there ? read_once(from) : make_uint4(0, 0, 0, 0);
                if (BLOCKS) {
                    int block = (begin + unit * Chunk::LANE) / 32;
                    scales[i][deep][half] = there ? matrix.scales[(size_t)row * blocks + block] : f16(0.f);
                }
            }
    };
    let_next_start();
#pragma unroll
    for (int i = 0; i < AHEAD; i++) fetch(blockIdx.x, 0, i);
    // What the sums are finished with: near by then.
    for (int i = threadIdx.x * 32; i < groups * Own::ROWS; i += blockDim.x * 32)
        if (i / Own::ROWS % gridDim.x == blockIdx.x && i < out) {
            if (!BLOCKS) bring_near(matrix.scales + i);
            if (finish.bias) bring_near(finish.bias + i);
        }
    wait_for_input();

    // By chunk, slot, eight chats, and lane, lanes swapped from slot to slot so that neighbours are in different banks.
    int eights = chunks * Chunk::SIZE / 8;
    constexpr int AT_ONCE = 8;
    for (int chat = warp; chat < Own::CHATS; chat += Own::WARPS)
        for (int first = lane; first < eights; first += AT_ONCE * 32) {
            Eight values[AT_ONCE];
            const Eight *from = (const Eight *)(x + (size_t)(first_chat + chat) * in + begin);
#pragma unroll
            for (int i = 0; i < AT_ONCE; i++) {
                int eight = first + i * 32;
                values[i] = chat < chats && eight * 8 < length ? from[eight] : Eight();
            }
#pragma unroll
            for (int i = 0; i < AT_ONCE; i++) {
                int eight = first + i * 32, place = place_of<W>(eight);
                int to = (chat % 8 * 4 + place % 4) ^ (eight % Chunk::SLOTS * SWAP);
                if (eight < eights) inputs[(place / 4 * TILES + chat / 8) * 32 + to] = in_order<W>(values[i]);
            }
        }
    __syncthreads();

    for (int group = blockIdx.x; group < groups; group += gridDim.x) {
        float sums[DEEP][TILES][4] = {};
        // A thread finishes a row of some chats.
        int of_group = threadIdx.x % Own::ROWS, row = group * Own::ROWS + of_group;
        float of_scale = BLOCKS || row >= out ? 1.f : to_f32(matrix.scales[row]);
        float of_bias = finish.bias && row < out ? to_f32(finish.bias[row]) : 0.f;
        for (int step = 0; step < steps; step++) {
            bool more = step + 1 < steps;
            int next_group = more ? group : group + gridDim.x, next_step = more ? step + 1 : 0;
            int start = (step * Own::ALONG + along) * AHEAD;
            const uint4 *read = (const uint4 *)inputs + start * Chunk::SLOTS * TILES * 32;
#pragma unroll
            for (int i = 0; i < AHEAD; i++) {
                if (start + i < chunks) {
#pragma unroll
                    for (int slot = 0; slot < Chunk::SLOTS; slot++) {
                        uint32_t a[DEEP][2][4];
#pragma unroll
                        for (int deep = 0; deep < DEEP; deep++)
#pragma unroll
                            for (int half = 0; half < 2; half++) {
                                auto &pairs = a[deep][half];
                                W::pairs((const uint32_t *)&ahead[i][deep][half] + slot * Chunk::WORDS, pairs, T());
                                if (BLOCKS)
#pragma unroll
                                    for (int k = 0; k < 4; k++)
                                        pairs[k] = scaled(pairs[k], scales[i][deep][half], T());
                            }
                        uint4 b[TILES];
#pragma unroll
                        for (int tile = 0; tile < TILES; tile++)
                            b[tile] = read[((i * Chunk::SLOTS + slot) * TILES + tile) * 32 + (lane ^ (slot * SWAP))];
#pragma unroll
                        for (int tile = 0; tile < TILES; tile++)
#pragma unroll
                            for (int deep = 0; deep < DEEP; deep++)
                                mma<T>(sums[deep][tile], {a[deep][0][0], a[deep][1][0], a[deep][0][1], a[deep][1][1]},
                                       b[tile].x, b[tile].y);
#pragma unroll
                        for (int tile = 0; tile < TILES; tile++)
#pragma unroll
                            for (int deep = 0; deep < DEEP; deep++)
                                mma<T>(sums[deep][tile], {a[deep][0][2], a[deep][1][2], a[deep][0][3], a[deep][1][3]},
                                       b[tile].z, b[tile].w);
                    }
                }
                fetch(next_group, next_step, i);
            }
        }
#pragma unroll
        for (int deep = 0; deep < DEEP; deep++)
#pragma unroll
            for (int tile = 0; tile < TILES; tile++)
#pragma unroll
                for (int k = 0; k < 4; k++) {
                    int chat = tile * 8 + part * 2 + k % 2;
                    int row = (across * DEEP + deep) * 16 + k / 2 * 8 + row_of_lane;
                    found[(along * Own::CHATS + chat) * Own::STRIDE + row] = sums[deep][tile][k];
                }
        __syncthreads();
        int chat = threadIdx.x / Own::ROWS, chats_at_once = blockDim.x / Own::ROWS;
        auto write = [&](int chat, float sum) {
            size_t at = (size_t)(first_chat + chat) * out + row;
            if (row < out) y[at] = from_f32<T>(finish(sum * of_scale, of_bias, finish.residual_at(at)));
        };
        size_t place = ((size_t)blockIdx.z * groups + group) * Own::CHATS * Own::ROWS + of_group;
        size_t apart = (size_t)gridDim.z * groups * Own::CHATS * Own::ROWS;
        for (int c = chat; c < chats; c += chats_at_once) {
            float sum = 0.f;
#pragma unroll
            for (int i = 0; i < Own::ALONG; i++) sum += found[(i * Own::CHATS + c) * Own::STRIDE + of_group];
            if (gridDim.y == 1)
                write(c, sum);
            else
                partial[blockIdx.y * apart + place + c * Own::ROWS] = sum;
        }
        __syncthreads();
    }
    if (gridDim.y == 1) return;
    __threadfence();
    __syncthreads();
    int own = blockIdx.x + threadIdx.x * gridDim.x;
    if (own < groups) {
        uint32_t *counter = counters + blockIdx.z * groups + own;
        last[threadIdx.x] = atomicAdd(counter, 1u) == gridDim.y - 1;
        if (last[threadIdx.x]) *counter = 0;
    }
    __syncthreads();
    __threadfence();
    constexpr int OF_GROUP = Own::CHATS * Own::ROWS, FINISHED = 8;
    size_t of_split = (size_t)gridDim.z * groups * OF_GROUP;
    int turns = (groups - blockIdx.x + gridDim.x - 1) / gridDim.x;
    for (int first = threadIdx.x; first < turns * OF_GROUP; first += FINISHED * blockDim.x) {
        float all[FINISHED] = {}, of_scale[FINISHED], of_bias[FINISHED], plus[FINISHED];
        const float *from[FINISHED];
        int rows[FINISHED], of_chat[FINISHED];
#pragma unroll
        for (int i = 0; i < FINISHED; i++) {
            int place = first + i * blockDim.x, turn = place / OF_GROUP, group = blockIdx.x + turn * gridDim.x;
            rows[i] = group * Own::ROWS + place % Own::ROWS;
            of_chat[i] = place % OF_GROUP / Own::ROWS;
            from[i] = partial + ((size_t)blockIdx.z * groups + group) * OF_GROUP + place % OF_GROUP;
            if (turn >= turns || !last[turn] || rows[i] >= out || of_chat[i] >= chats) from[i] = nullptr;
            of_scale[i] = !BLOCKS && from[i] ? to_f32(matrix.scales[rows[i]]) : 1.f;
            of_bias[i] = finish.bias && from[i] ? to_f32(finish.bias[rows[i]]) : 0.f;
            plus[i] = from[i] ? finish.residual_at((size_t)(first_chat + of_chat[i]) * out + rows[i]) : 0.f;
        }
#pragma unroll 4
        for (int split = 0; split < gridDim.y; split++)
#pragma unroll
            for (int i = 0; i < FINISHED; i++)
                if (from[i]) all[i] += __ldcg(from[i] + split * of_split);
#pragma unroll
        for (int i = 0; i < FINISHED; i++) {
            size_t at = (size_t)(first_chat + of_chat[i]) * out + rows[i];
            if (from[i]) y[at] = from_f32<T>(finish(all[i] * of_scale[i], of_bias[i], plus[i]));
        }
    }
}

#define PRODUCT(W, KIND, T, S, BLOCKS)                                                                                 \
    extern "C" __global__ void __launch_bounds__(512, 2)                                                               \
        product_##KIND##_##S(const T *x, const T *norm_weight, const T *norm_bias, float eps, T *normed,               \
                             const uint8_t *weight, const f16 *scales, const T *bias, const T *residual,               \
                             float alpha, int gelu, T *y, const float *a, float *low, float scale, int in, int out,    \
                             int rank) {                                                                               \
        product<W, T, T, BLOCKS>(x, norm_weight, norm_bias, eps, normed, {weight, scales},                             \
                                 {bias, residual, alpha, gelu}, y, a, low, scale, in, out, rank);                      \
    }
#define TOGETHER(W, KIND, T, S, BLOCKS, TILES, CHATS)                                                                  \
    extern "C" __global__ void __launch_bounds__(512, 1)                                                               \
        product_of_##CHATS##_##KIND##_##S(const T *x, const uint8_t *weight, const f16 *scales,                        \
                                          const T *bias, const T *residual, float alpha, int gelu, T *y,               \
                                          float *partial, uint32_t *counters, int chats, int in, int out) {            \
        product_of_chats<W, T, TILES, BLOCKS>(x, {weight, scales}, {bias, residual, alpha, gelu}, y, partial,          \
                                              counters, chats, in, out);                                               \
    }
#define FEW_BITS(W, KIND, T, S, BLOCKS)                                                                                \
    PRODUCT(W, KIND, T, S, BLOCKS)                                                                                     \
    TOGETHER(W, KIND, T, S, BLOCKS, 1, 8)                                                                              \
    TOGETHER(W, KIND, T, S, BLOCKS, 2, 16)                                                                             \
    TOGETHER(W, KIND, T, S, BLOCKS, 4, 32)
#define MAKE(T, S)                                                                                                     \
    PRODUCT(Dense<T>, dense, T, S, false)                                                                              \
    FEW_BITS(Int8, int8, T, S, false)                                                                                  \
    FEW_BITS(Int4, int4, T, S, false)                                                                                  \
    FEW_BITS(Int8, q8_0, T, S, true)                                                                                   \
    FEW_BITS(Int4, q4_0, T, S, true)                                                                                   \
    extern "C" __global__ void __launch_bounds__(512, 2)                                                               \
        product_logits_##S(const T *x, const uint8_t *weight, float *y, int in, int out) {                             \
        product<Dense<T>, T, float, false>(x, nullptr, nullptr, 0.f, nullptr, {weight, nullptr},                       \
                                           {nullptr, nullptr, 0.f, 0}, y, nullptr, nullptr, 0.f, in, out, 0);          \
    }
MAKE(f16, f16)
MAKE(bf16, bf16)
