// The newest token of each of some chats: what is each chat's own, attention over its cache and what its adapter reads. The
// products are in `product.cu`.
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
    ATTEND(T, S, 4, 128)                                                                                               \
    ATTEND(T, S, 2, 64)                                                                                                \
    ATTEND(T, S, 1, 32)
MAKE(f16, f16)
MAKE(bf16, bf16)
