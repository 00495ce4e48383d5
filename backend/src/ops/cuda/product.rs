//! Products of one row, or of the rows of several chats, with a matrix as it is kept, see `kernels/product.cu`.

use candle_core::cuda_backend::CudaDevice;
use candle_core::{DType, Result, Tensor};

use super::card::Card;
use super::launch::{Arg, Fresh, Module, Threads, device_of, launch, suffix};
use super::lora;
use crate::ops::block::{Affine, FrozenLinear};
use crate::ops::{Quantization, Weight};

/// Bytes of 16 rows that each of the 16 warps of a block has on their way: weights, or weights and scales of blocks.
const RING: [usize; 2] = [16 * 8 * 16 * 64, 16 * 8 * (16 * 64 + 256)];
/// Rows that a warp, and the blocks for several chats, compute at a time.
const ROWS: usize = 16;
const ROWS_OF_CHATS: usize = 64;
/// Fixed shared memory of a block for one chat, and for several.
const FIXED: usize = declared(b"constexpr int FIXED_ALONE = ");
const FIXED_OF_CHATS: usize = declared(b"constexpr int FIXED_TOGETHER = ");
/// Inputs that a block for several chats holds, and its warps along them.
const RANGE: usize = declared(b"constexpr int RANGE = ");
const ALONG: usize = 8;

/// The number that stands behind `declaration` in `kernels/product.cu`. What is not there does not compile.
const fn declared(declaration: &[u8]) -> usize {
    let kernels = include_bytes!("../../../kernels/product.cu");
    let (mut at, mut same) = (0, 0);
    while same < declaration.len() {
        if kernels[at + same] == declaration[same] {
            same += 1;
        } else {
            (at, same) = (at + 1, 0);
        }
    }
    at += same;
    let mut number = 0;
    while kernels[at] != b';' {
        number = number * 10 + (kernels[at] - b'0') as usize;
        at += 1;
    }
    number
}

/// How the kernels read a weight.
struct Kept {
    /// The kernel for one chat, those for up to 8, 16 and 32, if there are any.
    alone: &'static str,
    of_chats: [&'static str; 3],
    weight: Arg,
    scales: Arg,
}

impl Kept {
    fn new(weight: &Weight) -> Result<Self> {
        Ok(match weight {
            Weight::Dense(weight) => Self {
                alone: "product_dense",
                of_chats: [""; 3],
                weight: Arg::of(weight)?,
                scales: Arg::NULL,
            },
            Weight::Quantized(weight) => {
                let form = weight.form();
                let (alone, of_chats) = names(form);
                Self {
                    alone,
                    of_chats,
                    weight: Arg::of(weight.integers())?,
                    scales: Arg::of(weight.scales())?,
                }
            }
        })
    }
}

/// Shared memory of a block for one chat: weights on their way, and the inputs in whole chunks.
fn shared_alone(form: Option<Quantization>, inputs: usize) -> usize {
    let (bits, is_in_blocks) = form.map_or((16, false), |form| (form.bits(), is_in_blocks(form)));
    // What columns without inputs read, 64 bytes for eight of a lane's weights.
    let zeros = if is_in_blocks { 64 * 16 / bits } else { 0 };
    let chunk = 4 * 128 / bits;
    RING[usize::from(is_in_blocks)] + zeros + inputs.next_multiple_of(chunk) * 2
}

/// Whether every 32 neighbours have a scale, or a whole row.
fn is_in_blocks(form: Quantization) -> bool {
    matches!(form, Quantization::Q8_0 | Quantization::Q4_0)
}

fn names(form: Quantization) -> (&'static str, [&'static str; 3]) {
    macro_rules! of {
        ($form:literal) => {
            (
                concat!("product_", $form),
                [
                    concat!("product_of_8_", $form),
                    concat!("product_of_16_", $form),
                    concat!("product_of_32_", $form),
                ],
            )
        };
    }
    match form {
        Quantization::Int8 => of!("int8"),
        Quantization::Int4 => of!("int4"),
        Quantization::Q8_0 => of!("q8_0"),
        Quantization::Q4_0 => of!("q4_0"),
    }
}

/// Whether the kernel for one chat can read this weight, and a block of this GPU has the shared memory for it.
pub(super) fn fits(weight: &Weight, device: &CudaDevice) -> Result<bool> {
    let (_, inputs) = weight.dims2()?;
    let shared = shared_alone(weight.form(), inputs) + FIXED;
    Ok(has_whole_reads(weight, inputs) && shared <= Card::of(device)?.shared)
}

/// Whether the kernels for several chats can read this weight.
pub(super) fn fits_chats(weight: &Weight) -> Result<bool> {
    let (_, inputs) = weight.dims2()?;
    Ok(weight.form().is_some() && has_whole_reads(weight, inputs))
}

/// Whether the rows are made of whole 16 bytes, and of pairs of blocks.
fn has_whole_reads(weight: &Weight, inputs: usize) -> bool {
    match weight.form() {
        None => inputs.is_multiple_of(8),
        Some(form) if is_in_blocks(form) => inputs.is_multiple_of(64),
        Some(form) => inputs.is_multiple_of(128 / form.bits()),
    }
}

/// A block on each processor, which fills it.
fn threads(outputs: usize, shared: usize, card: Card) -> Threads {
    let blocks = outputs.div_ceil(ROWS).min(card.processors);
    Threads::new((blocks, 1, 1), 512).shared(shared).early()
}

/// A product and what is around it: `finish(W · x')`.
pub(super) struct Product<'a> {
    pub(super) x: &'a Tensor,
    /// Applied to `x` first; its result is kept.
    pub(super) norm: Option<(Affine<'a>, f64)>,
    pub(super) linear: FrozenLinear<'a>,
    pub(super) gelu: bool,
    /// Added so many times.
    pub(super) residual: Option<(&'a Tensor, f64)>,
    /// A of an adapter, and its scale.
    pub(super) lora: Option<(&'a Tensor, f64)>,
}

/// What a product leaves beside its result.
pub(super) struct Produced {
    pub(super) y: Tensor,
    /// The normalized `x`.
    pub(super) normed: Option<Tensor>,
    /// What the adapter reads, `[rank]`, f32.
    pub(super) low: Option<Tensor>,
}

impl Product<'_> {
    pub(super) fn run(&self) -> Result<Produced> {
        let (outputs, inputs) = self.linear.weight.dims2()?;
        let device = device_of(self.x)?;
        let dtype = self.x.dtype();
        let y = Fresh::new((1, 1, outputs), dtype, device)?;
        let normed = match self.norm {
            Some(_) => Some(Fresh::new(self.x.shape(), dtype, device)?),
            None => None,
        };
        let (norm_weight, norm_bias, eps) = match self.norm {
            Some((norm, eps)) => (Arg::of(norm.weight)?, Arg::of(norm.bias)?, eps),
            None => (Arg::NULL, Arg::NULL, 0.0),
        };
        let (residual, alpha) = match self.residual {
            Some((residual, alpha)) => (Arg::of(residual)?, alpha),
            None => (Arg::NULL, 0.0),
        };
        let rank = self.lora.map_or(Ok(0), |(a, _)| a.dims2().map(|(rank, _)| rank))?;
        let low = match rank {
            0 => None,
            rank => Some(Fresh::new(rank, DType::F32, device)?),
        };
        let optional = |memory: &Option<Fresh>| memory.as_ref().map_or(Ok(Arg::NULL), Arg::of);
        let (a, scale) = match self.lora {
            Some((a, scale)) => (Arg::of(a)?, scale),
            None => (Arg::NULL, 0.0),
        };
        let kept = Kept::new(self.linear.weight)?;
        launch(
            device,
            Module::Product,
            (kept.alone, suffix(dtype)?),
            threads(outputs, shared_alone(self.linear.weight.form(), inputs), Card::of(device)?),
            &[
                Arg::of(self.x)?,
                norm_weight,
                norm_bias,
                Arg::F32(eps as f32),
                optional(&normed)?,
                kept.weight,
                kept.scales,
                Arg::of(self.linear.bias)?,
                residual,
                Arg::F32(alpha as f32),
                Arg::I32(i32::from(self.gelu)),
                Arg::of(&y)?,
                a,
                optional(&low)?,
                Arg::F32(scale as f32),
                Arg::size(inputs),
                Arg::size(outputs),
                Arg::size(rank),
            ],
        )?;
        Ok(Produced {
            y: y.tensor(),
            normed: normed.map(Fresh::tensor),
            low: low.map(Fresh::tensor),
        })
    }
}

/// Scores f32 `[1, 1, vocab]` of `hidden` `[1, 1, model]`, `head` `[vocab, model]`; `None` where a block of this GPU has not
/// the shared memory for it.
pub(super) fn logits(hidden: &Tensor, head: &Tensor) -> Result<Option<Tensor>> {
    let (vocab, model) = head.dims2()?;
    let device = device_of(hidden)?;
    let shared = shared_alone(None, model);
    let card = Card::of(device)?;
    if shared + FIXED > card.shared {
        return Ok(None);
    }
    let y = Fresh::new((1, 1, vocab), DType::F32, device)?;
    launch(
        device,
        Module::Product,
        ("product_logits", suffix(hidden.dtype())?),
        threads(vocab, shared, card),
        &[Arg::of(hidden)?, Arg::of(head)?, Arg::of(&y)?, Arg::size(model), Arg::size(vocab)],
    )?;
    Ok(Some(y.tensor()))
}

/// `finish(W · x)` of the rows of `x` `[chats, 1, in]`, W such that it [`fits_chats`].
pub(super) fn of_chats(
    x: &Tensor,
    linear: FrozenLinear,
    gelu: bool,
    residual: Option<(f32, &Tensor)>,
) -> Result<Tensor> {
    let (chats, _, inputs) = x.dims3()?;
    let (outputs, _) = linear.weight.dims2()?;
    let device = device_of(x)?;
    let kept = Kept::new(linear.weight)?;
    let card = Card::of(device)?;
    let has_room = |at_once: usize| shared_of_chats(at_once) + FIXED_OF_CHATS <= card.shared;
    // As few passes as there is room for; for eight there is on every GPU that has the kernels.
    let size = (1..3).take_while(|size| chats > 4 << size && has_room(8 << size)).last();
    let size = size.unwrap_or(0);
    let at_once = 8 << size;
    let (passes, groups) = (chats.div_ceil(at_once), outputs.div_ceil(ROWS_OF_CHATS));
    let splits = inputs.div_ceil(RANGE);
    let blocks = (card.processors / splits).clamp(1, groups);
    let y = Fresh::new((chats, 1, outputs), x.dtype(), device)?;
    let partial = Fresh::new((splits, passes, groups, at_once, ROWS_OF_CHATS), DType::F32, device)?;
    let counters = lora::counters(passes * groups, x.device())?;
    let (alpha, residual) = match residual {
        Some((alpha, residual)) => (alpha, Arg::of(residual)?),
        None => (0.0, Arg::NULL),
    };
    let shared = shared_of_chats(at_once);
    launch(
        device,
        Module::Product,
        (kept.of_chats[size], suffix(x.dtype())?),
        Threads::new((blocks, splits, passes), 512).shared(shared).early(),
        &[
            Arg::of(x)?,
            kept.weight,
            kept.scales,
            Arg::of(linear.bias)?,
            residual,
            Arg::F32(alpha),
            Arg::I32(i32::from(gelu)),
            Arg::of(&y)?,
            Arg::of(&partial)?,
            Arg::of(&counters)?,
            Arg::size(chats),
            Arg::size(inputs),
            Arg::size(outputs),
        ],
    )?;
    Ok(y.tensor())
}

/// Shared memory of a block for so many chats: their inputs, and what its warps along them found.
fn shared_of_chats(at_once: usize) -> usize {
    RANGE * at_once * 2 + ALONG * at_once * (ROWS_OF_CHATS + 4) * 4
}
