//! All blocks of the model as one op: the tape sees the stack, not what is in it. It would pay for the gradient that each
//! block passes on to the one below with zeros, a sum and a copy, and would hold what a block has kept until the end.

use std::sync::{Mutex, PoisonError};

use candle_core::{Result, Tensor, bail};

use super::block::{Block, Kept, fits};
use super::decode;
use super::node::{Backward, Gradients, record};
use crate::ops::LayerCache;
use crate::ops::block::{BlockContext, BlockLoras, BlockWeights};

/// See [`crate::ops::blocks`].
pub(crate) fn blocks(
    x: &Tensor,
    blocks: &[(BlockWeights, BlockLoras)],
    context: &BlockContext,
) -> Result<Option<Tensor>> {
    let Some((last, before)) = blocks.split_last() else {
        return Ok(None);
    };
    let all_loras = blocks.iter().flat_map(|(_, loras)| loras.all());
    let learning = all_loras.flat_map(|lora| [lora.a, lora.b]).find(|it| it.track_op());
    if learning.is_some() && context.gradients.is_none() {
        return Ok(None);
    }
    for (weights, loras) in blocks {
        if !fits(x, weights, loras, context.rotation)? {
            return Ok(None);
        }
    }
    let tracked = x.track_op() || learning.is_some();
    let mut layers = Vec::new();
    let mut through = |x: Tensor, (weights, loras): &(BlockWeights, BlockLoras)| {
        let block = Block::new(&x, (weights, loras), context)?;
        let (y, kept) = block.forward(&x, None, tracked && !context.checkpoint)?;
        if tracked {
            layers.push(Layer { block, x, kept });
        }
        Ok::<_, candle_core::Error>(y)
    };
    let mut hidden = x.detach();
    for block in before {
        hidden = through(hidden, block)?.tensor();
    }
    let y = through(hidden, last)?;
    if !tracked {
        return Ok(Some(y.tensor()));
    }
    // An adapter that learns is what has the tape call the backward where `x` is on none.
    let on_tape = learning.unwrap_or(x);
    let stack = Stack { layers: Mutex::new(layers), x_tracked: x.track_op() };
    record(y, [x, on_tape, on_tape], stack).map(Some)
}

/// See [`crate::ops::block_cached`]: the prompt at once, then token by token.
pub(crate) fn block_cached(
    x: &Tensor,
    (weights, loras): (&BlockWeights, &BlockLoras),
    context: &BlockContext,
    cache: LayerCache,
) -> Result<Option<Tensor>> {
    let BlockContext { rotation, attention_mask, .. } = context;
    let (batch, seq, _) = x.dims3()?;
    if batch != 1
        || attention_mask.rows.iter().any(|row| row.padding > 0)
        || !fits(x, weights, loras, rotation)?
        || !cache.is_on_gpu_in(x.dtype())
    {
        return Ok(None);
    }
    let x = x.detach();
    if seq == 1 {
        return decode::block(&x, weights, rotation, loras, cache).map(Some);
    }
    if !cache.is_empty() {
        return Ok(None);
    }
    let block = Block::new(&x, (weights, loras), context)?;
    let (y, _) = block.forward(&x, Some(cache), false)?;
    Ok(Some(y.tensor()))
}

struct Layer {
    block: Block,
    x: Tensor,
    /// Nothing, if the block is to be computed again.
    kept: Option<Kept>,
}

struct Stack {
    /// From the first to the last, until they are walked back.
    layers: Mutex<Vec<Layer>>,
    x_tracked: bool,
}

impl Backward for Stack {
    fn name(&self) -> &'static str {
        "blocks"
    }

    /// What a block has kept is dropped as soon as the walk is past it.
    fn backward(&self, dy: &Tensor) -> Result<Gradients> {
        let mut layers =
            std::mem::take(&mut *self.layers.lock().unwrap_or_else(PoisonError::into_inner));
        if layers.is_empty() {
            bail!("blocks: walked back before");
        }
        let mut gradient = Some(dy.clone());
        while let Some(Layer { block, x, kept }) = layers.pop() {
            let Some(dy) = gradient else {
                bail!("blocks: no gradient reached the block below");
            };
            let kept = match kept {
                Some(kept) => kept,
                None => block.again(&x)?,
            };
            gradient = block.backward(&x, kept, &dy, self.x_tracked || !layers.is_empty())?;
        }
        Ok((gradient, None, None))
    }
}
