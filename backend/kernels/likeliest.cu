// The likeliest tokens of each row of scores, in rounds: each block sorts 1024 and hands on the first 64.
//
// A score and its token are one number of 64 bits that sorts as they should: the higher score first, of equal ones the
// lower token.
#include "common.cuh"

constexpr int SORTED = 1024;
constexpr int KEPT = 64;

__device__ __forceinline__ uint64_t key(float score, uint32_t token) {
    uint32_t bits = __float_as_uint(score);
    bits ^= bits >> 31 ? 0xffffffffu : 0x80000000u;
    return (uint64_t)bits << 32 | (uint32_t)~token;
}

__device__ __forceinline__ void sort_and_keep(uint64_t mine, uint64_t *to) {
    __shared__ uint64_t keys[SORTED];
    int at = threadIdx.x;
    keys[at] = mine;
    for (int size = 2; size <= SORTED; size *= 2)
        for (int step = size / 2; step; step /= 2) {
            __syncthreads();
            int other = at ^ step;
            if (other > at) {
                bool descends = !(at & size);
                uint64_t a = keys[at], b = keys[other];
                if (descends ? a < b : a > b) {
                    keys[at] = b;
                    keys[other] = a;
                }
            }
        }
    __syncthreads();
    if (at < KEPT) to[(size_t)blockIdx.x * KEPT + at] = keys[at];
}

// The first round. invalid[row] becomes 1 where a score is not finite. scores: [rows, size]; to: [rows, gridDim.x, KEPT].
// Grid: (size / SORTED, rows); SORTED threads.
extern "C" __global__ void __launch_bounds__(SORTED)
    likeliest_of_scores(const float *scores, uint64_t *to, int size, uint32_t *invalid) {
    int at = blockIdx.x * SORTED + threadIdx.x, row = blockIdx.y;
    float score = at < size ? scores[(size_t)row * size + at] : -INFINITY;
    if (at < size && !isfinite(score)) invalid[row] = 1;
    sort_and_keep(at < size ? key(score, at) : 0, to + (size_t)row * gridDim.x * KEPT);
}

// Another round, of what the one before kept. from: [rows, size]; to: [rows, gridDim.x, KEPT].
// Grid: (size / SORTED, rows); SORTED threads.
extern "C" __global__ void __launch_bounds__(SORTED) likeliest_of_kept(const uint64_t *from, uint64_t *to, int size) {
    int at = blockIdx.x * SORTED + threadIdx.x, row = blockIdx.y;
    sort_and_keep(at < size ? from[(size_t)row * size + at] : 0, to + (size_t)row * gridDim.x * KEPT);
}

// `RepetitionPenaltyLogitsProcessor`, in place, of the scores at `places`, which differ from one another. Grid: count / 256.
extern "C" __global__ void likeliest_penalize(float *scores, const uint32_t *places, const float *penalties, int count) {
    int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    float score = scores[places[at]], penalty = penalties[at];
    scores[places[at]] = score < 0.f ? score * penalty : score / penalty;
}
