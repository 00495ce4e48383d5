//! One token of several chats in one pass: the weights are read once for all of them, and each chat has a cache and an
//! adapter of its own.

use candle_core::{Result, Tensor};

use super::{Attention, Block, ChatGlm, Linear, Mlp, Pass, Place, PositionIds, Rotation};
use crate::{
    chatglm::ALPHA,
    lora::Adapter,
    ops::{self, KvCache, LayerCache, LoraOperand},
};

/// The newest token of a chat, and what it goes through the model with.
#[derive(Debug)]
pub struct ChatToken<'a> {
    pub id: u32,
    /// Two numbers, or one without 2-D positions.
    pub positions: Vec<u32>,
    pub adapter: Option<&'a Adapter>,
    /// What the chat has said before; the token joins it.
    pub cache: &'a mut KvCache,
}

/// What a block knows of the chats at hand.
#[derive(Clone, Copy)]
struct Context<'a> {
    layer: usize,
    rotation: &'a Rotation, // [chats, 1, ..]
    adapters: &'a [Option<&'a Adapter>],
}

impl<'a> Context<'a> {
    /// Where each chat is.
    fn places(self) -> impl Iterator<Item = Place<'a>> {
        self.adapters.iter().map(move |&adapter| {
            let pass = Pass { adapter, ..Pass::default() };
            Place { layer: self.layer, pass }
        })
    }

    /// Each chat's update of one linear layer.
    fn loras(self, linear: &Linear) -> Vec<Option<LoraOperand<'a>>> {
        self.places().map(|place| linear.lora(place)).collect()
    }

    /// Whether some chat has an update of this layer.
    fn any_lora(self, linear: &Linear) -> bool {
        self.loras(linear).iter().any(Option::is_some)
    }
}

impl Linear {
    /// [`Linear::forward`] for a row of each chat; `[chats, 1, in]` to `[chats, 1, out]`.
    fn forward_chats(&self, x: &Tensor, chats: Context) -> Result<Tensor> {
        ops::lora_linear_of_chats(x, &self.weight.dense()?, &self.bias, &chats.loras(self))
    }

    fn forward_chats_gelu(&self, x: &Tensor, chats: Context) -> Result<Tensor> {
        if chats.any_lora(self) {
            return ops::gelu(&self.forward_chats(x, chats)?);
        }
        ops::linear_gelu(x, &self.weight.dense()?, &self.bias)
    }

    fn forward_chats_residual(
        &self,
        x: &Tensor,
        residual: &Tensor,
        chats: Context,
    ) -> Result<Tensor> {
        if chats.any_lora(self) {
            return ops::scaled_add(&self.forward_chats(x, chats)?, residual, ALPHA);
        }
        ops::linear_residual(x, &self.weight.dense()?, &self.bias, residual, ALPHA)
    }
}

impl Attention {
    fn forward_chats(
        &self,
        hidden: &Tensor,
        chats: Context,
        caches: &[LayerCache],
    ) -> Result<Tensor> {
        let qkv = self.query_key_value.forward_chats(hidden, chats)?; // [chats, 1, heads * 3 * head_dim]
        let read = ops::rotary_attention_of_chats(&qkv, chats.rotation, self.heads, caches)?; // [chats, 1, model]
        self.dense.forward_chats_residual(&read, hidden, chats)
    }
}

impl Mlp {
    fn forward_chats(&self, hidden: &Tensor, chats: Context) -> Result<Tensor> {
        let inner = self.dense_h_to_4h.forward_chats_gelu(hidden, chats)?; // [chats, 1, inner]
        self.dense_4h_to_h.forward_chats_residual(&inner, hidden, chats)
    }
}

impl Block {
    /// [`Block::forward`] for the newest token of each chat; `[chats, 1, model]` to the same shape.
    fn forward_chats(
        &self,
        hidden: &Tensor,
        chats: Context,
        caches: &[LayerCache],
    ) -> Result<Tensor> {
        let loras: Vec<_> = chats.places().map(|place| self.loras(place)).collect();
        let rotation = chats.rotation;
        let at_once = ops::block_of_chats(hidden, &self.weights(), rotation, &loras, caches)?;
        if let Some(hidden) = at_once {
            return Ok(hidden);
        }
        let normed = self.input_layernorm.forward(hidden)?;
        let hidden = self.attention.forward_chats(&normed, chats, caches)?;

        let normed = self.post_attention_layernorm.forward(&hidden)?;
        self.mlp.forward_chats(&normed, chats)
    }
}

impl ChatGlm {
    /// The states after the final layer norm, `[chats, 1, model]`, of each chat's newest token.
    pub fn hidden_states_of_chats(&self, chats: &mut [ChatToken]) -> Result<Tensor> {
        // Nothing to do where the caller has made room; whoever has not must not write to a page that others read.
        for chat in chats.iter_mut() {
            chat.cache.reserve(1)?;
        }
        let ids: Vec<u32> = chats.iter().map(|chat| chat.id).collect();
        let positions = PositionIds {
            batch: chats.len(),
            rows: if self.config.position_encoding_2d { 2 } else { 1 },
            seq: 1,
            ids: chats.iter().flat_map(|chat| chat.positions.iter().copied()).collect(),
        };
        let rotation = Rotation::new(&self.inv_freq, &positions, self.device())?;
        let adapters: Vec<_> = chats.iter().map(|chat| chat.adapter).collect();
        let ids = Tensor::from_vec(ids, (chats.len(), 1), self.device())?;
        let mut hidden = ops::embedding(&ids, &self.word_embeddings)?; // [chats, 1, model]
        for (layer, block) in self.layers.iter().enumerate() {
            let context = Context { layer, rotation: &rotation, adapters: &adapters };
            let caches: Vec<_> = chats.iter().map(|chat| chat.cache.layer(layer)).collect();
            hidden = block.forward_chats(&hidden, context, &caches)?;
        }
        for chat in chats {
            chat.cache.advance(1);
        }
        self.final_layernorm.forward(&hidden)
    }
}
