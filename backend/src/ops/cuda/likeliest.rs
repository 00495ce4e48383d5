//! The likeliest tokens of a row of scores, see `kernels/likeliest.cu`: a few hundred bytes come back instead of a row.

use candle_core::{DType, Result, Tensor};

use super::launch::{Arg, Fresh, Module, Threads, device_of, launch};
use crate::ops::likeliest::{Choice, Likeliest};

const SORTED: usize = 1024;
const KEPT: usize = 64;

/// See [`crate::ops::likeliest()`].
pub(crate) fn likeliest(scores: &Tensor, choice: Choice) -> Result<Option<Likeliest>> {
    let Choice { count, penalty, penalized } = choice;
    if !(1..=KEPT).contains(&count) || scores.dtype() != DType::F32 {
        return Ok(None);
    }
    let device = device_of(scores)?;
    let mut size = scores.elem_count();
    #[expect(clippy::float_cmp, reason = "1 is exactly no penalty")]
    if penalty != 1.0 && !penalized.is_empty() {
        let tokens = Tensor::new(penalized, scores.device())?;
        let threads = Threads::new((penalized.len().div_ceil(256), 1, 1), 256);
        let (tokens, penalized) = (Arg::of(&tokens)?, Arg::size(penalized.len()));
        let args = [Arg::of(scores)?, tokens, penalized, Arg::size(size), Arg::F32(penalty)];
        launch(device, Module::Likeliest, ("likeliest_penalize", ""), threads, &args)?;
    }
    let invalid = Tensor::zeros(1, DType::U32, scores.device())?;
    let round = |size: usize| Threads::new((size.div_ceil(SORTED), 1, 1), SORTED);
    // A number of 64 bits is two of 32.
    let room = |size: usize| Fresh::new((size.div_ceil(SORTED) * KEPT, 2), DType::U32, device);
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
    let found = Tensor::cat(&[&kept.tensor().flatten_all()?, &invalid], 0)?.to_vec1::<u32>()?;
    let (keys, invalid) = found.as_chunks::<2>();
    if invalid != [0] {
        return Ok(Some(Likeliest::Invalid));
    }
    let token = |&[low, high]: &[u32; 2]| {
        let bits = if high >> 31 == 1 { high ^ (1 << 31) } else { !high };
        (!low, f32::from_bits(bits))
    };
    let count = count.min(scores.elem_count());
    Ok(Some(Likeliest::Tokens(keys.iter().take(count).map(token).collect())))
}
