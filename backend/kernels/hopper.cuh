// What Hopper's kernels share: products of warpgroups (`wgmma`), copies of tiles (TMA), and barriers in shared memory.
//
// A tile in shared memory is [columns / 64][rows][64] of a 2-byte type: rows of 128 bytes, whose eight chunks of 16 bytes
// are permuted by the row (chunk ^ row % 8), as TMA and `wgmma` do it with "128-byte swizzle". Tiles are aligned to 1,024
// bytes.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>
#include <type_traits>

namespace hopper {

// A CUtensorMap, made on the host.
struct alignas(64) TensorMap {
    char bytes[128];
};

// ---- barriers ----

__device__ __forceinline__ void barrier_init(uint32_t barrier, int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

__device__ __forceinline__ void barriers_ready() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

__device__ __forceinline__ void arrive(uint32_t barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

// Arrives, and has the phase wait for so many bytes of copies.
__device__ __forceinline__ void arrive_expecting(uint32_t barrier, uint32_t bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

// Waits for the end of the phase of this parity.
__device__ __forceinline__ void wait(uint32_t barrier, uint32_t parity) {
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "AGAIN:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@done bra DONE;\n"
        "bra AGAIN;\n"
        "DONE:\n"
        "}" ::"r"(barrier),
        "r"(parity)
        : "memory");
}

// A barrier of `threads` threads of the block, not all.
__device__ __forceinline__ void sync_some(int id, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

// ---- copies ----

// Starts copying the map's box at (column, row); zeros where the tensor ends.
__device__ __forceinline__ void copy_box(uint32_t to, const TensorMap &map, int column, int row, uint32_t barrier) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::
                     "r"(to), "l"(&map), "r"(column), "r"(row), "r"(barrier)
                 : "memory");
}

// ---- registers ----

template <int COUNT> __device__ __forceinline__ void take_registers() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(COUNT));
}

template <int COUNT> __device__ __forceinline__ void give_registers() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(COUNT));
}

// ---- products ----

// What a product reads of shared memory: the first byte's address, and strides in bytes. For an operand whose rows run
// along the sum (K), `outer` is between groups of eight rows and `inner` is not read; for one whose rows are the sum's
// elements (MN), `inner` is between columns of 64, `outer` between groups of eight rows.
__device__ __forceinline__ uint64_t operand(uint32_t address, uint32_t inner, uint32_t outer) {
    return uint64_t(1) << 62 | uint64_t(outer >> 4) << 32 | uint64_t(inner >> 4) << 16 | (address & 0x3ffff) >> 4;
}

// Registers that were written may be read by products from here on.
__device__ __forceinline__ void products_begin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

__device__ __forceinline__ void products_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

// Waits until no more than PENDING groups of products are under way.
template <int PENDING> __device__ __forceinline__ void products_wait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
}

// The compiler must not move what reads or writes these numbers across this point.
template <int COUNT> __device__ __forceinline__ void hold(float (&numbers)[COUNT]) {
#pragma unroll
    for (int i = 0; i < COUNT; i++) asm volatile("" : "+f"(numbers[i])::"memory");
}

template <int COUNT> __device__ __forceinline__ void hold(uint32_t (&numbers)[COUNT][4]) {
#pragma unroll
    for (int i = 0; i < COUNT; i++)
#pragma unroll
        for (int k = 0; k < 4; k++) asm volatile("" : "+r"(numbers[i][k])::"memory");
}

#define HOPPER_8(d, i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define HOPPER_32(d) HOPPER_8(d, 0), HOPPER_8(d, 8), HOPPER_8(d, 16), HOPPER_8(d, 24)
#define HOPPER_64(d) HOPPER_32(d), HOPPER_8(d, 32), HOPPER_8(d, 40), HOPPER_8(d, 48), HOPPER_8(d, 56)
#define HOPPER_NAMES_32 \
    "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26," \
    "%27,%28,%29,%30,%31}"
#define HOPPER_NAMES_64 \
    "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26," \
    "%27,%28,%29,%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51," \
    "%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}"

// d [64, 2 * COUNT] (+)= a b^T of a warpgroup, both in shared memory, along 16 of the sum; what was in d counts if `add`.
#define HOPPER_SHARED(COUNT, WIDTH, TYPE, ADD, A, B)                                                                   \
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" ADD ", 0;\n"                                                    \
                 "wgmma.mma_async.sync.aligned.m64n" WIDTH "k16.f32." TYPE "." TYPE " " HOPPER_NAMES_##COUNT           \
                 ", %" A ", %" B ", p, 1, 1, 0, 0;\n}"                                                                 \
                 : HOPPER_##COUNT(d)                                                                                   \
                 : "l"(a), "l"(b), "r"(int(add)))

template <typename T> __device__ __forceinline__ void multiply(float (&d)[32], uint64_t a, uint64_t b, bool add) {
    if constexpr (std::is_same_v<T, __half>)
        HOPPER_SHARED(32, "64", "f16", "34", "32", "33");
    else
        HOPPER_SHARED(32, "64", "bf16", "34", "32", "33");
}

template <typename T> __device__ __forceinline__ void multiply(float (&d)[64], uint64_t a, uint64_t b, bool add) {
    if constexpr (std::is_same_v<T, __half>)
        HOPPER_SHARED(64, "128", "f16", "66", "64", "65");
    else
        HOPPER_SHARED(64, "128", "bf16", "66", "64", "65");
}

// The same with a in registers; TURNED is 1 for a b whose rows are the sum's elements.
#define HOPPER_KEPT(COUNT, WIDTH, TYPE, A0, A1, A2, A3, B, ADD, WAY)                                                   \
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" ADD ", 0;\n"                                                    \
                 "wgmma.mma_async.sync.aligned.m64n" WIDTH "k16.f32." TYPE "." TYPE " " HOPPER_NAMES_##COUNT           \
                 ", {%" A0 ", %" A1 ", %" A2 ", %" A3 "}, %" B ", p, 1, 1, %" WAY ";\n}"                                   \
                 : HOPPER_##COUNT(d)                                                                                   \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(int(add)), "n"(TURNED))

template <typename T, int TURNED>
__device__ __forceinline__ void multiply_kept(float (&d)[32], const uint32_t (&a)[4], uint64_t b, bool add) {
    if constexpr (std::is_same_v<T, __half>)
        HOPPER_KEPT(32, "64", "f16", "32", "33", "34", "35", "36", "37", "38");
    else
        HOPPER_KEPT(32, "64", "bf16", "32", "33", "34", "35", "36", "37", "38");
}

template <typename T, int TURNED>
__device__ __forceinline__ void multiply_kept(float (&d)[64], const uint32_t (&a)[4], uint64_t b, bool add) {
    if constexpr (std::is_same_v<T, __half>)
        HOPPER_KEPT(64, "128", "f16", "64", "65", "66", "67", "68", "69", "70");
    else
        HOPPER_KEPT(64, "128", "bf16", "64", "65", "66", "67", "68", "69", "70");
}

}  // namespace hopper
