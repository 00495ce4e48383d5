//! Rotary positions: each pair of elements of a query or key is turned by an angle that grows
//! with the position.
//!
//! ChatGLM-6B counts positions twice (where in the text, where in the answer): the first half of
//! a head is turned by the first count, the second half by the second. With one row of positions
//! the whole head is turned by it. Within a part of a head, element i pairs with i + pairs.
#![expect(clippy::inline_always, reason = "only inlined code is compiled for each instruction set")]

use std::ops::Range;

use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Result, Shape, Tensor, bail};

use super::gemm::{Matrix, MatrixMut};
use super::simd::versions;
use super::tensors::{all_plain, output, room, slice, tensor, values};
use super::{composed, parallel};

/// The positions of a batch: `ids` is `[batch, rows, seq]`, rows 2 for ChatGLM-6B, else 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionIds {
    pub batch: usize,
    pub rows: usize,
    pub seq: usize,
    pub ids: Vec<u32>,
}

/// Tokens whose angles are computed here for another device, too: it would take longer to start than to compute.
const FEW: usize = 4;

/// Cosine and sine of every angle of a batch: made once a forward pass, shared by the blocks.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// `[batch, seq, rows * pairs]`
    pub(super) cos: Tensor,
    /// `[batch, seq, rows * pairs]`
    pub(super) sin: Tensor,
    /// Parts of a head, each turned by its own row of positions.
    pub(super) rows: usize,
}

impl Rotation {
    /// The angles `position * inverse_frequencies[pair]`; the caller rounds the frequencies.
    pub fn new(inv_freq: &[f32], positions: &PositionIds, device: &Device) -> Result<Self> {
        let PositionIds { batch, rows, seq, ref ids } = *positions;
        if ids.len() != batch * rows * seq {
            bail!("{} position ids are not {batch} x {rows} x {seq}", ids.len());
        }
        if !device.is_cpu() && batch * seq > FEW {
            return Self::on_device(inv_freq, positions, device);
        }
        let mut angles = Vec::with_capacity(ids.len() * inv_freq.len());
        for of_sequence in ids.chunks_exact((rows * seq).max(1)) {
            for position in 0..seq {
                for row in 0..rows {
                    let at = of_sequence[row * seq + position] as f32;
                    angles.extend(inv_freq.iter().map(|frequency| at * frequency));
                }
            }
        }
        let table = |of: fn(f32) -> f32| {
            let values: Vec<f32> = angles.iter().map(|&angle| of(angle)).collect();
            Tensor::from_vec(values, (batch, seq, rows * inv_freq.len()), device)
        };
        Ok(Self { cos: table(f32::cos)?, sin: table(f32::sin)?, rows })
    }

    /// The same, computed where it is used: only positions travel.
    fn on_device(inv_freq: &[f32], positions: &PositionIds, device: &Device) -> Result<Self> {
        let PositionIds { batch, rows, seq, ref ids } = *positions;
        let at = Tensor::new(ids.as_slice(), device)?.to_dtype(DType::F32)?;
        let at = at.reshape((batch, rows, seq, 1))?.transpose(1, 2)?.contiguous()?; // [batch, seq, rows, 1]
        let frequencies = Tensor::new(inv_freq, device)?; // [pairs]
        let angles =
            at.broadcast_mul(&frequencies)?.reshape((batch, seq, rows * inv_freq.len()))?;
        Ok(Self { cos: angles.cos()?, sin: angles.sin()?, rows })
    }
}

/// Splits `qkv` `[batch, seq, heads * 3 * head]` (q, k, v of each head side by side) and turns
/// queries and keys: `[3, batch, heads, seq, head]`.
pub fn rotary_qkv(qkv: &Tensor, rotation: &Rotation, heads: usize) -> Result<Tensor> {
    let shape = Split::new(qkv.layout(), rotation, heads)?;
    if !all_plain(&[qkv, &rotation.cos, &rotation.sin]) {
        return composed::rotary_qkv(qkv, rotation, heads);
    }
    qkv.apply_op1(RotaryQkv { rotation: rotation.clone(), shape })
}

/// The sizes of a fused query-key-value tensor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    pub(super) batch: usize,
    pub(super) seq: usize,
    pub(super) heads: usize,
    pub(super) head: usize,
}

impl Split {
    pub(super) fn new(qkv: &Layout, rotation: &Rotation, heads: usize) -> Result<Self> {
        let (batch, seq, width) = qkv.shape().dims3()?;
        let head = width / (3 * heads.max(1));
        let angles = rotation.cos.dims3()?;
        if head * 3 * heads != width || angles != (batch, seq, head / 2) {
            bail!("{width} values for {heads} heads do not fit a rotation {angles:?}");
        }
        Ok(Self { batch, seq, heads, head })
    }

    /// Where the queries of a head begin from the token `first` on, counted through the batch; its keys and values
    /// follow them.
    pub(super) fn start(&self, first: usize, head: usize) -> usize {
        (first * self.heads + head) * 3 * self.head
    }
}

/// Which way to turn.
#[derive(Clone, Copy)]
pub(super) enum Turn {
    Forward,
    Back,
}

/// The angles of one sequence, `[seq, head / 2]` each, and the parts of a head.
#[derive(Clone, Copy)]
pub(super) struct Angles<'a> {
    cos: &'a [f32],
    sin: &'a [f32],
    rows: usize,
}

impl<'a> Angles<'a> {
    /// Those of `tokens`, counted through the batch, in the tables of a rotation.
    pub(super) fn of(
        tokens: Range<usize>,
        cos: &'a [f32],
        sin: &'a [f32],
        rotation: &Rotation,
        split: Split,
    ) -> Self {
        let half = split.head / 2;
        let range = tokens.start * half..tokens.end * half;
        Self { cos: &cos[range.clone()], sin: &sin[range], rows: rotation.rows }
    }
}

versions! {
    /// Turns the rows of `from` `[seq, head]` into those of `to`.
    pub(super) fn turn(from: Matrix, to: &mut MatrixMut, angles: Angles, turn: Turn) = turn_lanes
}

#[inline(always)]
fn turn_lanes(from: Matrix, to: &mut MatrixMut, angles: Angles, turn: Turn) {
    let direction = match turn {
        Turn::Forward => 1.0,
        Turn::Back => -1.0,
    };
    let half = from.columns() / 2;
    let pairs = half / angles.rows;
    for i in 0..from.rows() {
        let (from, to) = (from.row(i), to.row_mut(i));
        let cos = angles.cos[i * half..][..half].chunks_exact(pairs);
        let sin = angles.sin[i * half..][..half].chunks_exact(pairs);
        let parts = from.chunks_exact(2 * pairs).zip(to.chunks_exact_mut(2 * pairs));
        for ((from, to), (cos, sin)) in parts.zip(cos.zip(sin)) {
            let (left, right) = from.split_at(pairs);
            let (to_left, to_right) = to.split_at_mut(pairs);
            let ends = left.iter().zip(right).zip(to_left.iter_mut().zip(to_right));
            for (((left, right), (to_left, to_right)), (cos, sin)) in ends.zip(cos.iter().zip(sin))
            {
                let sin = direction * sin;
                *to_left = left.mul_add(*cos, -(right * sin));
                *to_right = right.mul_add(*cos, left * sin);
            }
        }
    }
}

struct RotaryQkv {
    rotation: Rotation,
    shape: Split,
}

impl RotaryQkv {
    /// The heads of `from` turned, from `qkv`'s layout into the split one, or back.
    fn turned(&self, from: &[f32], direction: Turn) -> Result<Vec<f32>> {
        let Split { batch, seq, heads, head } = self.shape;
        let (cos, sin) = (values(&self.rotation.cos)?, values(&self.rotation.sin)?);
        let (cos, sin) = (&*cos, &*sin);
        let mut turned = room(from.len());
        let all = parallel::Shared::new(&mut turned);
        parallel::tasks(3 * batch * heads, seq * head, |task| {
            let (kind, of_kind) = (task / (batch * heads), task % (batch * heads));
            let (sequence, index) = (of_kind / heads, of_kind % heads);
            // Where the rows of the head begin, and from one to the next.
            let start = self.shape.start(sequence * seq, index) + kind * head;
            let (merged, split) = ((start, 3 * heads * head), (task * seq * head, head));
            let (read, write) = match direction {
                Turn::Forward => (merged, split),
                Turn::Back => (split, merged),
            };
            let from = Matrix::strided(&from[read.0..], seq, head, read.1);
            #[expect(unsafe_code, reason = "each task writes its own rows and columns")]
            // SAFETY: each task has its own kind, sequence and head.
            let mut to = unsafe { all.matrix(write.0, seq, head, write.1) };
            if kind == VALUE {
                to.copy(from);
            } else {
                let tokens = sequence * seq..(sequence + 1) * seq;
                let angles = Angles::of(tokens, cos, sin, &self.rotation, self.shape);
                turn(from, &mut to, angles, direction);
            }
        });
        Ok(turned)
    }
}

impl CustomOp1 for RotaryQkv {
    fn name(&self) -> &'static str {
        "rotary-qkv"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Split { batch, seq, heads, head } = self.shape;
        let split = self.turned(slice(qkv, layout)?, Turn::Forward)?;
        Ok(output(split, (3, batch, heads, seq, head)))
    }

    fn bwd(&self, qkv: &Tensor, _split: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let grad = values(&grad)?;
        Ok(Some(tensor(self.turned(&grad, Turn::Back)?, qkv.shape())?))
    }
}

/// The third of query, key and value: not turned.
const VALUE: usize = 2;
