// The newest token of each of some chats: what is each chat's own, attention over its cache and what its adapter reads. The
// products are in `product.cu`.
#include <float.h>

#include "common.cuh"

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

// Adds what each chat's adapter answers to what a product gave: y[chat, i] += sum over j of low[chat, j] * b[i, j]; then GELU,
// if it is wanted. y: [chats, out]; low: [chats, low_stride]. Grid: (out / 256, chats); 256 threads.
template <typename T>
__device__ void add_answer(T *y, const float *low, int low_stride, const Chat &chat, int out, int gelu) {
    let_next_start();
    int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= out) return;
    const float *b = chat.b + (size_t)column * chat.rank;
    if (chat.rank) bring_near(b);
    wait_for_input();
    T *result = y + (size_t)blockIdx.y * out + column;
    low += blockIdx.y * low_stride;
    float sum = to_f32(*result);
    for (int j = 0; j < chat.rank; j++) sum += low[j] * b[j];
    *result = from_f32<T>(gelu ? ::gelu(sum) : sum);
}

constexpr int ATTENTION_WARPS = 4;
// Packs of 16 bytes of keys, and of values, that a lane has on their way.
constexpr int DEEP = 8;

// A softmax over some keys so far, and a lane's part of what was read with it.
template <int N> struct Softmax {
    // No score is lower; what has seen no key weighs nothing.
    float largest = -FLT_MAX, sum = 0.f, read[N] = {};
    __device__ __forceinline__ void shrink_to(float most) {
        float shrink = __expf(largest - most);
        largest = most;
        sum *= shrink;
#pragma unroll
        for (int i = 0; i < N; i++) read[i] *= shrink;
    }
    __device__ __forceinline__ void see(float score, const float (&value)[N]) {
        float weight = __expf(score - largest);
        sum += weight;
#pragma unroll
        for (int i = 0; i < N; i++) read[i] += weight * value[i];
    }
    // Joins what the lanes `offset` apart have.
    __device__ __forceinline__ void join(int offset) {
        shrink_to(fmaxf(largest, __shfl_xor_sync(~0u, largest, offset)));
        sum += __shfl_xor_sync(~0u, sum, offset);
#pragma unroll
        for (int i = 0; i < N; i++) read[i] += __shfl_xor_sync(~0u, read[i], offset);
    }
};

// The newest tokens' attention, each chat's over its own cache: adds the adapter's answer to query, key and value, turns
// the first two, writes key and value into the cache, and reads it.
//
// A key is read by HEAD / 8 lanes, several keys by a warp at once. The first ones, and the angles, are read before the
// input is waited for: they were written before the pass's embedding, which does not start early.
//
// qkv: [chats, heads, 3, HEAD]; cos, sin: [chats, HEAD / 2]; low: [chats, low_stride]; out: [chats, heads, HEAD]. Grid: (heads,
// splits, chats). The keys are shared by the splits; the last to finish joins what they found, in a fixed order. partial:
// [chats, heads, splits, HEAD + 2]; counters: [chats, heads], zeros before and after.
template <typename T, int HEAD>
__device__ void attend(const T *qkv, const float *low, int low_stride, const float *cos, const float *sin, int parts,
                       const Chat &chat, int layer, T *out, float *partial, uint32_t *counters) {
    typedef Pack<T> Eight;
    // Lanes of a key, keys that a warp reads with one instruction, and has on their way: none of those is in another page.
    constexpr int LANES = HEAD / 8, AT_ONCE = 32 / LANES, TILE = DEEP * AT_ONCE;
    int past = chat.past, rank = chat.rank, heads = gridDim.x;
    const uint64_t *pages = chat.pages;
    size_t to_values = (size_t)heads * PAGE * HEAD;
    const float *b = chat.b;
    low += blockIdx.z * low_stride;
    qkv += ((size_t)blockIdx.z * heads + blockIdx.x) * 3 * HEAD;
    out += ((size_t)blockIdx.z * heads + blockIdx.x) * HEAD;
    partial += ((size_t)blockIdx.z * heads + blockIdx.x) * gridDim.y * (HEAD + 2);
    counters += blockIdx.z * heads + blockIdx.x;
    __shared__ float fresh[3][HEAD];
    __shared__ float sums[ATTENTION_WARPS][HEAD + 2];
    __shared__ bool last;
    int head = blockIdx.x, splits = gridDim.y, split = blockIdx.y;
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, of_key = lane / LANES, part = lane % LANES;
    let_next_start();
    int share = (past + splits - 1) / splits;
    share = (share + TILE - 1) / TILE * TILE;
    int start = split * share, end = min(past, start + share), first = start + warp * TILE;
    Eight keys[DEEP], values[DEEP];
    auto place_of_key = [&](int j, int i) {
        return (min(j + i * AT_ONCE + of_key, end - 1) % PAGE * LANES + part) * 8;
    };
    auto fetch = [&](uint64_t page, int j) {
        const T *from = keys_of<T>(page, layer, heads, head, HEAD);
#pragma unroll
        for (int i = 0; i < DEEP; i++) keys[i] = *(const Eight *)(from + place_of_key(j, i));
#pragma unroll
        for (int i = 0; i < DEEP; i++) values[i] = *(const Eight *)(from + to_values + place_of_key(j, i));
    };
    uint64_t newest = pages[past / PAGE], page = newest;
    if (first < end) fetch(pages[first / PAGE], first);
    constexpr int STRIDE = ATTENTION_WARPS * TILE;
    // Those of one chat are few enough for the L2 cache.
    if (gridDim.z == 1)
        for (int j = first + STRIDE; j < end; j += STRIDE) {
            const T *from = keys_of<T>(pages[j / PAGE], layer, heads, head, HEAD);
#pragma unroll
            for (int i = 0; i < DEEP; i++) {
                bring_near(from + place_of_key(j, i));
                bring_near(from + to_values + place_of_key(j, i));
            }
        }
    if (first + STRIDE < end) page = pages[(first + STRIDE) / PAGE];
    // Threads have a pair of the query, the next ones of the key.
    int pairs = HEAD / (2 * parts), pair = threadIdx.x % (HEAD / 2);
    float c = cos[blockIdx.z * HEAD / 2 + pair], s = sin[blockIdx.z * HEAD / 2 + pair];
    b += (size_t)head * 3 * HEAD * rank;
    for (int i = threadIdx.x * 8; i < (split ? 1 : 3) * HEAD * rank; i += blockDim.x * 8) bring_near(b + i);
    wait_for_input();

    // As prefill leaves them: rounded to T.
    auto fresh_at = [&](int at) {
        float x = to_f32(qkv[at]);
        for (int j = 0; j < rank; j++) x += low[j] * b[at * rank + j];
        return x;
    };
    // Only the first split has use for key and value.
    T *to = keys_of<T>(newest, layer, heads, head, HEAD) + past % PAGE * HEAD;
    int kind = threadIdx.x / (HEAD / 2);
    if (kind < (split ? 1 : 2)) {
        int left = pair / pairs * 2 * pairs + pair % pairs, right = left + pairs;
        float x = fresh_at(kind * HEAD + left), z = fresh_at(kind * HEAD + right);
        T turned[2] = {from_f32<T>(x * c - z * s), from_f32<T>(z * c + x * s)};
        fresh[kind][left] = to_f32(turned[0]);
        fresh[kind][right] = to_f32(turned[1]);
        if (kind) {
            to[left] = turned[0];
            to[right] = turned[1];
        }
    }
    if (split == 0 && threadIdx.x < HEAD) {
        T value = from_f32<T>(fresh_at(2 * HEAD + threadIdx.x));
        fresh[2][threadIdx.x] = to_f32(value);
        to[to_values + threadIdx.x] = value;
    }
    __syncthreads();

    float query[8];
    float scale = rsqrtf((float)HEAD);
#pragma unroll
    for (int i = 0; i < 8; i++) query[i] = fresh[0][part * 8 + i] * scale;
    auto score_of = [&](const float (&key)[8]) {
        float score = 0.f;
#pragma unroll
        for (int i = 0; i < 8; i++) score += query[i] * key[i];
#pragma unroll
        for (int offset = LANES / 2; offset; offset /= 2) score += __shfl_xor_sync(~0u, score, offset);
        return score;
    };
    Softmax<8> found;
    for (int j = first; j < end; j += STRIDE) {
        float scores[DEEP], most = found.largest, value[8];
#pragma unroll
        for (int i = 0; i < DEEP; i++) {
            float key[8];
#pragma unroll
            for (int k = 0; k < 8; k++) key[k] = to_f32(keys[i].v[k]);
            scores[i] = score_of(key);
            if (j + i * AT_ONCE + of_key >= end) scores[i] = -INFINITY;
            most = fmaxf(most, scores[i]);
        }
        found.shrink_to(most);
#pragma unroll
        for (int i = 0; i < DEEP; i++) {
#pragma unroll
            for (int k = 0; k < 8; k++) value[k] = to_f32(values[i].v[k]);
            found.see(scores[i], value);
        }
        if (j + STRIDE >= end) break;
        fetch(page, j + STRIDE);
        page = pages[min(j + 2 * STRIDE, past) / PAGE];
    }
    if (split == 0 && warp == 0) {
        float key[8], value[8];
#pragma unroll
        for (int i = 0; i < 8; i++) {
            key[i] = fresh[1][part * 8 + i];
            value[i] = fresh[2][part * 8 + i];
        }
        float score = score_of(key);
        if (of_key) score = -INFINITY;
        found.shrink_to(fmaxf(found.largest, score));
        found.see(score, value);
    }
#pragma unroll
    for (int offset = LANES; offset < 32; offset *= 2) found.join(offset);
    if (of_key == 0)
#pragma unroll
        for (int i = 0; i < 8; i++) sums[warp][part * 8 + i] = found.read[i];
    if (lane == 0) {
        sums[warp][HEAD] = found.largest;
        sums[warp][HEAD + 1] = found.sum;
    }
    __syncthreads();

    // Joins `count` parts of HEAD + 2 numbers each; every thread has one element of the head.
    auto join = [&](const float *from, int count, int at, float &most, float &total) {
        most = -FLT_MAX;
#pragma unroll 4
        for (int i = 0; i < count; i++) most = fmaxf(most, from[i * (HEAD + 2) + HEAD]);
        float value = 0.f;
        total = 0.f;
#pragma unroll 4
        for (int i = 0; i < count; i++) {
            float weight = __expf(from[i * (HEAD + 2) + HEAD] - most);
            total += weight * from[i * (HEAD + 2) + HEAD + 1];
            value += weight * from[i * (HEAD + 2) + at];
        }
        return value;
    };
    float *mine = partial + split * (HEAD + 2);
    if (threadIdx.x < HEAD) {
        float most, total, value = join(&sums[0][0], ATTENTION_WARPS, threadIdx.x, most, total);
        if (splits == 1) {
            out[threadIdx.x] = from_f32<T>(value / total);
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
    if (threadIdx.x == 0) last = atomicAdd(counters, 1u) == splits - 1;
    __syncthreads();
    if (!last) return;
    __threadfence();
    if (threadIdx.x < HEAD) {
        float most, total, value = join(partial, splits, threadIdx.x, most, total);
        out[threadIdx.x] = from_f32<T>(value / total);
    }
    if (threadIdx.x == 0) *counters = 0;
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

#define ATTEND(T, S, HEAD)                                                                                             \
    extern "C" __global__ void __launch_bounds__(128)                                                                  \
        decode_attention_##S##_##HEAD(const T *qkv, const float *low, int low_stride, const float *cos,                \
                                      const float *sin, int parts, const __grid_constant__ Chats chats, int layer,     \
                                      T *out, float *partial, uint32_t *counters) {                                    \
        attend<T, HEAD>(qkv, low, low_stride, cos, sin, parts, chats.of[blockIdx.z], layer, out, partial, counters);      \
    }
#define MAKE(T, S)                                                                                                     \
    extern "C" __global__ void decode_append_##S(const T *qkv, const uint64_t *pages, int layer, int past,             \
                                               int heads) {                                                            \
        append<T>(qkv, pages, layer, past, heads);                                                                     \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        decode_low_##S(const T *x, const __grid_constant__ Chats chats, float *low, int in) {                          \
        read_low<T>(x, chats.of[blockIdx.y], low, in);                                                                 \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        decode_answer_##S(T *y, const float *low, int low_stride, const __grid_constant__ Chats chats, int out,        \
                           int gelu) {                                                                                  \
        add_answer<T>(y, low, low_stride, chats.of[blockIdx.y], out, gelu);                                            \
    }                                                                                                                  \
    ATTEND(T, S, 128)                                                                                               \
    ATTEND(T, S, 64)                                                                                                \
    ATTEND(T, S, 32)
MAKE(f16, f16)
MAKE(bf16, bf16)
