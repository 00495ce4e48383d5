//! A weight that is not trained, and the two products that it takes part in.
#![expect(clippy::inline_always, reason = "only inlined code is compiled for each instruction set")]

use candle_core::{Result, Shape, Tensor, bail};

use crate::ops::gemm::{By, Matmul, Matrix, MatrixMut};
use crate::ops::parallel;
use crate::ops::simd::{self, dot, versions};
use crate::ops::tensors::{room, values, with_last};

/// A weight and a bias that are not trained.
pub(in crate::ops) struct Frozen {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Frozen {
    pub(in crate::ops) fn new(weight: &Tensor, bias: Option<&Tensor>) -> Self {
        Self { weight: weight.detach(), bias: bias.map(Tensor::detach) }
    }

    pub(in crate::ops) fn outputs(&self) -> Result<usize> {
        Ok(self.weight.dims2()?.0)
    }

    pub(in crate::ops) fn inputs(&self) -> Result<usize> {
        Ok(self.weight.dims2()?.1)
    }

    /// The values of `x Wᵀ + b` and their shape. `finish` gets each piece of them: see
    /// [`Matmul::run`].
    pub(in crate::ops) fn project(
        &self,
        x: &[f32],
        x_shape: &Shape,
        finish: impl Fn(usize, usize, &mut MatrixMut) + Sync + Send,
    ) -> Result<(Vec<f32>, Shape)> {
        let (outputs, _) = self.weight.dims2()?;
        let weight = values(&self.weight)?;
        let bias = self.bias.as_ref().map(values).transpose()?;
        let y = project(x, &weight, bias.as_deref(), outputs, finish)?;
        Ok((y, with_last(x_shape, outputs)))
    }

    /// The values of `dy W`, the gradient of `x`.
    pub(in crate::ops) fn project_back(
        &self,
        dy: &[f32],
        finish: impl Fn(usize, usize, &mut MatrixMut) + Sync + Send,
    ) -> Result<Vec<f32>> {
        let (outputs, inputs) = self.weight.dims2()?;
        Ok(project_back(dy, &values(&self.weight)?, outputs, inputs, finish))
    }
}

/// `x Wᵀ + b`.
pub(super) fn project(
    x: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    outputs: usize,
    finish: impl Fn(usize, usize, &mut MatrixMut) + Sync + Send,
) -> Result<Vec<f32>> {
    let inputs = weight.len() / outputs.max(1);
    if inputs == 0 || !x.len().is_multiple_of(inputs) {
        bail!("linear: {} values are no rows of {inputs}", x.len());
    }
    let rows = x.len() / inputs;
    let mut y = room(rows * outputs);
    let with_bias = |row: usize, column: usize, piece: &mut MatrixMut| {
        if let Some(bias) = bias {
            let bias = &bias[column..][..piece.columns()];
            for row in 0..piece.rows() {
                simd::add(piece.row_mut(row), bias);
            }
        }
        finish(row, column, piece);
    };
    if rows == 1 {
        let weight = Matrix::new(weight, outputs, inputs);
        parallel::blocks(&mut y, 16, inputs, |start, y| {
            rows_times_vector(weight.rows_of(start, start + y.len()), x, y);
            let columns = y.len();
            with_bias(0, start, &mut MatrixMut::new(y, 1, columns));
        });
        return Ok(y);
    }
    let product = Matmul {
        keep: 0.0,
        scale: 1.0,
        left: Matrix::new(x, rows, inputs),
        right: Matrix::new(weight, outputs, inputs).transposed(),
    };
    product.run(&mut MatrixMut::new(&mut y, rows, outputs), By::Pool, with_bias);
    Ok(y)
}

/// `dy W`.
pub(super) fn project_back(
    dy: &[f32],
    weight: &[f32],
    outputs: usize,
    inputs: usize,
    finish: impl Fn(usize, usize, &mut MatrixMut) + Sync + Send,
) -> Vec<f32> {
    let rows = dy.len() / outputs;
    let mut dx = room(rows * inputs);
    let product = Matmul {
        keep: 0.0,
        scale: 1.0,
        left: Matrix::new(dy, rows, outputs),
        right: Matrix::new(weight, outputs, inputs),
    };
    product.run(&mut MatrixMut::new(&mut dx, rows, inputs), By::Pool, finish);
    dx
}

versions! {
    fn rows_times_vector(rows: Matrix, x: &[f32], y: &mut [f32]) = rows_times_vector_lanes
}

/// One row of `x`, as in decoding: each weight is read once, and nothing else takes time.
#[inline(always)]
fn rows_times_vector_lanes(rows: Matrix, x: &[f32], y: &mut [f32]) {
    for (i, y) in y.iter_mut().enumerate() {
        *y = dot(rows.row(i), x);
    }
}
