// Cross-entropy of some rows of logits, and what its backward needs; gather and scatter of rows.
#include "common.cuh"

// losses[row] = logsumexp(logits[row]) - logits[row, target]; d_logits = softmax - onehot, unscaled, so that f16 keeps
// what is small. Grid: rows; 1024 threads.
//
// A thread has N neighbours at a time, in one access.
template <typename T, int N>
__device__ __forceinline__ void cross_entropy(const float *logits, uint32_t target, float *loss, T *d_logits, int vocab) {
    struct alignas(N * sizeof(float)) Read {
        float v[N];
    };
    struct alignas(N * sizeof(T)) Write {
        T v[N];
    };
    __shared__ float scratch[32];
    float largest = -INFINITY, sum = 0.f;
#pragma unroll 4
    for (int i = threadIdx.x * N; i < vocab; i += blockDim.x * N) {
        Read x = *(const Read *)(logits + i);
        float most = x.v[0];
#pragma unroll
        for (int k = 1; k < N; k++) most = fmaxf(most, x.v[k]);
        if (most > largest) {
            sum *= __expf(largest - most);
            largest = most;
        }
#pragma unroll
        for (int k = 0; k < N; k++) sum += __expf(x.v[k] - largest);
    }
    float most = block_max(largest, scratch);
    sum = block_sum(largest == -INFINITY ? 0.f : sum * __expf(largest - most), scratch);
    float share = 1.f / sum;
    // Read before it is written: the compiler cannot know that the two are apart.
    constexpr int BATCH = 4;
    int stride = blockDim.x * N;
    for (int first = threadIdx.x * N; first < vocab; first += stride * BATCH) {
        Read x[BATCH];
#pragma unroll
        for (int r = 0; r < BATCH; r++)
            if (first + r * stride < vocab) x[r] = *(const Read *)(logits + first + r * stride);
#pragma unroll
        for (int r = 0; r < BATCH; r++) {
            int i = first + r * stride;
            if (i >= vocab) break;
            Write d;
#pragma unroll
            for (int k = 0; k < N; k++)
                d.v[k] = from_f32<T>(__expf(x[r].v[k] - most) * share - (i + k == target ? 1.f : 0.f));
            *(Write *)(d_logits + i) = d;
        }
    }
    if (threadIdx.x == 0) *loss = most + logf(sum) - logits[target];
}

// loss = mean of losses, summed in a fixed order. One block of 256 threads.
extern "C" __global__ void loss_mean(const float *losses, float *loss, int rows) {
    __shared__ float scratch[32];
    float sum = 0.f;
    for (int i = threadIdx.x; i < rows; i += blockDim.x) sum += losses[i];
    sum = block_sum(sum, scratch);
    if (threadIdx.x == 0) *loss = sum / rows;
}

// y = x * *factor / rows. Grid: any.
template <typename T> __device__ void scale(const T *x, const float *factor, T *y, int rows, size_t size) {
    float by = *factor / rows;
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < size; i += (size_t)gridDim.x * blockDim.x)
        y[i] = from_f32<T>(to_f32(x[i]) * by);
}

// to[i] = from[ids[i]]. Grid: ids.
template <typename T> __device__ void gather(const T *from, const uint32_t *ids, T *to, int columns) {
    from += (size_t)ids[blockIdx.x] * columns;
    to += (size_t)blockIdx.x * columns;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) to[i] = from[i];
}

// to[ids[i]] = from[i]; ids differ from one another. Grid: ids.
template <typename T> __device__ void scatter(const T *from, const uint32_t *ids, T *to, int columns) {
    from += (size_t)blockIdx.x * columns;
    to += (size_t)ids[blockIdx.x] * columns;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) to[i] = from[i];
}

#define MAKE(T, S)                                                                                                     \
    extern "C" __global__ void __launch_bounds__(1024)                                                                 \
        cross_entropy_##S(const float *logits, const uint32_t *targets, float *losses, T *d_logits, int vocab) {       \
        size_t row = blockIdx.x;                                                                                       \
        if (vocab % 4 == 0)                                                                                            \
            cross_entropy<T, 4>(logits + row * vocab, targets[row], losses + row, d_logits + row * vocab, vocab);      \
        else                                                                                                           \
            cross_entropy<T, 1>(logits + row * vocab, targets[row], losses + row, d_logits + row * vocab, vocab);      \
    }                                                                                                                  \
    extern "C" __global__ void loss_scale_##S(const T *x, const float *factor, T *y, int rows, size_t size) {          \
        scale<T>(x, factor, y, rows, size);                                                                            \
    }                                                                                                                  \
    extern "C" __global__ void rows_gather_##S(const T *from, const uint32_t *ids, T *to, int columns) {               \
        gather<T>(from, ids, to, columns);                                                                             \
    }                                                                                                                  \
    extern "C" __global__ void rows_scatter_##S(const T *from, const uint32_t *ids, T *to, int columns) {              \
        scatter<T>(from, ids, to, columns);                                                                            \
    }
EACH_TYPE(MAKE)
