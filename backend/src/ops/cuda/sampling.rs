//! The next token of rows of scores, see `kernels/sampling.cu`: four bytes a row come back instead of the row.

use candle_core::{DType, Result, Tensor, bail};

use super::launch::{Arg, Fresh, Module, Threads, device_of, launch};
use crate::ops::sampling::Draw;

const THREADS: usize = 1024;
/// Rows that a launch takes.
const ROWS: usize = 64;
/// Tokens that a key has room for.
const MOST_TOKENS: usize = 1 << 20;

/// `Row` of the kernel.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Row {
    temperature: f32,
    top_p: f32,
    top_k: u32,
    point: u32,
    replacement: u32,
}

impl Row {
    fn new(draw: &Draw) -> Self {
        let &Draw { temperature, top_p, top_k, point, replacement, .. } = draw;
        // It has 24 bits: nothing is rounded.
        #[expect(clippy::cast_sign_loss, reason = "a point lies from 0 to 1")]
        let point = (f64::from(point) * 2f64.powi(32)) as u32;
        Self { temperature, top_p, top_k: top_k.min(MOST_TOKENS) as u32, point, replacement }
    }
}

/// See [`crate::ops::sample()`].
pub(crate) fn sample(scores: &Tensor, draws: &[Draw]) -> Result<Option<Vec<u32>>> {
    let (rows, vocab) = scores.dims2()?;
    if rows != draws.len() {
        bail!("{} draws for {rows} rows", draws.len());
    }
    if scores.dtype() != DType::F32 || vocab > MOST_TOKENS {
        return Ok(None);
    }
    penalize(scores, draws)?;
    let device = device_of(scores)?;
    let tokens = Fresh::new(rows, DType::U32, device)?;
    for (chunk, draws) in draws.chunks(ROWS).enumerate() {
        let mut rows = [Row::default(); ROWS];
        rows.iter_mut().zip(draws).for_each(|(row, draw)| *row = Row::new(draw));
        launch(
            device,
            Module::Sampling,
            ("sampling_draw", ""),
            Threads::new((draws.len(), 1, 1), THREADS).early(),
            &[
                Arg::of(scores)?,
                Arg::of(&tokens)?,
                Arg::size(vocab),
                Arg::size(chunk * ROWS),
                Arg::structure(&rows),
            ],
        )?;
    }
    tokens.tensor().to_vec1().map(Some)
}

/// The rows' penalties, of all in one launch.
fn penalize(scores: &Tensor, draws: &[Draw]) -> Result<()> {
    let (_, vocab) = scores.dims2()?;
    let (mut places, mut penalties) = (Vec::new(), Vec::new());
    for (row, draw) in draws.iter().enumerate() {
        #[expect(clippy::float_cmp, reason = "1 is exactly no penalty")]
        if draw.penalty == 1.0 {
            continue;
        }
        let tokens = draw.penalized.iter().filter(|&&token| (token as usize) < vocab);
        places.extend(tokens.map(|&token| (row * vocab) as u32 + token));
        penalties.resize(places.len(), draw.penalty);
    }
    if places.is_empty() {
        return Ok(());
    }
    let count = places.len();
    let places = Tensor::new(places, scores.device())?;
    let penalties = Tensor::new(penalties, scores.device())?;
    launch(
        device_of(scores)?,
        Module::Sampling,
        ("sampling_penalize", ""),
        Threads::new((count.div_ceil(256), 1, 1), 256),
        &[Arg::of(scores)?, Arg::of(&places)?, Arg::of(&penalties)?, Arg::size(count)],
    )
}
