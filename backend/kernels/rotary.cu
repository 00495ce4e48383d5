// Rotary positions in place on a fused query-key-value tensor [rows, heads, 3, head]: queries and keys are turned,
// values are not. With an adapter, its answer is added first, so that the tensor is read and written once.
//
// A head has `parts` parts (2 with 2-D positions), each of `pairs` pairs; in a part, element i goes with i + pairs.
#include "common.cuh"

constexpr int RANKS = 8;
// Rows that a thread reads at once.
constexpr int BATCH = 4;

// A thread has four neighbouring pairs of one head of one kind, in `rows_a_block` rows.
// Grid: (heads * 3 * parts * pairs / 4 / 128, rows / rows_a_block); 128 threads. `pairs` is a multiple of 4.
// cos, sin: [rows, parts * pairs]. low [rows, ranks] and b [ranks, heads * 3 * head], or 0 ranks for none; at most RANKS.
//
// With WHOLE, there are RANKS ranks, and the rows of `low` are aligned.
template <typename T, bool WHOLE>
__device__ void turn(T *qkv, const float *cos, const float *sin, const float *low, const float *b, int rows, int heads,
                     int parts, int pairs, int ranks, float direction, int rows_a_block) {
    let_next_start();
    wait_for_input();
    int task = blockIdx.x * blockDim.x + threadIdx.x, fours = pairs / 4;
    if (task >= heads * 3 * parts * fours) return;
    int i = task % fours * 4, part = task / fours % parts, kind = task / (fours * parts) % 3;
    int head = 2 * parts * pairs, width = heads * 3 * head;
    int left = task / (fours * parts) * head + part * 2 * pairs + i, right = left + pairs;
    if (kind == 2 && !ranks) return;
    float weights[RANKS][8];
    if (ranks) {
#pragma unroll
        for (int j = 0; j < RANKS; j++) {
            const float *of_b = b + (size_t)j * width;
            float4 zero = {0.f, 0.f, 0.f, 0.f};
            *(float4 *)weights[j] = j < ranks ? *(const float4 *)(of_b + left) : zero;
            *(float4 *)(weights[j] + 4) = j < ranks ? *(const float4 *)(of_b + right) : zero;
        }
    }
    int end = min(rows, (int)(blockIdx.y + 1) * rows_a_block);
    // What is read must be on its way before anything is written: the compiler cannot know that rows are apart.
    for (int first = blockIdx.y * rows_a_block; first < end; first += BATCH) {
        Four<T> of_left[BATCH], of_right[BATCH];
#pragma unroll
        for (int r = 0; r < BATCH; r++) {
            const T *from = qkv + (size_t)min(first + r, end - 1) * width;
            of_left[r] = *(const Four<T> *)(from + left);
            of_right[r] = *(const Four<T> *)(from + right);
        }
#pragma unroll
        for (int r = 0; r < BATCH; r++) {
            int row = first + r;
            if (row >= end) break;
            float x[8];
#pragma unroll
            for (int k = 0; k < 4; k++) {
                x[k] = to_f32(of_left[r].v[k]);
                x[k + 4] = to_f32(of_right[r].v[k]);
            }
            if (ranks) {
                float of_row[RANKS];
                if (WHOLE) {
                    *(float4 *)of_row = __ldg((const float4 *)(low + (size_t)row * ranks));
                    *(float4 *)(of_row + 4) = __ldg((const float4 *)(low + (size_t)row * ranks + 4));
                }
#pragma unroll
                for (int j = 0; j < RANKS; j++)
                    if (!WHOLE) of_row[j] = j < ranks ? low[(size_t)row * ranks + j] : 0.f;
#pragma unroll
                for (int j = 0; j < RANKS; j++)
#pragma unroll
                    for (int k = 0; k < 8; k++) x[k] += of_row[j] * weights[j][k];
            }
            if (kind < 2) {
                size_t angle = (size_t)row * parts * pairs + part * pairs + i;
                float4 cosines = __ldg((const float4 *)(cos + angle)), sines = __ldg((const float4 *)(sin + angle));
                const float *c = (const float *)&cosines, *s = (const float *)&sines;
#pragma unroll
                for (int k = 0; k < 4; k++) {
                    float a = x[k], z = x[k + 4], turned = direction * s[k];
                    x[k] = a * c[k] - z * turned;
                    x[k + 4] = z * c[k] + a * turned;
                }
            }
#pragma unroll
            for (int k = 0; k < 4; k++) {
                of_left[r].v[k] = from_f32<T>(x[k]);
                of_right[r].v[k] = from_f32<T>(x[k + 4]);
            }
            T *to = qkv + (size_t)row * width;
            *(Four<T> *)(to + left) = of_left[r];
            *(Four<T> *)(to + right) = of_right[r];
        }
    }
}

#define MAKE(T, S)                                                                                                     \
    extern "C" __global__ void __launch_bounds__(128, 4)                                                                \
        rotary_turn_##S(T *qkv, const float *cos, const float *sin, const float *low, const float *b, int rows,        \
                        int heads, int parts, int pairs, int ranks, float direction, int rows_a_block) {                \
        if (ranks == RANKS)                                                                                            \
            turn<T, true>(qkv, cos, sin, low, b, rows, heads, parts, pairs, ranks, direction, rows_a_block);           \
        else                                                                                                           \
            turn<T, false>(qkv, cos, sin, low, b, rows, heads, parts, pairs, ranks, direction, rows_a_block);          \
    }
EACH_TYPE(MAKE)
