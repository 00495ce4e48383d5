//! Full training: gradients of weights, put aside in f32, see `kernels/learned.cu` and [`crate::ops::WeightGradients`].

use candle_core::{DType, Result, Tensor, bail};

use super::gemm::{Gemm, Way};
use super::launch::{Arg, Fresh, Module, OnDevice as _, Threads, device_of, launch, suffix};
use super::node::{Backward, Gradients, record};
use super::{cross_entropy, layer_norm, rows};
use crate::ops::learned::{Learned, WeightGradients};

/// Rows that one block adds up, at most.
const ROWS_A_PART: usize = 256;
/// Columns that one block adds up.
const COLUMNS: usize = 32;

/// The gradient of a matrix `[out, in]` that made `dy` `[.., out]` of `x` `[.., in]`, and of the bias `[out]`.
pub(super) fn linear(
    (weight, bias): (&Tensor, &Tensor),
    x: &Tensor,
    dy: &Tensor,
    gradients: &WeightGradients,
) -> Result<()> {
    let product = Gemm { dtype: DType::F32, ..Gemm::new(dy, x, Way::Gradient) };
    gradients.put(weight, product.run()?.tensor());
    gradients.put(bias, column_sums(dy)?);
    Ok(())
}

/// How `rows` rows are divided for adding up.
fn parts(rows: usize) -> usize {
    rows.div_ceil(ROWS_A_PART).clamp(1, 128)
}

fn add_parts(parts: &Fresh, count: usize, size: usize, like: &Tensor) -> Result<Tensor> {
    let device = device_of(like)?;
    let sums = Fresh::new(size, DType::F32, device)?;
    launch(
        device,
        Module::Learned,
        ("learned_parts", ""),
        Threads::new((size.div_ceil(256), 1, 1), 256),
        &[Arg::of(parts)?, Arg::of(&sums)?, Arg::size(count), Arg::size(size)],
    )?;
    Ok(sums.tensor())
}

/// The sum of the rows of `x` `[.., columns]`.
fn column_sums(x: &Tensor) -> Result<Tensor> {
    let columns = x.dims().last().copied().unwrap_or(1);
    let rows = x.elem_count() / columns;
    let device = device_of(x)?;
    let count = parts(rows);
    let of_parts = Fresh::new((count, columns), DType::F32, device)?;
    launch(
        device,
        Module::Learned,
        ("learned_sums", suffix(x.dtype())?),
        Threads::new((columns.div_ceil(COLUMNS), count, 1), 256),
        &[Arg::of(x)?, Arg::of(&of_parts)?, Arg::size(rows), Arg::size(columns)],
    )?;
    add_parts(&of_parts, count, columns, x)
}

/// The gradients of a layer norm's weight and bias, of `x` and the gradient of the result, `[.., columns]`.
pub(super) fn norm(
    [weight, bias]: [&Tensor; 2],
    x: &Tensor,
    dy: &Tensor,
    eps: f64,
    gradients: &WeightGradients,
) -> Result<()> {
    let columns = weight.elem_count();
    let rows = x.elem_count() / columns;
    let device = device_of(x)?;
    let statistics = Fresh::new((rows, 2), DType::F32, device)?;
    launch(
        device,
        Module::Learned,
        ("learned_statistics", suffix(x.dtype())?),
        Threads::new((rows.div_ceil(8), 1, 1), 256),
        &[
            Arg::of(x)?,
            Arg::of(&statistics)?,
            Arg::size(rows),
            Arg::size(columns),
            Arg::F32(eps as f32),
        ],
    )?;
    let count = parts(rows);
    let of_parts = Fresh::new((count, 2, columns), DType::F32, device)?;
    launch(
        device,
        Module::Learned,
        ("learned_norm", suffix(x.dtype())?),
        Threads::new((columns.div_ceil(COLUMNS), count, 1), 256),
        &[
            Arg::of(x)?,
            Arg::of(dy)?,
            Arg::of(&statistics)?,
            Arg::of(&of_parts)?,
            Arg::size(rows),
            Arg::size(columns),
        ],
    )?;
    let both = add_parts(&of_parts, count, 2 * columns, x)?;
    gradients.put(weight, both.narrow(0, 0, columns)?);
    gradients.put(bias, both.narrow(0, columns, columns)?);
    Ok(())
}

/// See [`crate::ops::layer_norm()`]; `weights` are its weight and bias.
pub fn learned_layer_norm(
    x: &Tensor,
    [weight, bias]: [&Tensor; 2],
    eps: f64,
    gradients: &WeightGradients,
) -> Result<Tensor> {
    let y = layer_norm::forward(x, weight, bias, eps)?;
    let node = LayerNorm {
        x: x.detach(),
        weight: weight.clone(),
        bias: bias.clone(),
        eps,
        gradients: gradients.clone(),
    };
    record(y, [x; 3], node)
}

struct LayerNorm {
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    eps: f64,
    gradients: WeightGradients,
}

impl Backward for LayerNorm {
    fn name(&self) -> &'static str {
        "learned-layer-norm"
    }

    fn backward(&self, dy: &Tensor) -> Result<Gradients> {
        let Self { x, weight, bias, eps, gradients } = self;
        norm([weight, bias], x, dy, *eps, gradients)?;
        Ok((Some(layer_norm::backward(x, weight, dy, *eps)?.tensor()), None, None))
    }
}

/// See [`crate::ops::embedding`]; `weight` is on the tape, which ends there.
pub fn learned_embedding(
    ids: &Tensor,
    weight: &Tensor,
    gradients: &WeightGradients,
) -> Result<Tensor> {
    let rows = rows::gather(weight, ids)?;
    let node = Embedding { ids: ids.clone(), weight: weight.clone(), gradients: gradients.clone() };
    record(rows, [weight; 3], node)
}

struct Embedding {
    ids: Tensor,
    weight: Tensor,
    gradients: WeightGradients,
}

impl Backward for Embedding {
    fn name(&self) -> &'static str {
        "learned-embedding"
    }

    /// Adds to what the embedding has learned as output layer.
    fn backward(&self, dy: &Tensor) -> Result<Gradients> {
        let Self { ids, weight, gradients } = self;
        let (vocab, model) = weight.dims2()?;
        let device = device_of(dy)?;
        let plus = match gradients.take(weight) {
            Some(plus) => plus,
            None => Tensor::zeros((vocab, model), DType::F32, dy.device())?,
        };
        let sum = Fresh::new((vocab, model), DType::F32, device)?;
        launch(
            device,
            Module::Learned,
            ("learned_embedding", suffix(dy.dtype())?),
            Threads::new((vocab, 1, 1), 128),
            &[
                Arg::of(dy)?,
                Arg::of(ids)?,
                Arg::of(&plus)?,
                Arg::of(&sum)?,
                Arg::size(ids.elem_count()),
                Arg::size(model),
            ],
        )?;
        gradients.put(weight, sum.tensor());
        Ok((None, None, None))
    }
}

/// See [`crate::ops::cross_entropy()`].
pub fn learned_cross_entropy(
    hidden: &Tensor,
    head: &Tensor,
    targets: &[u32],
    gradients: &WeightGradients,
) -> Result<Tensor> {
    if !super::all_half(&[hidden, head]) || !hidden.track_op() {
        bail!("a learned head wants hidden states that learn, of its own type");
    }
    cross_entropy::learned(hidden, head, targets, gradients)
}

/// Makes each copy its weight again, rounded.
pub fn round_copies(all: &[Learned]) -> Result<()> {
    let Some(first) = all.first() else {
        return Ok(());
    };
    let device = device_of(first.weight)?;
    let dtype = first.copy.dtype();
    let mut table = Vec::with_capacity(3 * all.len());
    for Learned { weight, copy } in all {
        if weight.dtype() != DType::F32 || copy.dtype() != dtype || weight.dims() != copy.dims() {
            bail!("{:?} is no {dtype:?} copy of {:?}", copy.shape(), weight.shape());
        }
        table.extend([weight.address()?, copy.address()?, weight.elem_count() as u64]);
    }
    let table = super::launch::Table::new(&table, device)?;
    launch(
        device,
        Module::Learned,
        ("learned_round", suffix(dtype)?),
        Threads::new((32, all.len(), 1), 256),
        &[table.arg()],
    )
}
