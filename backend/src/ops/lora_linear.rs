//! A frozen linear layer with its low-rank adapter: `y = x Wᵀ + b + scale · dropout(x) Aᵀ Bᵀ`.

mod low_rank;
mod of_chats;

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use low_rank::{add_combination, add_dots, combinations, dots};
pub use of_chats::lora_linear_of_chats;

use super::dropout::Dropout;
use super::gemm::{By, Matrix, MatrixMut, matmul};
use super::linear::Frozen;
use super::parallel::ELEMENTWISE;
use super::scratch::Scratch;
use super::tensors::{all_plain, output, room, rows_of, slice, tensor, values};
use super::{composed, parallel, simd};

/// Rows for which B is transposed; for fewer, as in a chat, that costs more than it saves.
const WORTH_TURNING: usize = 8;

/// The adapter beside a frozen weight `[out, in]`.
#[derive(Debug, Clone, Copy)]
pub struct LoraOperand<'a> {
    /// `[rank, in]`
    pub a: &'a Tensor,
    /// `[out, rank]`
    pub b: &'a Tensor,
    /// What the adapter's answer is multiplied by: alpha / rank.
    pub scale: f64,
    /// On what the adapter reads, in training.
    pub dropout: Option<Dropout>,
}

/// Maps `x` `[.., in]` to `[.., out]`; gradients reach `x`, `a` and `b`, never the weight.
pub fn lora_linear(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    lora: &LoraOperand,
) -> Result<Tensor> {
    if !all_plain(&[x, weight, lora.a, lora.b]) || !bias.is_none_or(|bias| all_plain(&[bias])) {
        return composed::lora_linear(x, weight, bias, lora);
    }
    let op = LoraLinear {
        frozen: Frozen::new(weight, bias),
        scale: lora.scale as f32,
        dropout: lora.dropout.filter(|dropout| dropout.p > 0.0),
        low: OnceLock::new(),
    };
    x.apply_op3(lora.a, lora.b, op)
}

struct LoraLinear {
    frozen: Frozen,
    scale: f32,
    dropout: Option<Dropout>,
    /// `scale · dropout(x) Aᵀ` `[rows, rank]`, for the backward.
    low: OnceLock<Vec<f32>>,
}

impl CustomOp3 for LoraLinear {
    fn name(&self) -> &'static str {
        "lora-linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((rows, inputs), (rank, _)) = (rows_of(x_layout.shape()), a_layout.shape().dims2()?);
        let (outputs, _) = b_layout.shape().dims2()?;
        let (x, a, b) = (slice(x, x_layout)?, slice(a, a_layout)?, slice(b, b_layout)?);
        if a_layout.shape().dims() != [rank, inputs] || b_layout.shape().dims() != [outputs, rank] {
            bail!("lora: A {:?} and B {:?}", a_layout.shape(), b_layout.shape());
        }

        let mut low = room(rows * rank);
        parallel::blocks(&mut low, rank, inputs, |start, low| {
            let mut copy = Scratch::take(inputs);
            for (i, low) in low.chunks_exact_mut(rank).enumerate() {
                dots(self.read(x, start / rank + i, inputs, &mut copy), a, low);
                simd::scale(low, self.scale);
            }
        });

        let (y, shape) = if rows < WORTH_TURNING {
            let finish = |row: usize, column: usize, piece: &mut MatrixMut| {
                for (i, low) in low[row * rank..].chunks_exact(rank).take(piece.rows()).enumerate()
                {
                    add_dots(low, &b[column * rank..], piece.row_mut(i));
                }
            };
            self.frozen.project(x, x_layout.shape(), finish)?
        } else {
            let columns_of_b = transposed(b, outputs, rank); // [rank, out]
            let finish = |row: usize, column: usize, piece: &mut MatrixMut| {
                let columns = Matrix::new(&columns_of_b, rank, outputs);
                combinations(&low[row * rank..], columns, column, piece);
            };
            self.frozen.project(x, x_layout.shape(), finish)?
        };
        let _ = self.low.set(low);
        Ok(output(y, shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Some(low) = self.low.get() else {
            bail!("lora-linear: backward before forward");
        };
        let ((rows, inputs), (outputs, rank)) = (rows_of(x.shape()), b.dims2()?);
        let dy = dy.contiguous()?;
        let (x_values, a_values, dy) = (values(x)?, values(a)?, values(&dy)?);
        let (x_values, a_values, dy) = (&*x_values, &*a_values, &*dy);

        // dB = dyᵀ · low, by way of its transpose: then dy is the matrix of long rows.
        let mut d_columns = room(rank * outputs); // [rank, out]
        let all_low = Matrix::new(low, rows, rank).transposed();
        let all_dy = Matrix::new(dy, rows, outputs);
        matmul(&mut MatrixMut::new(&mut d_columns, rank, outputs), all_low, all_dy, By::Pool);
        let d_b = transposed(&d_columns, rank, outputs);

        let columns_of_b = transposed(&values(b)?, outputs, rank); // [rank, out]
        let mut d_low = room(rows * rank);
        parallel::blocks(&mut d_low, rank, outputs, |start, d_low| {
            for (i, d_low) in d_low.chunks_exact_mut(rank).enumerate() {
                dots(&dy[(start / rank + i) * outputs..][..outputs], &columns_of_b, d_low);
                simd::scale(d_low, self.scale);
            }
        });

        let mut d_a = room(rank * inputs);
        self.read_all(x_values, inputs, |read| {
            let d_low = Matrix::new(&d_low, rows, rank).transposed();
            let read = Matrix::new(read, rows, inputs);
            matmul(&mut MatrixMut::new(&mut d_a, rank, inputs), d_low, read, By::Pool);
        });
        let (d_a, d_b) = (tensor(d_a, a.shape())?, tensor(d_b, b.shape())?);
        if !x.track_op() {
            return Ok((None, Some(d_a), Some(d_b)));
        }

        let rows_of_a = Matrix::new(a_values, rank, inputs);
        let finish = |row: usize, column: usize, piece: &mut MatrixMut| {
            self.add_through_adapter(&d_low[row * rank..], rows_of_a, (row, column), piece);
        };
        let dx = self.frozen.project_back(dy, finish)?;
        Ok((Some(tensor(dx, x.shape())?), Some(d_a), Some(d_b)))
    }
}

impl LoraLinear {
    /// What the adapter reads of a row of `x`; a copy, if it is dropped out, goes to `copy`.
    fn read<'a>(&self, x: &'a [f32], row: usize, inputs: usize, copy: &'a mut [f32]) -> &'a [f32] {
        let x = &x[row * inputs..][..inputs];
        let Some(dropout) = self.dropout else {
            return x;
        };
        dropout.apply(row * inputs, x, copy);
        copy
    }

    /// Calls `with` what the adapter reads of all rows.
    fn read_all(&self, x: &[f32], inputs: usize, with: impl FnOnce(&[f32])) {
        let Some(dropout) = self.dropout else {
            return with(x);
        };
        let mut copy = Scratch::take(x.len());
        parallel::blocks(&mut copy, inputs, ELEMENTWISE, |start, copy| {
            dropout.apply(start, &x[start..start + copy.len()], copy);
        });
        with(&copy);
    }

    /// `piece += dropout(d_low A)`, a piece of dx that begins at `(row, column)`.
    fn add_through_adapter(
        &self,
        d_low: &[f32],
        a: Matrix,
        (row, column): (usize, usize),
        piece: &mut MatrixMut,
    ) {
        let Some(dropout) = self.dropout else {
            return combinations(d_low, a, column, piece);
        };
        let mut d_read = Scratch::take(piece.columns());
        for (i, d_low) in d_low.chunks_exact(a.rows()).take(piece.rows()).enumerate() {
            d_read.fill(0.0);
            add_combination(d_low, a, column, &mut d_read);
            dropout.add((row + i) * a.columns() + column, &d_read, piece.row_mut(i));
        }
    }
}

/// A small matrix `[rows, columns]`, transposed.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut turned = Vec::with_capacity(values.len());
    for column in 0..columns {
        turned.extend((0..rows).map(|row| values[row * columns + column]));
    }
    turned
}
