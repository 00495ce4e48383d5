//! A linear layer for several chats at once, each with an adapter of its own (Chen et al. 2023, "Punica").

use candle_core::{Result, Tensor, bail};

use super::{LoraOperand, lora_linear};
use crate::ops::linear;

/// Maps the row of each chat, `x` `[chats, 1, in]`, to `[chats, 1, out]`; the weight is read once for all of them. No
/// gradient is wanted.
pub fn lora_linear_of_chats(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    loras: &[Option<LoraOperand>],
) -> Result<Tensor> {
    let (chats, _, _) = x.dims3()?;
    if loras.len() != chats {
        bail!("{} adapters or none for {chats} chats", loras.len());
    }
    if let [Some(lora)] = loras {
        return lora_linear(x, weight, Some(bias), lora);
    }
    let y = linear(x, weight, Some(bias))?;
    for (chat, lora) in loras.iter().enumerate() {
        let Some(lora) = lora else { continue };
        let read = x.narrow(0, chat, 1)?.to_dtype(lora.a.dtype())?;
        let low = linear(&read, &lora.a.detach(), None)?; // [1, 1, rank]
        let more = (linear(&low, &lora.b.detach(), None)? * lora.scale)?.to_dtype(y.dtype())?;
        y.slice_set(&(y.narrow(0, chat, 1)? + more)?, 0, chat)?;
    }
    Ok(y)
}
