// The next token of each row of scores, drawn after temperature, top-k and top-p as `generation/sampler.rs` does, by a block a
// row.
//
// Nothing is sorted. Where a token stands in the order of likelihood is a number, its key: how far its score is below the
// highest, in 2^-24 of a temperature, and the token, so that of equal ones the lower goes first. Its weight, a constant times
// its probability, is an integer, and sums of weights are the same in whatever order they are made. To find the token at
// which the tokens before it, by their count or their weights, reach a target, the keys are tallied by their first eleven
// bits, then those in the right bin by their next eleven, and so on until the bin holds one.
#include "common.cuh"

constexpr int THREADS = 1024;
constexpr int BITS = 11, BINS = 1 << BITS;
constexpr int TOKEN_BITS = 20, KEY_BITS = 49;
// Tokens this much below the highest, in temperatures, have less than 2^-40 of its probability: none.
constexpr float FAR = 28.f;
constexpr float UNITS = 1 << 24, WEIGHT_OF_HIGHEST = (float)(1ll << 40);
// So many of the likeliest are looked at without reading the row again.
constexpr int KEPT = 1024;

// How a row's token is drawn. A top_k of 1 is greedy, 0 keeps all; `point` is 2^32 times where in the sum of what is kept it
// lies; `replacement` is the token of a row with a score that is not finite.
struct Row {
    float temperature, top_p;
    uint32_t top_k, point, replacement;
};
constexpr int ROWS = 64;
struct Rows {
    Row of[ROWS];
};

typedef unsigned long long Sum;

__device__ __forceinline__ Sum weight_of(uint64_t key) {
    constexpr float LOG2_E = 1.44269504f;
    return __float2ull_rn(exp2f((float)(uint32_t)(key >> TOKEN_BITS) * (-LOG2_E / UNITS)) * WEIGHT_OF_HIGHEST);
}

// Of the bins up to each, that included: what they hold; and a token of each bin.
struct Tally {
    Sum weights[BINS];
    uint32_t counts[BINS], tokens[BINS];
    Sum of_warps[32];
    uint32_t of_warps_counts[32];
    int crossed;
};

// x and the x of all threads before, `of_warps` for 32 warps.
template <typename T> __device__ __forceinline__ T sum_up_to_here(T x, T *of_warps) {
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
    auto within_warp = [&](T x) {
#pragma unroll
        for (int step = 1; step < 32; step *= 2) {
            T before = __shfl_up_sync(~0u, x, step);
            if (lane >= step) x += before;
        }
        return x;
    };
    x = within_warp(x);
    if (lane == 31) of_warps[warp] = x;
    __syncthreads();
    if (warp == 0) of_warps[lane] = within_warp(of_warps[lane]);
    __syncthreads();
    return warp ? x + of_warps[warp - 1] : x;
}

// Tallies those of `each` key whose bits from `shift + bits` on are `prefix`, by the `bits` from `shift` on; without WEIGHTS
// by their count alone, which is faster.
template <bool WEIGHTS, typename Each>
__device__ void count(const Each &each, uint64_t prefix, int shift, int bits, Tally &tally) {
    __syncthreads();
    for (int bin = threadIdx.x; bin < BINS; bin += THREADS) {
        tally.weights[bin] = 0;
        tally.counts[bin] = 0;
    }
    __syncthreads();
    each([&](uint64_t key) {
        if (key >> (shift + bits) != prefix) return;
        int bin = key >> shift & ((1 << bits) - 1);
        if (WEIGHTS) atomicAdd(&tally.weights[bin], weight_of(key));
        atomicAdd(&tally.counts[bin], 1u);
        tally.tokens[bin] = key & ((1 << TOKEN_BITS) - 1);
    });
    __syncthreads();
    static_assert(BINS == 2 * THREADS, "two bins a thread");
    int bin = 2 * threadIdx.x;
    Sum first = tally.weights[bin], both = sum_up_to_here(first + tally.weights[bin + 1], tally.of_warps);
    uint32_t first_count = tally.counts[bin];
    uint32_t both_count = sum_up_to_here(first_count + tally.counts[bin + 1], tally.of_warps_counts);
    first = both - tally.weights[bin + 1];
    first_count = both_count - tally.counts[bin + 1];
    tally.weights[bin] = first;
    tally.weights[bin + 1] = both;
    tally.counts[bin] = first_count;
    tally.counts[bin + 1] = both_count;
    __syncthreads();
}

// The first bin up to which there is more than `target`; there is one.
template <typename T> __device__ int crossing(const T *up_to, uint64_t target, Tally &tally) {
    for (int bin = threadIdx.x; bin < BINS; bin += THREADS)
        if (up_to[bin] > target && (bin == 0 || up_to[bin - 1] <= target)) tally.crossed = bin;
    __syncthreads();
    int bin = tally.crossed;
    __syncthreads();
    return bin;
}

// A token, and the weights of all up to it, that included.
struct Found {
    uint32_t token;
    Sum weights;
};

// The first token up to which there is more than `target`, by their count or their weights.
template <bool BY_COUNT, typename Each> __device__ Found find(const Each &each, uint64_t target, Tally &tally) {
    uint64_t prefix = 0;
    Sum before = 0;
    for (int shift = KEY_BITS;;) {
        int bits = min(BITS, shift);
        shift -= bits;
        count<true>(each, prefix, shift, bits, tally);
        int bin = BY_COUNT ? crossing(tally.counts, target, tally) : crossing(tally.weights, target, tally);
        uint32_t count_before = bin ? tally.counts[bin - 1] : 0;
        // Keys differ: at the last bits a bin holds one.
        if (tally.counts[bin] - count_before == 1 || shift == 0)
            return {tally.tokens[bin], before + tally.weights[bin]};
        Sum weights_before = bin ? tally.weights[bin - 1] : 0;
        target -= BY_COUNT ? count_before : weights_before;
        before += weights_before;
        prefix = prefix << bits | bin;
    }
}

// For the rows from `first` on. scores: [rows, vocab], vocab at most 2^20; tokens: [rows]. Grid: rows; THREADS threads.
extern "C" __global__ void __launch_bounds__(THREADS, 1)
    sampling_draw(const float *scores, uint32_t *tokens, int vocab, int first, const __grid_constant__ Rows rows) {
    __shared__ Tally tally;
    __shared__ uint64_t kept[KEPT];
    __shared__ uint32_t filled;
    const Row &row = rows.of[blockIdx.x];
    let_next_start();
    wait_for_input();
    scores += (size_t)(first + blockIdx.x) * vocab;
    tokens += first + blockIdx.x;

    // The highest score, and of equal ones the lower token: a number of 64 bits that sorts so.
    uint64_t best = 0;
    bool finite = true;
#pragma unroll 8
    for (int token = threadIdx.x; token < vocab; token += THREADS) {
        float score = __ldg(scores + token);
        uint32_t bits = __float_as_uint(score);
        bits ^= bits >> 31 ? 0xffffffffu : 0x80000000u;
        finite &= (bool)isfinite(score);
        best = max(best, (uint64_t)bits << 32 | (uint32_t)~token);
    }
#pragma unroll
    for (int lane = 16; lane; lane /= 2) best = max(best, (uint64_t)__shfl_xor_sync(~0u, best, lane));
    if (threadIdx.x % 32 == 0) kept[threadIdx.x / 32] = best;
    if (!__syncthreads_and(finite)) {
        if (threadIdx.x == 0) *tokens = row.replacement;
        return;
    }
    best = kept[threadIdx.x % 32];
#pragma unroll
    for (int lane = 16; lane; lane /= 2) best = max(best, (uint64_t)__shfl_xor_sync(~0u, best, lane));
    if (row.top_k == 1) {
        if (threadIdx.x == 0) *tokens = ~(uint32_t)best;
        return;
    }
    float highest = __ldg(scores + ~(uint32_t)best), sharp = 1.f / row.temperature;

    auto of_row = [&](auto see) {
#pragma unroll 8
        for (int token = threadIdx.x; token < vocab; token += THREADS) {
            float score = __ldg(scores + token);
            // A temperature so low that `sharp` is infinite keeps the highest.
            float below = score < highest ? (highest - score) * sharp : 0.f;
            if (below < FAR) see((uint64_t)(uint32_t)(below * UNITS) << TOKEN_BITS | (uint32_t)token);
        }
    };
    auto of_kept = [&](auto see) {
        for (int at = threadIdx.x; at < filled; at += THREADS) see(kept[at]);
    };
    auto share = [&](Sum sum) {
        Sum enough = (Sum)ceil((double)row.top_p * (double)sum);
        return min(max(enough, (Sum)1), sum) - 1;
    };
    // The sum of the weights of what is kept, which is in the bins up to `last`.
    Sum sum;
    uint32_t most;
    int last;
    if (row.top_k) {
        count<false>(of_row, 0, KEY_BITS - BITS, BITS, tally);
        most = min(row.top_k, tally.counts[BINS - 1]);
        last = crossing(tally.counts, most - 1, tally);
    } else {
        count<true>(of_row, 0, KEY_BITS - BITS, BITS, tally);
        sum = tally.weights[BINS - 1];
        last = crossing(tally.weights, share(sum), tally);
    }
    bool fits = tally.counts[last] <= KEPT;
    if (threadIdx.x == 0) filled = 0;
    __syncthreads();
    if (fits)
        of_row([&](uint64_t key) {
            if (key >> (KEY_BITS - BITS) <= last) kept[atomicAdd(&filled, 1u)] = key;
        });
    auto found_by_count = [&](uint64_t target) {
        return fits ? find<true>(of_kept, target, tally) : find<true>(of_row, target, tally);
    };
    auto found_by_weight = [&](uint64_t target) {
        return fits ? find<false>(of_kept, target, tally) : find<false>(of_row, target, tally);
    };
    if (row.top_k) sum = found_by_count(most - 1).weights;
    if (row.top_p < 1.f) sum = found_by_weight(share(sum)).weights;
    Found drawn = found_by_weight(__umul64hi(sum, (uint64_t)row.point << 32));
    if (threadIdx.x == 0) *tokens = drawn.token;
}

// `RepetitionPenaltyLogitsProcessor`, in place, of the scores at `places`, which differ from one another. Grid: count / 256.
extern "C" __global__ void sampling_penalize(float *scores, const uint32_t *places, const float *penalties, int count) {
    int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    float score = scores[places[at]], penalty = penalties[at];
    scores[places[at]] = score < 0.f ? score * penalty : score / penalty;
}
