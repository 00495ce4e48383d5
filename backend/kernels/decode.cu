// The newest token of each of some chats: what is each chat's own, attention over its cache and what its adapter reads. The
// products are in `product.cu`.
#include "common.cuh"

// What a chat has to itself in one block of the model.
struct Chat {
    // [heads, room, head], of which `past` tokens are filled; the newest one joins them.
    void *keys, *values;
    // A [rank, in] and B [out, rank] of its adapter; none has rank 0.
    const float *a, *b;
    int past, room, rank;
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
// the first two, appends key and value to the cache, and reads it.
//
// qkv: [chats, heads, 3, head], head = 32 * E; cos, sin: [chats, head / 2]; low: [chats, low_stride]; out: [chats, heads,
// head]. Grid: (heads, splits, chats). The keys are shared by the splits; the last to finish joins what they found, in a
// fixed order. partial: [chats, heads, splits, head + 2]; counters: [chats, heads], zeros before and after.
template <typename T, int E>
__device__ void attend(const T *qkv, const float *low, int low_stride, const float *cos, const float *sin, int parts,
                       const Chat &chat, T *out, float *partial, uint32_t *counters) {
    constexpr int HEAD = 32 * E;
    int past = chat.past, room = chat.room, rank = chat.rank;
    T *keys = (T *)chat.keys, *values = (T *)chat.values;
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
    // Only the first split has use for key and value.
    int fresh_size = split ? HEAD : 3 * HEAD, turned = split ? HEAD / 2 : HEAD;
    int share = (past + splits - 1) / splits, start = split * share, end = min(past, start + share);
    const T *of_keys = keys + (size_t)head * room * HEAD, *of_values = values + (size_t)head * room * HEAD;
    let_next_start();
    // A chat's cache and adapter come near while the kernel before this one ends; those of several would come twice.
    if (gridDim.z == 1) {
        constexpr int KEYS = 32 / sizeof(T), ADAPTER = 32 / sizeof(float);
        for (int i = start * HEAD + threadIdx.x * KEYS; i < end * HEAD; i += blockDim.x * KEYS) {
            bring_near(of_keys + i);
            bring_near(of_values + i);
        }
        const float *of_head = b + (size_t)head * 3 * HEAD * rank;
        for (int i = threadIdx.x * ADAPTER; i < fresh_size * rank; i += blockDim.x * ADAPTER) bring_near(of_head + i);
    }
    wait_for_input();
    for (int i = threadIdx.x; i < fresh_size; i += blockDim.x) {
        size_t column = (size_t)head * 3 * HEAD + i;
        float x = to_f32(qkv[column]);
#pragma unroll 8
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
        size_t place = ((size_t)head * room + past) * HEAD + at;
        if (kind == 1) keys[place] = value;
        if (kind == 2) values[place] = value;
    }
    __syncthreads();

    float query[E], read[E] = {}, largest = -INFINITY, sum = 0.f;
    float scale = rsqrtf((float)HEAD);
#pragma unroll
    for (int e = 0; e < E; e++) query[e] = fresh[0][lane * E + e] * scale;
    // A lane's part of a key or value.
    struct alignas(E * sizeof(T)) Part {
        T v[E];
    };
    constexpr int TOGETHER = 8;
    // Reads the first `count` of some keys, at least one.
    auto see = [&](const Part (&key)[TOGETHER], const Part (&value)[TOGETHER], int count) {
        float score[TOGETHER], most = largest;
#pragma unroll
        for (int k = 0; k < TOGETHER; k++) {
            score[k] = 0.f;
#pragma unroll
            for (int e = 0; e < E; e++) score[k] += query[e] * to_f32(key[k].v[e]);
        }
#pragma unroll
        for (int k = 0; k < TOGETHER; k++) {
            score[k] = k < count ? warp_sum(score[k]) : -INFINITY;
            most = fmaxf(most, score[k]);
        }
        float shrink = __expf(largest - most);
        sum *= shrink;
#pragma unroll
        for (int e = 0; e < E; e++) read[e] *= shrink;
#pragma unroll
        for (int k = 0; k < TOGETHER; k++) {
            float weight = __expf(score[k] - most);
            sum += weight;
#pragma unroll
            for (int e = 0; e < E; e++) read[e] += weight * to_f32(value[k].v[e]);
        }
        largest = most;
    };
    for (int j = start + warp * TOGETHER; j < end; j += ATTENTION_WARPS * TOGETHER) {
        Part key[TOGETHER], value[TOGETHER];
#pragma unroll
        for (int k = 0; k < TOGETHER; k++) {
            size_t place = (size_t)min(j + k, end - 1) * 32 + lane;
            key[k] = ((const Part *)of_keys)[place];
            value[k] = ((const Part *)of_values)[place];
        }
        see(key, value, end - j);
    }
    if (split == 0 && warp == 0) {
        Part key[TOGETHER], value[TOGETHER];
#pragma unroll
        for (int k = 0; k < TOGETHER; k++)
#pragma unroll
            for (int e = 0; e < E; e++) {
                key[k].v[e] = from_f32<T>(fresh[1][lane * E + e]);
                value[k].v[e] = from_f32<T>(fresh[2][lane * E + e]);
            }
        see(key, value, 1);
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

// Keys and values of turned tokens into the cache. qkv: [seq, heads, 3, head]; keys, values: [heads, room, head].
// Grid: (seq, heads); head threads.
template <typename T> __device__ void append(const T *qkv, T *keys, T *values, int past, int room, int heads) {
    int head = blockDim.x, token = blockIdx.x;
    const T *from = qkv + ((size_t)token * heads + blockIdx.y) * 3 * head + threadIdx.x;
    size_t to = ((size_t)blockIdx.y * room + past + token) * head + threadIdx.x;
    keys[to] = from[head];
    values[to] = from[2 * head];
}

#define ATTEND(T, S, E, HEAD)                                                                                          \
    extern "C" __global__ void __launch_bounds__(128)                                                                  \
        decode_attention_##S##_##HEAD(const T *qkv, const float *low, int low_stride, const float *cos,                \
                                      const float *sin, int parts, const __grid_constant__ Chats chats, T *out,        \
                                      float *partial, uint32_t *counters) {                                            \
        attend<T, E>(qkv, low, low_stride, cos, sin, parts, chats.of[blockIdx.z], out, partial, counters);             \
    }
#define MAKE(T, S)                                                                                                     \
    extern "C" __global__ void decode_append_##S(const T *qkv, T *keys, T *values, int past, int room, int heads) {    \
        append<T>(qkv, keys, values, past, room, heads);                                                               \
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
