// One token of a chat through the model: every kernel reads its weights once, at the speed of the memory, and does what
// stands around the matrix on the way. For several chats at once the products are the library's; attention and adapters,
// which are each chat's own, are here.
#include "common.cuh"

constexpr int WARPS = 8;

// Kernels start while the one before them ends: until `wait_for_input` they read nothing but weights.
__device__ __forceinline__ void let_next_start() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;");
#endif
}
__device__ __forceinline__ void wait_for_input() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

__device__ __forceinline__ float gelu(float x) {
    float twice = 1.5957691216057308f * x * (1.f + 0.044715f * x * x);
    return x / (1.f + __expf(-twice));
}

// How a row of weights is kept. A lane reads a Pack of eight; AHEAD packs of each row are on their way at once.
template <typename T> struct Dense {
    typedef uint4 Pack;
    static constexpr int BITS = 16, AHEAD = 8, ROWS = 1;
    __device__ __forceinline__ static float dot(uint4 pack, const float (&x)[8]) {
        const T *weights = (const T *)&pack;
        float sum = 0.f;
#pragma unroll
        for (int i = 0; i < 8; i++) sum += to_f32(weights[i]) * x[i];
        return sum;
    }
};
struct Int8 {
    typedef uint2 Pack;
    static constexpr int BITS = 8, AHEAD = 4, ROWS = 2;
    __device__ __forceinline__ static float dot(uint2 pack, const float (&x)[8]) {
        float sum = 0.f;
#pragma unroll
        for (int i = 0; i < 8; i++) {
            // The byte plus 128 becomes the low end of a float of 2^23.
            uint32_t bytes = (i < 4 ? pack.x : pack.y) ^ 0x80808080u;
            uint32_t number = __byte_perm(bytes, 0x4b000000u, 0x7440 + i % 4);
            sum += (__uint_as_float(number) - 8388736.f) * x[i];
        }
        return sum;
    }
};
struct Int4 {
    typedef uint32_t Pack;
    static constexpr int BITS = 4, AHEAD = 8, ROWS = 2;
    __device__ __forceinline__ static float dot(uint32_t pack, const float (&x)[8]) {
        // Each number plus 8 becomes the low end of a half of 1024; of the two in a byte, the first is the higher.
        uint32_t shifted = pack ^ 0x88888888u;
        float sum = 0.f;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            uint32_t two = ((shifted >> (4 * i)) & 0x000f000fu) | 0x64006400u;
            float2 values = __half22float2(__hsub2(*(half2 *)&two, __float2half2_rn(1032.f)));
            int first = i / 2 * 2 + (i % 2 ? 0 : 1);
            sum += values.x * x[first] + values.y * x[first + 4];
        }
        return sum;
    }
};

// The weights of a linear layer. Integers have an f16 scale for each `block` of a row.
struct Matrix {
    const uint8_t *weight;
    const f16 *scales;
    int block;
};

// What is done with a product before it is written, and where.
template <typename T> struct Finish {
    const T *bias;
    // Added `alpha` times, or null.
    const T *residual;
    float alpha;
    int gelu;
};

// y[row] = finish(weight[row] · x'), x' = x, or with `norm_weight` its layer norm, which then also goes to `normed`.
// The rows from `out` on are those of an adapter's A [rank, in]: low[i] = scale * a[i] · x'.
// Grid: up to (out + rank) / (WARPS * W::ROWS), with fewer each warp has several turns; 256 threads. Shared memory:
// in * sizeof(T). `in` is a multiple of 8.
template <typename W, typename T, typename Y>
__device__ void product(const T *x, const T *norm_weight, const T *norm_bias, float eps, T *normed, Matrix matrix,
                        Finish<T> finish, Y *y, const float *a, float *low, float scale, int in, int out, int rank) {
    extern __shared__ __align__(16) unsigned char memory[];
    __shared__ float scratch[32];
    constexpr int ROWS = W::ROWS, AHEAD = W::AHEAD;
    typedef Pack<T> Eight;
    Eight *read = (Eight *)memory;
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, packs = in / 8;
    int first = (blockIdx.x * WARPS + warp) * ROWS, stride = gridDim.x * WARPS * ROWS;
    typename W::Pack ahead[ROWS][AHEAD];
    auto fetch = [&](int row, int start) {
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            auto from = (const typename W::Pack *)(matrix.weight + (size_t)(row + r) * in * W::BITS / 8);
#pragma unroll
            for (int i = 0; i < AHEAD; i++)
                if (row + r < out && start + lane + 32 * i < packs)
                    ahead[r][i] = __ldcs(from + start + lane + 32 * i);
        }
    };
    let_next_start();
    fetch(first, 0);
    wait_for_input();

    if (norm_weight) {
        float sum = 0.f, squares = 0.f;
        for (int p = threadIdx.x; p < packs; p += blockDim.x) {
            Eight values = ((const Eight *)x)[p];
            read[p] = values;
#pragma unroll
            for (int k = 0; k < 8; k++) sum += to_f32(values.v[k]);
        }
        float mean = block_sum(sum, scratch) / in;
        for (int p = threadIdx.x; p < packs; p += blockDim.x) {
            Eight values = read[p];
#pragma unroll
            for (int k = 0; k < 8; k++) squares += (to_f32(values.v[k]) - mean) * (to_f32(values.v[k]) - mean);
        }
        float factor = rsqrtf(block_sum(squares, scratch) / in + eps);
        for (int p = threadIdx.x; p < packs; p += blockDim.x) {
            Eight values = read[p], w = ((const Eight *)norm_weight)[p], b = ((const Eight *)norm_bias)[p];
#pragma unroll
            for (int k = 0; k < 8; k++)
                values.v[k] = from_f32<T>((to_f32(values.v[k]) - mean) * factor * to_f32(w.v[k]) + to_f32(b.v[k]));
            read[p] = values;
            if (blockIdx.x == 0) ((Eight *)normed)[p] = values;
        }
    } else {
        for (int p = threadIdx.x; p < packs; p += blockDim.x) read[p] = ((const Eight *)x)[p];
    }
    __syncthreads();

    int blocks = in / matrix.block;
    for (; first < out + rank; first += stride) {
        float sums[ROWS] = {};
        for (int start = 0; start < packs && first < out; start += 32 * AHEAD) {
            if (start) fetch(first, start);
#pragma unroll
            for (int i = 0; i < AHEAD; i++) {
                int pack = start + lane + 32 * i;
                if (pack >= packs) break;
                Eight values = read[pack];
                float with[8];
#pragma unroll
                for (int k = 0; k < 8; k++) with[k] = to_f32(values.v[k]);
#pragma unroll
                for (int r = 0; r < ROWS; r++) {
                    if (first + r >= out) break;
                    float part = W::dot(ahead[r][i], with);
                    if (W::BITS < 16 && blocks > 1)
                        part *= to_f32(matrix.scales[(size_t)(first + r) * blocks + pack * 8 / matrix.block]);
                    sums[r] += part;
                }
            }
        }
        // The next rows are on their way while these are added up.
        fetch(first + stride, 0);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            int row = first + r;
            if (row >= out + rank) break;
            float sum = sums[r];
            if (row >= out) {
                const float *of_a = a + (size_t)(row - out) * in;
#pragma unroll 2
                for (int p = lane; p < packs; p += 32) {
                    float4 left = ((const float4 *)of_a)[2 * p], right = ((const float4 *)of_a)[2 * p + 1];
                    Eight values = read[p];
                    sum += left.x * to_f32(values.v[0]) + left.y * to_f32(values.v[1]) + left.z * to_f32(values.v[2]) +
                           left.w * to_f32(values.v[3]) + right.x * to_f32(values.v[4]) +
                           right.y * to_f32(values.v[5]) + right.z * to_f32(values.v[6]) + right.w * to_f32(values.v[7]);
                }
            }
            sum = warp_sum(sum);
            if (lane) continue;
            if (row >= out) {
                low[row - out] = sum * scale;
                continue;
            }
            if (W::BITS < 16 && blocks == 1) sum *= to_f32(matrix.scales[row]);
            if (finish.bias) sum += to_f32(finish.bias[row]);
            if (finish.gelu) sum = gelu(sum);
            if (finish.residual) sum += finish.alpha * to_f32(finish.residual[row]);
            y[row] = from_f32<Y>(sum);
        }
    }
}

// Tokens of a page: PAGE_TOKENS of `ops::attention::pages`. A page is [layers, 2, heads, PAGE, head].
constexpr int PAGE = 64;

// Keys of a head in a page, as `head` (its size) and `heads` are; its values are heads * PAGE * head further.
template <typename T>
__device__ __forceinline__ T *keys_of(uint64_t page, int layer, int heads, int which, int head) {
    return (T *)page + ((size_t)layer * 2 * heads + which) * PAGE * head;
}

// What a chat has to itself in one block of the model.
struct Chat {
    // Its pages in order, of which `past` tokens are filled; the newest one joins them.
    const uint64_t *pages;
    // A [rank, in] and B [out, rank] of its adapter; none has rank 0.
    const float *a, *b;
    int past, rank;
    float scale;
};
constexpr int CHATS = 64;
struct Chats {
    Chat of[CHATS];
};

// What each chat's adapter reads: low[chat, i] = scale * a[i] · x[chat]. x: [chats, in], `in` a multiple of 4; low:
// [chats, gridDim.x]. Grid: (largest rank, chats); 256 threads.
template <typename T> __device__ void read_low(const T *x, const Chat &chat, float *low, int in) {
    __shared__ float scratch[32];
    let_next_start();
    wait_for_input();
    if (blockIdx.x >= chat.rank) return;
    const float4 *a = (const float4 *)(chat.a + (size_t)blockIdx.x * in);
    const Four<T> *read = (const Four<T> *)(x + (size_t)blockIdx.y * in);
    float sum = 0.f;
#pragma unroll 4
    for (int i = threadIdx.x; i < in / 4; i += blockDim.x) {
        float4 w = a[i];
        Four<T> values = read[i];
        sum += w.x * to_f32(values.v[0]) + w.y * to_f32(values.v[1]) + w.z * to_f32(values.v[2]) +
               w.w * to_f32(values.v[3]);
    }
    sum = block_sum(sum, scratch);
    if (threadIdx.x == 0) low[blockIdx.y * gridDim.x + blockIdx.x] = sum * chat.scale;
}

constexpr int ATTENTION_WARPS = 4;

// The newest tokens' attention, each chat's over its own cache: adds the adapter's answer to query, key and value, turns
// the first two, writes key and value into the cache, and reads it.
//
// qkv: [chats, heads, 3, head], head = 32 * E; cos, sin: [chats, head / 2]; low: [chats, low_stride]; out: [chats, heads,
// head]. Grid: (heads, splits, chats). The keys are shared by the splits; the last to finish joins what they found, in a
// fixed order. partial: [chats, heads, splits, head + 2]; counters: [chats, heads], zeros before and after.
template <typename T, int E>
__device__ void attend(const T *qkv, const float *low, int low_stride, const float *cos, const float *sin, int parts,
                       const Chat &chat, int layer, T *out, float *partial, uint32_t *counters) {
    constexpr int HEAD = 32 * E;
    int past = chat.past, rank = chat.rank, heads = gridDim.x;
    const uint64_t *pages = chat.pages;
    size_t to_values = (size_t)heads * PAGE * HEAD;
    const float *b = chat.b;
    low += blockIdx.z * low_stride;
    qkv += (size_t)blockIdx.z * gridDim.x * 3 * HEAD;
    out += (size_t)blockIdx.z * gridDim.x * HEAD;
    cos += blockIdx.z * HEAD / 2;
    sin += blockIdx.z * HEAD / 2;
    partial += (size_t)blockIdx.z * gridDim.x * gridDim.y * (HEAD + 2);
    counters += blockIdx.z * gridDim.x;
    __shared__ float fresh[3][HEAD];
    __shared__ float sums[ATTENTION_WARPS][HEAD + 2];
    __shared__ bool last;
    int head = blockIdx.x, splits = gridDim.y, split = blockIdx.y;
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
    let_next_start();
    // So many keys in a row are read at once; none of them is in another page.
    constexpr int TOGETHER = 4;
    int share = (past + splits - 1) / splits;
    share = (share + TOGETHER - 1) / TOGETHER * TOGETHER;
    int start = split * share, end = min(past, start + share), first = start + warp * TOGETHER;
    // No kernel writes the pages' addresses.
    uint64_t page = pages[(first < end ? first : past) / PAGE];
    wait_for_input();
    // Only the first split has use for key and value.
    int fresh_size = split ? HEAD : 3 * HEAD, turned = split ? HEAD / 2 : HEAD;
    for (int i = threadIdx.x; i < fresh_size; i += blockDim.x) {
        size_t column = (size_t)head * 3 * HEAD + i;
        float x = to_f32(qkv[column]);
        for (int j = 0; j < rank; j++) x += low[j] * b[column * rank + j];
        fresh[i / HEAD][i % HEAD] = x;
    }
    __syncthreads();
    int pairs = HEAD / (2 * parts);
    for (int i = threadIdx.x; i < turned; i += blockDim.x) {
        // Pair i % (HEAD / 2) of the query, or of the key.
        int kind = i / (HEAD / 2), pair = i % (HEAD / 2);
        int left = pair / pairs * 2 * pairs + pair % pairs, right = left + pairs;
        float c = cos[pair], s = sin[pair], x = fresh[kind][left], z = fresh[kind][right];
        fresh[kind][left] = x * c - z * s;
        fresh[kind][right] = z * c + x * s;
    }
    __syncthreads();
    // As prefill leaves them: rounded to T.
    for (int i = threadIdx.x; i < fresh_size; i += blockDim.x) {
        int kind = i / HEAD, at = i % HEAD;
        T value = from_f32<T>(fresh[kind][at]);
        fresh[kind][at] = to_f32(value);
        if (kind == 0) continue;
        T *keys = keys_of<T>(pages[past / PAGE], layer, heads, head, HEAD);
        keys[(kind == 2 ? to_values : 0) + past % PAGE * HEAD + at] = value;
    }
    __syncthreads();

    float query[E], read[E] = {}, largest = -INFINITY, sum = 0.f;
    float scale = rsqrtf((float)HEAD);
#pragma unroll
    for (int e = 0; e < E; e++) query[e] = fresh[0][lane * E + e] * scale;
    auto see = [&](const float (&key)[E], const float (&value)[E]) {
        float score = 0.f;
#pragma unroll
        for (int e = 0; e < E; e++) score += query[e] * key[e];
        score = warp_sum(score);
        float most = fmaxf(largest, score), shrink = __expf(largest - most), weight = __expf(score - most);
        sum = sum * shrink + weight;
#pragma unroll
        for (int e = 0; e < E; e++) read[e] = read[e] * shrink + weight * value[e];
        largest = most;
    };
    for (int j = first; j < end; j += ATTENTION_WARPS * TOGETHER) {
        const T *keys = keys_of<T>(page, layer, heads, head, HEAD), *values = keys + to_values;
        page = pages[min(j + ATTENTION_WARPS * TOGETHER, past) / PAGE];
        float key[TOGETHER][E], value[TOGETHER][E];
#pragma unroll
        for (int k = 0; k < TOGETHER; k++) {
            int place = min(j + k, end - 1) % PAGE * HEAD + lane * E;
#pragma unroll
            for (int e = 0; e < E; e++) {
                key[k][e] = to_f32(keys[place + e]);
                value[k][e] = to_f32(values[place + e]);
            }
        }
#pragma unroll
        for (int k = 0; k < TOGETHER; k++)
            if (j + k < end) see(key[k], value[k]);
    }
    if (split == 0 && warp == 0) {
        float key[E], value[E];
#pragma unroll
        for (int e = 0; e < E; e++) {
            key[e] = fresh[1][lane * E + e];
            value[e] = fresh[2][lane * E + e];
        }
        see(key, value);
    }
#pragma unroll
    for (int e = 0; e < E; e++) sums[warp][lane * E + e] = read[e];
    if (lane == 0) {
        sums[warp][HEAD] = largest;
        sums[warp][HEAD + 1] = sum;
    }
    __syncthreads();

    // Joins `count` parts of HEAD + 2 numbers each; every thread has one element of the head.
    auto join = [&](const float *from, int count, int at, float &most, float &total) {
        most = -INFINITY;
        for (int i = 0; i < count; i++) most = fmaxf(most, from[i * (HEAD + 2) + HEAD]);
        float value = 0.f;
        total = 0.f;
        for (int i = 0; i < count; i++) {
            float weight = __expf(from[i * (HEAD + 2) + HEAD] - most);
            if (most == -INFINITY) weight = 0.f;
            total += weight * from[i * (HEAD + 2) + HEAD + 1];
            value += weight * from[i * (HEAD + 2) + at];
        }
        return value;
    };
    float *mine = partial + ((size_t)head * splits + split) * (HEAD + 2);
    if (threadIdx.x < HEAD) {
        float most, total, value = join(&sums[0][0], ATTENTION_WARPS, threadIdx.x, most, total);
        if (splits == 1) {
            out[(size_t)head * HEAD + threadIdx.x] = from_f32<T>(value / total);
        } else {
            mine[threadIdx.x] = value;
            if (threadIdx.x == 0) {
                mine[HEAD] = most;
                mine[HEAD + 1] = total;
            }
        }
    }
    if (splits == 1) return;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) last = atomicAdd(counters + head, 1u) == splits - 1;
    __syncthreads();
    if (!last) return;
    __threadfence();
    if (threadIdx.x < HEAD) {
        float most, total;
        float value = join(partial + (size_t)head * splits * (HEAD + 2), splits, threadIdx.x, most, total);
        out[(size_t)head * HEAD + threadIdx.x] = from_f32<T>(value / total);
    }
    if (threadIdx.x == 0) counters[head] = 0;
}

// Keys and values of turned tokens into the pages, behind `past` others. qkv: [seq, heads, 3, head]. Grid: (seq, heads);
// head threads.
template <typename T> __device__ void append(const T *qkv, const uint64_t *pages, int layer, int past, int heads) {
    int head = blockDim.x, token = blockIdx.x, place = past + token;
    const T *from = qkv + ((size_t)token * heads + blockIdx.y) * 3 * head + threadIdx.x;
    T *keys = keys_of<T>(pages[place / PAGE], layer, heads, blockIdx.y, head) + place % PAGE * head + threadIdx.x;
    keys[0] = from[head];
    keys[(size_t)heads * PAGE * head] = from[2 * head];
}

#define ATTEND(T, S, E, HEAD)                                                                                          \
    extern "C" __global__ void __launch_bounds__(128)                                                                  \
        decode_attention_##S##_##HEAD(const T *qkv, const float *low, int low_stride, const float *cos,                \
                                      const float *sin, int parts, const __grid_constant__ Chats chats, int layer,     \
                                      T *out, float *partial, uint32_t *counters) {                                    \
        attend<T, E>(qkv, low, low_stride, cos, sin, parts, chats.of[blockIdx.z], layer, out, partial, counters);      \
    }
#define PRODUCT(W, KIND, T, S)                                                                                         \
    extern "C" __global__ void __launch_bounds__(256, 4)                                                               \
        decode_product_##KIND##_##S(const T *x, const T *norm_weight, const T *norm_bias, float eps, T *normed,        \
                                    const uint8_t *weight, const f16 *scales, int block, const T *bias,                \
                                    const T *residual, float alpha, int gelu, T *y, const float *a, float *low,        \
                                    float scale, int in, int out, int rank) {                                          \
        Finish<T> finish = {bias, residual, alpha, gelu};                                                              \
        product<W, T, T>(x, norm_weight, norm_bias, eps, normed, {weight, scales, block}, finish, y, a, low, scale,    \
                         in, out, rank);                                                                               \
    }
#define MAKE(T, S)                                                                                                     \
    PRODUCT(Dense<T>, dense, T, S)                                                                                     \
    PRODUCT(Int8, int8, T, S)                                                                                          \
    PRODUCT(Int4, int4, T, S)                                                                                          \
    extern "C" __global__ void __launch_bounds__(256, 4)                                                               \
        decode_logits_##S(const T *x, const uint8_t *weight, float *y, int in, int out) {                              \
        Finish<T> finish = {nullptr, nullptr, 0.f, 0};                                                                 \
        product<Dense<T>, T, float>(x, nullptr, nullptr, 0.f, nullptr, {weight, nullptr, in}, finish, y, nullptr,      \
                                    nullptr, 0.f, in, out, 0);                                                         \
    }                                                                                                                  \
    extern "C" __global__ void decode_append_##S(const T *qkv, const uint64_t *pages, int layer, int past,             \
                                               int heads) {                                                            \
        append<T>(qkv, pages, layer, past, heads);                                                                     \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        decode_low_##S(const T *x, const __grid_constant__ Chats chats, float *low, int in) {                          \
        read_low<T>(x, chats.of[blockIdx.y], low, in);                                                                 \
    }                                                                                                                  \
    ATTEND(T, S, 4, 128)                                                                                               \
    ATTEND(T, S, 2, 64)                                                                                                \
    ATTEND(T, S, 1, 32)
MAKE(f16, f16)
MAKE(bf16, bf16)
