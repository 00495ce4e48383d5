// Rotary positions in place on a fused query-key-value tensor [rows, heads, 3, head]: queries and keys are turned,
// values are not. With an adapter, its answer is added first, so that the tensor is read and written once.
//
// A head has `parts` parts (2 with 2-D positions), each of `pairs` pairs; in a part, element i goes with i + pairs.
#include "common.cuh"

constexpr int RANKS = 8;
constexpr int ROWS_A_BLOCK = 16;

// A thread has two neighbouring pairs of one head of one kind, in ROWS_A_BLOCK rows.
// Grid: (heads * 3 * parts * pairs / 2 / 256, rows / ROWS_A_BLOCK).
// cos, sin: [rows, parts * pairs]. low [rows, rank] and b [heads * 3 * head, rank], or rank 0 for none.
template <typename T>
__device__ void turn(T *qkv, const float *cos, const float *sin, const float *low, const float *b, int rows, int heads,
                     int parts, int pairs, int rank, float direction) {
    int task = blockIdx.x * blockDim.x + threadIdx.x, half = pairs / 2;
    if (task >= heads * 3 * parts * half) return;
    int i = task % half * 2, part = task / half % parts, kind = task / (half * parts) % 3;
    int head = 2 * parts * pairs, width = heads * 3 * head;
    int left = task / (half * parts) * head + part * 2 * pairs + i, right = left + pairs;
    int columns[4] = {left, left + 1, right, right + 1};
    float weights[4][RANKS];
    // One launch adds the first RANKS ranks; `lora_up` adds what a larger adapter has beyond.
    int ranks = min(RANKS, rank);
#pragma unroll
    for (int j = 0; j < RANKS; j++)
#pragma unroll
        for (int k = 0; k < 4; k++) weights[k][j] = j < ranks ? b[(size_t)columns[k] * rank + j] : 0.f;
    int end = min(rows, (int)(blockIdx.y + 1) * ROWS_A_BLOCK);
    for (int row = blockIdx.y * ROWS_A_BLOCK; row < end; row++) {
        T *to = qkv + (size_t)row * width;
        float x[4];
#pragma unroll
        for (int k = 0; k < 4; k++) x[k] = to_f32(to[columns[k]]);
        if (ranks) {
#pragma unroll
            for (int j = 0; j < RANKS; j++) {
                float l = j < ranks ? low[(size_t)row * rank + j] : 0.f;
#pragma unroll
                for (int k = 0; k < 4; k++) x[k] += l * weights[k][j];
            }
        }
        if (kind < 2) {
            size_t angle = (size_t)row * parts * pairs + part * pairs + i;
#pragma unroll
            for (int k = 0; k < 2; k++) {
                float c = cos[angle + k], s = direction * sin[angle + k], a = x[k], z = x[k + 2];
                x[k] = a * c - z * s;
                x[k + 2] = z * c + a * s;
            }
        } else if (!ranks) {
            continue;
        }
#pragma unroll
        for (int k = 0; k < 4; k++) to[columns[k]] = from_f32<T>(x[k]);
    }
}

#define MAKE(T, S)                                                                                                     \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        rotary_turn_##S(T *qkv, const float *cos, const float *sin, const float *low, const float *b, int rows,        \
                        int heads, int parts, int pairs, int rank, float direction) {                                  \
        turn<T>(qkv, cos, sin, low, b, rows, heads, parts, pairs, rank, direction);                                    \
    }
EACH_TYPE(MAKE)
