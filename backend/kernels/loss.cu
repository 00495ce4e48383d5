// Cross-entropy of some rows of logits, and what its backward needs; gather and scatter of rows.
#include "common.cuh"

// losses[row] = logsumexp(logits[row]) - logits[row, target]; d_logits = softmax - onehot, unscaled, so that f16 keeps
// what is small. Grid: rows; 1024 threads.
template <typename T>
__device__ void cross_entropy(const float *logits, const uint32_t *targets, float *losses, T *d_logits, int vocab) {
    __shared__ float scratch[32];
    logits += (size_t)blockIdx.x * vocab;
    d_logits += (size_t)blockIdx.x * vocab;
    float largest = -INFINITY, sum = 0.f;
    for (int i = threadIdx.x; i < vocab; i += blockDim.x) {
        float x = logits[i];
        if (x > largest) {
            sum *= __expf(largest - x);
            largest = x;
        }
        sum += __expf(x - largest);
    }
    float most = block_max(largest, scratch);
    sum = block_sum(largest == -INFINITY ? 0.f : sum * __expf(largest - most), scratch);
    uint32_t target = targets[blockIdx.x];
    float share = 1.f / sum;
    for (int i = threadIdx.x; i < vocab; i += blockDim.x)
        d_logits[i] = from_f32<T>(__expf(logits[i] - most) * share - (i == target ? 1.f : 0.f));
    if (threadIdx.x == 0) losses[blockIdx.x] = most + logf(sum) - logits[target];
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
        cross_entropy<T>(logits, targets, losses, d_logits, vocab);                                                    \
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
