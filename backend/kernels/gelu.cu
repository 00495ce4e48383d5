// GELU (its tanh form), where an adapter's answer comes between a product and it, and the gradient through it, in place.
//
// cuBLASLt has the gradient as an epilogue, but only with older and slower products.
#include "common.cuh"

// y[i] = gelu(x[i]), eight at a time; y may be x. Grid: any; `packs` of eight.
template <typename T> __device__ void forward(T *y, const T *x, size_t packs) {
    let_next_start();
    wait_for_input();
    for (size_t p = blockIdx.x * (size_t)blockDim.x + threadIdx.x; p < packs; p += (size_t)gridDim.x * blockDim.x) {
        Pack<T> pack = ((const Pack<T> *)x)[p];
#pragma unroll
        for (int k = 0; k < Pack<T>::N; k++) pack.v[k] = from_f32<T>(gelu(to_f32(pack.v[k])));
        ((Pack<T> *)y)[p] = pack;
    }
}

// d[i] *= gelu'(x[i]), eight at a time. Grid: any; `packs` of eight.
template <typename T> __device__ void slope(T *d, const T *x, size_t packs) {
    let_next_start();
    wait_for_input();
    for (size_t p = blockIdx.x * (size_t)blockDim.x + threadIdx.x; p < packs; p += (size_t)gridDim.x * blockDim.x) {
        Pack<T> of_d = ((Pack<T> *)d)[p], of_x = ((const Pack<T> *)x)[p];
#pragma unroll
        for (int k = 0; k < Pack<T>::N; k++) {
            float x = to_f32(of_x.v[k]), s = gelu_gate(x);
            float slope = s + x * s * (1.f - s) * 1.5957691216057308f * (1.f + 0.134145f * (x * x));
            of_d.v[k] = from_f32<T>(to_f32(of_d.v[k]) * slope);
        }
        ((Pack<T> *)d)[p] = of_d;
    }
}

#define MAKE(T, S)                                                                                                     \
    extern "C" __global__ void __launch_bounds__(256) gelu_forward_##S(T *y, const T *x, size_t packs) {               \
        forward<T>(y, x, packs);                                                                                       \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256) gelu_slope_##S(T *d, const T *x, size_t packs) {                 \
        slope<T>(d, x, packs);                                                                                         \
    }
MAKE(f16, f16)
MAKE(bf16, bf16)
