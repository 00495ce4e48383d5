//! GELU in the tanh form of the reference: `0.5 x (1 + tanh(√(2/π) x (1 + 0.044715 x²)))`.
#![expect(clippy::inline_always, reason = "only inlined code is compiled for each instruction set")]

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::simd::{exp, versions};
use super::tensors::{all_plain, output, room, slice};
use super::{composed, parallel};

/// The factor in front of the argument of tanh, as the reference writes it: √(2/π).
pub(super) const INNER: f64 = 0.797_884_560_802_865_4;
pub(super) const CUBIC: f64 = 0.044_715;

/// GELU of every element of `x`.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    if !all_plain(&[x]) {
        return composed::gelu(x);
    }
    x.apply_op1(Gelu)
}

struct Gelu;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(storage, layout)?;
        let mut y = room(x.len());
        parallel::blocks(&mut y, 1, parallel::ELEMENTWISE, |start, y| {
            forward(&x[start..start + y.len()], y);
        });
        Ok(output(y, layout.shape()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        x.apply_op2_no_bwd(&dy.contiguous()?, &GeluBackward).map(Some)
    }
}

struct GeluBackward;

impl CustomOp2 for GeluBackward {
    fn name(&self) -> &'static str {
        "gelu-backward"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        dy: &CpuStorage,
        dy_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, dy) = (slice(x, x_layout)?, slice(dy, dy_layout)?);
        let mut dx = room(x.len());
        parallel::blocks(&mut dx, 1, parallel::ELEMENTWISE, |start, dx| {
            let range = start..start + dx.len();
            backward(&x[range.clone()], &dy[range], dx);
        });
        Ok(output(dx, x_layout.shape()))
    }
}

versions! {
    /// `y = gelu(x)`.
    pub(super) fn forward(x: &[f32], y: &mut [f32]) = forward_lanes
}

#[inline(always)]
fn forward_lanes(x: &[f32], y: &mut [f32]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = x * gate(x);
    }
}

versions! {
    /// `x = gelu(x)`.
    pub(super) fn in_place(x: &mut [f32]) = in_place_lanes
}

#[inline(always)]
fn in_place_lanes(x: &mut [f32]) {
    for x in x.iter_mut() {
        *x *= gate(*x);
    }
}

versions! {
    /// `dx = dy * gelu'(x)`.
    pub(super) fn backward(x: &[f32], dy: &[f32], dx: &mut [f32]) = backward_lanes
}

#[inline(always)]
fn backward_lanes(x: &[f32], dy: &[f32], dx: &mut [f32]) {
    for ((dx, &x), dy) in dx.iter_mut().zip(x).zip(dy) {
        let gate = gate(x);
        let slope = (2.0 * INNER as f32) * (x * x).mul_add(3.0 * CUBIC as f32, 1.0);
        *dx = dy * (x * gate * slope).mul_add(1.0 - gate, gate);
    }
}

/// `0.5 (1 + tanh(u))`, which is the sigmoid of `2u`.
#[inline(always)]
fn gate(x: f32) -> f32 {
    let twice_inner = (2.0 * INNER as f32) * x * (x * x).mul_add(CUBIC as f32, 1.0);
    1.0 / (1.0 + exp(-twice_inner))
}
