//! The likeliest tokens of rows of scores, see `kernels/likeliest.cu`: a few hundred bytes come back instead of a row.

use candle_core::{DType, Result, Tensor, bail};

use super::launch::{Arg, Fresh, Module, Threads, device_of, launch};
use crate::ops::likeliest::{Choice, Likeliest};

const SORTED: usize = 1024;
const KEPT: usize = 64;

/// See [`crate::ops::likeliest()`].
pub(crate) fn likeliest(scores: &Tensor, choices: &[Choice]) -> Result<Vec<Option<Likeliest>>> {
    let (rows, vocab) = scores.dims2()?;
    let fits = |choice: &Choice| (1..=KEPT).contains(&choice.count);
    if rows != choices.len() {
        bail!("{} choices for {rows} rows", choices.len());
    }
    if scores.dtype() != DType::F32 || !choices.iter().any(fits) {
        return Ok(vec![None; rows]);
    }
    let device = device_of(scores)?;
    penalize(scores, choices.iter().enumerate().filter(|(_, choice)| fits(choice)))?;
    let invalid = Tensor::zeros(rows, DType::U32, scores.device())?;
    let round = |size: usize| Threads::new((size.div_ceil(SORTED), rows, 1), SORTED);
    // A number of 64 bits is two of 32.
    let room =
        |size: usize| Fresh::new((rows, size.div_ceil(SORTED) * KEPT, 2), DType::U32, device);
    let mut size = vocab;
    let mut kept = room(size)?;
    let args = [Arg::of(scores)?, Arg::of(&kept)?, Arg::size(size), Arg::of(&invalid)?];
    launch(device, Module::Likeliest, ("likeliest_of_scores", ""), round(size), &args)?;
    while size > SORTED {
        size = size.div_ceil(SORTED) * KEPT;
        let next = room(size)?;
        let args = [Arg::of(&kept)?, Arg::of(&next)?, Arg::size(size)];
        launch(device, Module::Likeliest, ("likeliest_of_kept", ""), round(size), &args)?;
        kept = next;
    }
    // One wait for all rows.
    let found = Tensor::cat(&[&kept.tensor().flatten_all()?, &invalid], 0)?.to_vec1::<u32>()?;
    let (keys, invalid) = found.split_at(rows * KEPT * 2);
    let token = |&[low, high]: &[u32; 2]| {
        let bits = if high >> 31 == 1 { high ^ (1 << 31) } else { !high };
        (!low, f32::from_bits(bits))
    };
    let rows = choices.iter().zip(keys.as_chunks::<2>().0.chunks_exact(KEPT)).zip(invalid);
    let rows = rows.map(|((choice, keys), &invalid)| match (fits(choice), invalid) {
        (false, _) => None,
        (true, 0) => {
            let count = choice.count.min(vocab);
            Some(Likeliest::Tokens(keys.iter().take(count).map(token).collect()))
        }
        (true, _) => Some(Likeliest::Invalid),
    });
    Ok(rows.collect())
}

/// The rows' penalties, of all in one launch.
fn penalize<'a>(
    scores: &Tensor,
    rows: impl Iterator<Item = (usize, &'a Choice<'a>)>,
) -> Result<()> {
    let (_, vocab) = scores.dims2()?;
    let (mut places, mut penalties) = (Vec::new(), Vec::new());
    for (row, choice) in rows {
        #[expect(clippy::float_cmp, reason = "1 is exactly no penalty")]
        if choice.penalty == 1.0 {
            continue;
        }
        let tokens = choice.penalized.iter().filter(|&&token| (token as usize) < vocab);
        places.extend(tokens.map(|&token| (row * vocab) as u32 + token));
        penalties.resize(places.len(), choice.penalty);
    }
    if places.is_empty() {
        return Ok(());
    }
    let count = places.len();
    let places = Tensor::new(places, scores.device())?;
    let penalties = Tensor::new(penalties, scores.device())?;
    launch(
        device_of(scores)?,
        Module::Likeliest,
        ("likeliest_penalize", ""),
        Threads::new((count.div_ceil(256), 1, 1), 256),
        &[Arg::of(scores)?, Arg::of(&places)?, Arg::of(&penalties)?, Arg::size(count)],
    )
}
