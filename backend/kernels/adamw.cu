// AdamW over all parameters in one launch, and the norm of their gradients. f32.
#include "common.cuh"

// One parameter: where its numbers are, and how many.
struct Parameter {
    float *weight;
    const float *grad;
    float *first_moment, *second_moment;
    unsigned long long size;
    // 1 - learning rate * weight decay
    float decay;
    float unused;
};

// squares[parameter * blocks + block] = a part of the sum of squares. Grid: (blocks, parameters); 256 threads.
extern "C" __global__ void adamw_squares(const Parameter *parameters, float *squares) {
    __shared__ float scratch[32];
    Parameter p = parameters[blockIdx.y];
    float sum = 0.f;
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < p.size; i += (size_t)gridDim.x * blockDim.x)
        sum += p.grad[i] * p.grad[i];
    sum = block_sum(sum, scratch);
    if (threadIdx.x == 0) squares[blockIdx.y * gridDim.x + blockIdx.x] = sum;
}

// *norm = sqrt(sum of squares). One block of 256 threads.
extern "C" __global__ void adamw_norm(const float *squares, float *norm, int size) {
    __shared__ float scratch[32];
    float sum = 0.f;
    for (int i = threadIdx.x; i < size; i += blockDim.x) sum += squares[i];
    sum = block_sum(sum, scratch);
    if (threadIdx.x == 0) *norm = sqrtf(sum);
}

// `torch.optim.AdamW`. Grid: (blocks, parameters); 256 threads.
extern "C" __global__ void adamw_update(const Parameter *parameters, float grad_scale, float beta1, float rest1,
                                        float beta2, float rest2, float step_size, float root_correction, float eps) {
    Parameter p = parameters[blockIdx.y];
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < p.size; i += (size_t)gridDim.x * blockDim.x) {
        float grad = p.grad[i] * grad_scale;
        float first = beta1 * p.first_moment[i] + rest1 * grad;
        float second = beta2 * p.second_moment[i] + rest2 * grad * grad;
        p.first_moment[i] = first;
        p.second_moment[i] = second;
        p.weight[i] = p.weight[i] * p.decay - step_size * (first / (sqrtf(second) * root_correction + eps));
    }
}
