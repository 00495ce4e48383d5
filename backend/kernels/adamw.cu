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

// `OptimizerState` of `ops`.
struct State {
    double loss_scale;
    // since the loss scale changed
    double steps;
    double fixed, updates, grad_norm;
};

// What `adamw_update` multiplies with; with `wanted` 0 it does nothing.
struct Update {
    float grad_scale, step_size, root_correction, wanted;
};

// The rules of `Progress::after` and `LossScale::after` of `ops`, for gradients whose squares were summed in parts. One block
// of 256 threads.
extern "C" __global__ void adamw_begin(const float *squares, int size, State *state, Update *update, double max_grad_norm,
                                       double learning_rate, double beta1, double beta2) {
    __shared__ float scratch[32];
    float sum = 0.f;
    for (int i = threadIdx.x; i < size; i += blockDim.x) sum += squares[i];
    sum = block_sum(sum, scratch);
    if (threadIdx.x != 0) return;
    State s = *state;
    double scale = s.loss_scale, norm = sqrtf(sum);
    bool finite = isfinite(norm);
    s.grad_norm = norm / scale;
    if (finite) s.updates += 1;
    if (s.fixed == 0) {
        s.steps = finite ? s.steps + 1 : 0;
        if (!finite) s.loss_scale *= 0.5;
        else if (s.steps >= 2000) s.loss_scale *= 2, s.steps = 0;
    }
    double clip = max_grad_norm > 0 ? fmin(max_grad_norm / (s.grad_norm + 1e-6), 1.0) : 1.0;
    *state = s;
    *update = {(float)(clip / scale), (float)(learning_rate / (1 - pow(beta1, s.updates))),
               (float)(1 / sqrt(1 - pow(beta2, s.updates))), finite ? 1.f : 0.f};
}

// `torch.optim.AdamW`. Grid: (blocks, parameters); 256 threads.
extern "C" __global__ void adamw_update(const Parameter *parameters, const Update *update, float beta1, float rest1,
                                        float beta2, float rest2, float eps) {
    Update u = *update;
    if (u.wanted == 0.f) return;
    Parameter p = parameters[blockIdx.y];
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < p.size; i += (size_t)gridDim.x * blockDim.x) {
        float grad = p.grad[i] * u.grad_scale;
        float first = beta1 * p.first_moment[i] + rest1 * grad;
        float second = beta2 * p.second_moment[i] + rest2 * grad * grad;
        p.first_moment[i] = first;
        p.second_moment[i] = second;
        p.weight[i] = p.weight[i] * p.decay - u.step_size * (first / (sqrtf(second) * u.root_correction + eps));
    }
}
