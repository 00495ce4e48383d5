//! ChatGLM-6B: a transformer that reads the prompt in both directions and writes the answer forwards
//! (Du et al. 2022, "GLM"; the reference's `modeling_chatglm.py`).
//!
//! It differs from the usual decoder in four places: each token has two positions (in the text, and in the
//! answer), each of which rotates half of a head; the prompt sees itself whole; a block adds its *normalized*
//! input to its output, scaled by [`ALPHA`]; and the output layer is the embedding itself.
//!
//! Axes, in every comment below:
//! batch, seq, model (hidden size), heads, `head_dim` (size of one head), inner (of the MLP), vocab

mod chats;
mod config;
mod module_tree;
mod parameters;
mod trainable;

use candle_core::{DType, Device, Result, Tensor};
use half::f16;

use crate::{
    device::WeightFormat,
    lora::{Adapter, Target},
    ops::{
        self, Affine, AttentionMask, BlockContext, BlockLoras, BlockWeights, Dropout, FrozenLinear,
        KvCache, LayerCache, LoraOperand, PagePool, PageShape, PositionIds, Rotation, Weight,
        WeightGradients,
    },
    seed,
};

pub use chats::ChatToken;
pub use config::{ChatGlmConfig, ConfigError, ModelRevision};
pub use module_tree::module_tree;
pub use parameters::{ParameterCount, parameters};
pub use trainable::Trainable;

/// What a block's residual is multiplied with: `sqrt(2 * layers)` of the published model.
///
/// It does not depend on the layers at hand: the reference's `GLMBlock` takes `num_layers=28` by default, and its
/// model never passes another number.
pub const ALPHA: f64 = 7.483_314_773_547_883; // sqrt(56)

/// What the model reads: `batch` sequences of one length.
#[derive(Clone, Debug)]
pub struct Input {
    /// `[batch, seq]`, u32.
    pub input_ids: Tensor,
    /// `[batch, 2, seq]`; one row a sequence without 2-D positions.
    pub position_ids: PositionIds,
    /// Which position may read which.
    pub attention_mask: AttentionMask,
}

/// What goes along with the weights in one pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pass<'a> {
    /// Low-rank updates of the block's linear layers.
    pub adapter: Option<&'a Adapter>,
    /// Training: drops inputs of the updates, differently for each seed.
    pub dropout_seed: Option<u64>,
    /// Training: computes each block again in the backward instead of keeping what it needs (Chen et al. 2016).
    pub checkpoint: bool,
    /// Training: where ops put gradients that do not go over candle's tape. What learns is the adapter, or without one every
    /// weight.
    pub gradients: Option<&'a WeightGradients>,
}

impl<'a> Pass<'a> {
    /// What goes through the ops that are whole blocks.
    fn through_blocks(
        self,
        rotation: &'a Rotation,
        attention_mask: &'a AttentionMask,
    ) -> BlockContext<'a> {
        BlockContext {
            rotation,
            attention_mask,
            checkpoint: self.checkpoint,
            gradients: self.gradients,
            weights_learn: self.learned().is_some(),
        }
    }

    /// Where the gradients of the model's own weights go, if they learn.
    fn learned(self) -> Option<&'a WeightGradients> {
        self.gradients.filter(|_| self.adapter.is_none())
    }
}

/// The block that a linear layer computes for, and what goes along with its weights.
#[derive(Clone, Copy)]
struct Place<'a> {
    layer: usize,
    pass: Pass<'a>,
}

/// `y = x W^T + b`, with the adapter's update where there is one.
#[derive(Clone, Debug)]
struct Linear {
    target: Target,
    weight: Weight, // [out, in]
    bias: Tensor,   // [out]
}

impl Linear {
    fn load(
        target: Target,
        layer: usize,
        config: &ChatGlmConfig,
        weights: Weights,
    ) -> Result<Self> {
        let (n_out, n_in) = target.shape(config);
        let name = target.module(layer);
        Ok(Self {
            target,
            weight: weights.matrix(&format!("{name}.weight"), (n_out, n_in))?,
            bias: weights.tensor(&format!("{name}.bias"), &[n_out])?,
        })
    }

    fn frozen(&self) -> FrozenLinear<'_> {
        FrozenLinear { weight: &self.weight, bias: &self.bias }
    }

    fn forward(&self, x: &Tensor, place: Place) -> Result<Tensor> {
        let weight = self.weight.dense()?;
        match self.lora(place) {
            Some(lora) => ops::lora_linear(x, &weight, Some(&self.bias), &lora),
            None => ops::linear(x, &weight, Some(&self.bias)),
        }
    }

    /// `gelu(forward(x))`.
    fn forward_gelu(&self, x: &Tensor, place: Place) -> Result<Tensor> {
        match self.lora(place) {
            Some(_) => ops::gelu(&self.forward(x, place)?),
            None => ops::linear_gelu(x, &self.weight.dense()?, &self.bias),
        }
    }

    /// `forward(x) + ALPHA * residual`.
    fn forward_residual(&self, x: &Tensor, residual: &Tensor, place: Place) -> Result<Tensor> {
        match self.lora(place) {
            Some(_) => ops::scaled_add(&self.forward(x, place)?, residual, ALPHA),
            None => ops::linear_residual(x, &self.weight.dense()?, &self.bias, residual, ALPHA),
        }
    }

    /// The update of this layer, if the adapter at hand has one.
    fn lora<'a>(&self, Place { layer, pass }: Place<'a>) -> Option<LoraOperand<'a>> {
        let adapter = pass.adapter?;
        let weights = adapter.weights(layer, self.target)?;
        let dropout =
            pass.dropout_seed.filter(|_| adapter.dropout() > 0.0).map(|pass_seed| Dropout {
                p: adapter.dropout(),
                seed: seed::derive(pass_seed, &[layer as u64, self.target as u64]),
            });
        Some(LoraOperand { a: &weights.a, b: &weights.b, scale: adapter.scale(), dropout })
    }
}

#[derive(Clone, Debug)]
struct LayerNorm {
    weight: Tensor, // [model]
    bias: Tensor,   // [model]
    eps: f64,
}

impl LayerNorm {
    fn load(name: &str, config: &ChatGlmConfig, weights: Weights) -> Result<Self> {
        Ok(Self {
            weight: weights.tensor(&format!("{name}.weight"), &[config.hidden_size])?,
            bias: weights.tensor(&format!("{name}.bias"), &[config.hidden_size])?,
            eps: config.layernorm_epsilon,
        })
    }

    fn affine(&self) -> Affine<'_> {
        Affine { weight: &self.weight, bias: &self.bias }
    }

    fn forward(&self, hidden: &Tensor) -> Result<Tensor> {
        ops::layer_norm(hidden, &self.weight, &self.bias, self.eps)
    }
}

/// What a block knows of the sequence at hand.
#[derive(Clone, Copy)]
struct Context<'a> {
    rotation: &'a Rotation,
    attention_mask: &'a AttentionMask,
    place: Place<'a>,
}

#[derive(Clone, Debug)]
struct Attention {
    query_key_value: Linear,
    dense: Linear,
    heads: usize,
}

impl Attention {
    /// What each position reads of the others, plus the residual; `[batch, seq, model]` to the same shape.
    fn forward(
        &self,
        hidden: &Tensor,
        context: Context,
        cache: Option<LayerCache>,
    ) -> Result<Tensor> {
        let Context { rotation, attention_mask, place } = context;
        let qkv = self.query_key_value.forward(hidden, place)?; // [batch, seq, heads * 3 * head_dim]
        let read = match cache {
            None => ops::rotary_attention(&qkv, rotation, self.heads, attention_mask)?,
            Some(cache) => {
                let qkv = ops::rotary_qkv(&qkv, rotation, self.heads)?; // [3, batch, heads, seq, head_dim]
                cache.attention(&qkv, attention_mask)?
            }
        }; // [batch, seq, model]
        self.dense.forward_residual(&read, hidden, place)
    }
}

#[derive(Clone, Debug)]
struct Mlp {
    dense_h_to_4h: Linear,
    dense_4h_to_h: Linear,
}

impl Mlp {
    /// The MLP's output plus the residual; `[batch, seq, model]` to the same shape.
    fn forward(&self, hidden: &Tensor, place: Place) -> Result<Tensor> {
        let inner = self.dense_h_to_4h.forward_gelu(hidden, place)?; // [batch, seq, inner]
        self.dense_4h_to_h.forward_residual(&inner, hidden, place)
    }
}

#[derive(Clone, Debug)]
struct Block {
    input_layernorm: LayerNorm,
    attention: Attention,
    post_attention_layernorm: LayerNorm,
    mlp: Mlp,
}

impl Block {
    fn load(layer: usize, config: &ChatGlmConfig, weights: Weights) -> Result<Self> {
        let linear = |target| Linear::load(target, layer, config, weights);
        let norm =
            |name| LayerNorm::load(&format!("transformer.layers.{layer}.{name}"), config, weights);
        Ok(Self {
            input_layernorm: norm("input_layernorm")?,
            attention: Attention {
                query_key_value: linear(Target::QueryKeyValue)?,
                dense: linear(Target::Dense)?,
                heads: config.num_attention_heads,
            },
            post_attention_layernorm: norm("post_attention_layernorm")?,
            mlp: Mlp {
                dense_h_to_4h: linear(Target::DenseHTo4h)?,
                dense_4h_to_h: linear(Target::Dense4hToH)?,
            },
        })
    }

    /// `hidden` `[batch, seq, model]` to the same shape.
    fn forward(
        &self,
        hidden: &Tensor,
        context: Context,
        cache: Option<LayerCache>,
    ) -> Result<Tensor> {
        let Context { rotation, attention_mask, place } = context;
        if let Some(cache) = cache {
            let context = place.pass.through_blocks(rotation, attention_mask);
            let (weights, loras) = (self.weights(), self.loras(place));
            let at_once = ops::block_cached(hidden, &weights, &loras, &context, cache)?;
            if let Some(hidden) = at_once {
                return Ok(hidden);
            }
        }
        let normed = self.input_layernorm.forward(hidden)?;
        let hidden = self.attention.forward(&normed, context, cache)?;

        let normed = self.post_attention_layernorm.forward(&hidden)?;
        self.mlp.forward(&normed, place)
    }

    /// The adapters of the linear layers.
    fn loras<'a>(&self, place: Place<'a>) -> BlockLoras<'a> {
        BlockLoras {
            query_key_value: self.attention.query_key_value.lora(place),
            dense: self.attention.dense.lora(place),
            dense_h_to_4h: self.mlp.dense_h_to_4h.lora(place),
            dense_4h_to_h: self.mlp.dense_4h_to_h.lora(place),
        }
    }

    fn weights(&self) -> BlockWeights<'_> {
        BlockWeights {
            input_layernorm: self.input_layernorm.affine(),
            query_key_value: self.attention.query_key_value.frozen(),
            dense: self.attention.dense.frozen(),
            post_attention_layernorm: self.post_attention_layernorm.affine(),
            dense_h_to_4h: self.mlp.dense_h_to_4h.frozen(),
            dense_4h_to_h: self.mlp.dense_4h_to_h.frozen(),
            heads: self.attention.heads,
            eps: self.input_layernorm.eps,
            alpha: ALPHA,
        }
    }
}

/// Where a model's weights come from, by published name and shape.
pub trait WeightSource {
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor>;

    /// Of a linear layer, `[out, in]`; these alone may be in few bits.
    fn matrix(&self, name: &str, (n_out, n_in): (usize, usize)) -> Result<Weight> {
        self.tensor(name, &[n_out, n_in]).map(Weight::Dense)
    }
}

impl<F: Fn(&str, &[usize]) -> Result<Tensor>> WeightSource for F {
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self(name, shape)
    }
}

type Weights<'a> = &'a dyn WeightSource;

/// The whole model. It holds no state between passes: a cache is passed in.
#[derive(Clone, Debug)]
pub struct ChatGlm {
    config: ChatGlmConfig,
    word_embeddings: Tensor, // [vocab, model], also the output layer
    layers: Vec<Block>,
    final_layernorm: LayerNorm,
    /// Angle by position of each pair of elements that the rotary embedding turns.
    inv_freq: Vec<f32>,
}

impl ChatGlm {
    /// Asks `weights` for every tensor of the published form, once each.
    pub fn load(config: ChatGlmConfig, weights: Weights) -> Result<Self> {
        let word_embeddings = weights.tensor(
            "transformer.word_embeddings.weight",
            &[config.vocab_size, config.hidden_size],
        )?;
        let layers = (0..config.num_layers)
            .map(|layer| Block::load(layer, &config, weights))
            .collect::<Result<_>>()?;
        let final_layernorm = LayerNorm::load("transformer.final_layernorm", &config, weights)?;
        let inv_freq = inv_freq(&config);
        Ok(Self { config, word_embeddings, layers, final_layernorm, inv_freq })
    }

    pub fn config(&self) -> &ChatGlmConfig {
        &self.config
    }

    pub fn device(&self) -> &Device {
        self.word_embeddings.device()
    }

    /// What is computed with.
    pub fn dtype(&self) -> DType {
        self.word_embeddings.dtype()
    }

    /// An empty pool of pages for the keys and values of chats with this model, at most `most` of them at a time; with
    /// `None` as many as the device has memory for.
    pub fn page_pool(&self, most: Option<usize>) -> PagePool {
        let ChatGlmConfig { num_layers: layers, num_attention_heads: heads, .. } = self.config;
        let shape = PageShape { layers, heads, head: self.config.head_dim() };
        PagePool::new(shape, self.dtype(), self.device(), most)
    }

    /// What the weights are kept in.
    pub fn kept_in(&self) -> WeightFormat {
        let block = self.layers.first();
        let quantization = block.and_then(|block| block.mlp.dense_h_to_4h.weight.form());
        WeightFormat { dtype: self.dtype(), quantization }
    }

    /// The states after the final layer norm, `[batch, seq, model]`.
    pub fn hidden_states(&self, input: &Input, pass: Pass) -> Result<Tensor> {
        self.forward(input, pass, None)
    }

    /// The same, reading what `cache` holds of the sequence so far and adding to it.
    pub fn hidden_states_cached(
        &self,
        input: &Input,
        pass: Pass,
        cache: &mut KvCache,
    ) -> Result<Tensor> {
        self.forward(input, pass, Some(cache))
    }

    fn forward(
        &self,
        input: &Input,
        pass: Pass,
        mut cache: Option<&mut KvCache>,
    ) -> Result<Tensor> {
        let (_, seq) = input.input_ids.dims2()?;
        if let Some(cache) = &mut cache {
            cache.reserve(seq)?;
        }
        let rotation = Rotation::new(&self.inv_freq, &input.position_ids, self.device())?;
        let mut hidden = match pass.learned() {
            Some(gradients) => {
                ops::learned_embedding(&input.input_ids, &self.word_embeddings, gradients)
            }
            None => ops::embedding(&input.input_ids, &self.word_embeddings),
        }?; // [batch, seq, model]
        let attention_mask = &input.attention_mask;
        let at_once = match cache {
            None => self.blocks_at_once(&hidden, &rotation, attention_mask, pass)?,
            Some(_) => None,
        };
        if let Some(through) = at_once {
            hidden = through;
        } else {
            for (layer, block) in self.layers.iter().enumerate() {
                let place = Place { layer, pass };
                let context = Context { rotation: &rotation, attention_mask, place };
                let cache = cache.as_deref().map(|cache| cache.layer(layer));
                hidden = block.forward(&hidden, context, cache)?;
            }
        }
        if let Some(cache) = cache {
            cache.advance(seq);
        }
        let LayerNorm { weight, bias, eps } = &self.final_layernorm;
        match pass.learned() {
            Some(gradients) => ops::learned_layer_norm(&hidden, [weight, bias], *eps, gradients),
            None => self.final_layernorm.forward(&hidden),
        }
    }

    /// All blocks as one op, where the device has one.
    fn blocks_at_once(
        &self,
        hidden: &Tensor,
        rotation: &Rotation,
        attention_mask: &AttentionMask,
        pass: Pass,
    ) -> Result<Option<Tensor>> {
        let layers = self.layers.iter().enumerate();
        let blocks: Vec<_> = layers
            .map(|(layer, block)| (block.weights(), block.loras(Place { layer, pass })))
            .collect();
        ops::blocks(hidden, &blocks, &pass.through_blocks(rotation, attention_mask))
    }

    /// Scores of every token, `[.., model]` to `[.., vocab]`.
    pub fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        ops::logits(hidden, &self.word_embeddings)
    }

    /// Mean cross-entropy, in nats, of predicting `targets` `[rows]` from `hidden` `[rows, model]`.
    ///
    /// The logits of all rows never exist at once.
    pub fn loss(&self, hidden: &Tensor, targets: &[u32], pass: Pass) -> Result<Tensor> {
        let head = &self.word_embeddings;
        match pass.learned() {
            Some(gradients) => ops::learned_cross_entropy(hidden, head, targets, gradients),
            None => ops::cross_entropy(hidden, head, targets),
        }
    }
}

/// `1 / 10000^(2i / n)` for the pairs `i` of `n` elements: half a head with 2-D positions, else a whole one.
///
/// Rounded to f16, as the reference keeps them (`RotaryEmbedding.__init__`), whatever it computes in.
fn inv_freq(config: &ChatGlmConfig) -> Vec<f32> {
    let turned = config.head_dim() / if config.position_encoding_2d { 2 } else { 1 };
    (0..turned / 2)
        .map(|pair| {
            let exponent = (2 * pair) as f32 / turned as f32;
            f16::from_f32(1.0 / 10_000f32.powf(exponent)).to_f32()
        })
        .collect()
}
