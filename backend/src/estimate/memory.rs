//! What is in memory when: counted from what each op keeps for its backward and has beside it while it runs.

use weft_shared::api::estimate::MemoryEstimate;

use super::{
    Learning, Processor, Workload,
    lengths::{Pass, largest},
    weights::{matrices, model_bytes},
};
use crate::{
    lora::Target,
    ops::{self, gpu_loss_rows},
};

/// Bytes of an f32: of what learns, of its gradients and moments, and of sums.
const FLOAT: usize = 4;
/// What matrix products on a GPU take for themselves, see `ops::cuda::gemm`.
const GPU_WORKSPACE: usize = 32 << 20;
/// Label rows that a task of a processor takes through a part of the vocabulary, see `ops::cross_entropy`.
const CPU_LOSS_ROWS: usize = 128;

pub(super) fn memory(workload: &Workload) -> MemoryEstimate {
    let pass = largest(workload);
    let learned = workload.learning.numbers(workload.config) as usize;
    let moments = 2 * learned * FLOAT;
    let gradients = learned * FLOAT;
    let weights = model_bytes(workload.config, workload.weights);
    let learned = match workload.learning {
        Learning::Lora { .. } => learned * FLOAT + moments,
        Learning::Everything => moments,
    };
    let held = held(workload, &pass);
    let loss = loss(workload, &pass);
    let scratch = scratch(workload, &pass);

    // One after the other. With several passes a step, the sum of the earlier ones is there too, and beside what is
    // kept the next sum is made.
    let earlier = if workload.accumulation > 1 { gradients } else { 0 };
    let at_loss = held + loss + earlier;
    let in_backward = in_backward(workload, &pass, held, gradients) + scratch + earlier;
    let at_sum = if workload.accumulation > 1 { held + 3 * gradients } else { 0 };
    let workspace = match workload.processor {
        Processor::Gpu => GPU_WORKSPACE,
        Processor::Cpu { .. } => 0,
    };
    let always = weights + learned + workspace;
    MemoryEstimate {
        peak_bytes: (always + at_loss.max(in_backward).max(at_sum)) as u64,
        weights_bytes: weights as u64,
        learned_bytes: learned as u64,
        gradients_bytes: (gradients + 2 * earlier) as u64,
        kept_bytes: held as u64,
        loss_bytes: loss as u64,
        scratch_bytes: (scratch + workspace) as u64,
    }
}

/// What is held of `held` and of the gradients at the most. Blocks that are one op drop what they have kept as the walk back
/// goes past them and leaves their gradients; the tape holds everything to the end.
fn in_backward(workload: &Workload, pass: &Pass, held: usize, gradients: usize) -> usize {
    if !workload.has_block_op() {
        return held + gradients;
    }
    let layers = workload.config.num_layers;
    let past = layers.saturating_sub(1) * held_of_block(workload, pass);
    (held + gradients / layers.max(1)).max(held - past + gradients)
}

/// What the forward keeps until the backward.
fn held(workload: &Workload, pass: &Pass) -> usize {
    let Workload { config, weights, .. } = workload;
    let hidden = pass.tokens * config.hidden_size * weights.dtype.size_in_bytes();
    let block = held_of_block(workload, pass);
    // The last block's output and its norm, and of the label rows the hidden states and their gradient.
    let label_rows = pass.label_rows * config.hidden_size * weights.dtype.size_in_bytes();
    config.num_layers * block + 2 * hidden + 2 * label_rows
}

/// Of one block.
fn held_of_block(workload: &Workload, pass: &Pass) -> usize {
    let Workload { config, weights, .. } = workload;
    if workload.is_checkpointed() {
        return pass.tokens * config.hidden_size * weights.dtype.size_in_bytes();
    }
    kept_of_block(workload, pass)
}

/// What a block keeps for its backward, its input included.
fn kept_of_block(workload: &Workload, pass: &Pass) -> usize {
    if workload.has_block_op() {
        kept_of_block_op(workload, pass)
    } else if workload.processor == Processor::Gpu {
        kept_of_plain_ops(workload, pass)
    } else {
        kept_of_cpu_ops(workload, pass)
    }
}

/// Of the block that is one op.
fn kept_of_block_op(workload: &Workload, pass: &Pass) -> usize {
    let Workload { config, weights, .. } = workload;
    let sizes = (config.hidden_size, config.inner_hidden_size, config.num_attention_heads);
    let ranks = Target::ALL.map(|target| workload.learning.rank(target));
    ops::block_keeps(pass.tokens, sizes, ranks, weights.dtype.size_in_bytes())
}

/// The ops of a processor: input, its norm, queries, keys and values, what attention read, the middle, its norm,
/// GELU's input and output. Where a layer with a residual learns, its output is kept before the residual is added.
fn kept_of_cpu_ops(workload: &Workload, pass: &Pass) -> usize {
    let config = workload.config;
    let mut numbers = 8 * config.hidden_size + 2 * config.inner_hidden_size;
    numbers += config.num_attention_heads + ranks(workload);
    for target in [Target::Dense, Target::Dense4hToH] {
        if workload.learning == Learning::Everything || workload.learning.rank(target) > 0 {
            numbers += config.hidden_size;
        }
    }
    pass.tokens * numbers * FLOAT
}

/// candle's own ops (`ops::composed`), every result of which stays on the tape: what a GPU computes with where it has
/// no block op. Adapter, GELU and the scores of attention are f32.
fn kept_of_plain_ops(workload: &Workload, pass: &Pass) -> usize {
    let Workload { config, weights, learning, .. } = workload;
    let number = weights.dtype.size_in_bytes();
    let is_half = usize::from(number < FLOAT);
    let (model, inner) = (config.hidden_size, config.inner_hidden_size);

    let norms = 2 * model * if is_half == 1 { number } else { 5 * number };
    let linears: usize = Target::ALL
        .into_iter()
        .map(|target| {
            let (n_out, n_in) = target.shape(config);
            let frozen = 2 * n_out * number;
            if learning.rank(target) == 0 {
                return frozen;
            }
            let dropped = match learning {
                Learning::Lora { dropout: true, .. } => 2 * n_in * number,
                _ => 0,
            };
            let widened = is_half * (n_in * FLOAT + n_out * number);
            frozen + dropped + widened + 2 * n_out * FLOAT + n_out * number
        })
        .sum();
    let gelu = 9 * inner * FLOAT + is_half * inner * (FLOAT + number);
    let residuals = 4 * model * number;
    let attention = 17 * model * number;
    // Products, scaled, masked, and three steps of the softmax; in half the products and the result beside.
    let a_score = 6 * FLOAT + is_half * 2 * number;
    let input = model * number;
    let scores = config.num_attention_heads * a_score * pass.pairs;
    pass.tokens * (input + norms + linears + gelu + residuals + attention) + scores
}

/// While a block is computed, beside what is kept: the gradients on their way. A block that is computed again keeps
/// what it needs for that time; a matrix in few bits is made numbers again.
fn scratch(workload: &Workload, pass: &Pass) -> usize {
    let Workload { config, weights, .. } = workload;
    let (model, inner) = (config.hidden_size, config.inner_hidden_size);
    let number = weights.dtype.size_in_bytes();
    let numbers = match workload.processor {
        // The most is either around GELU or before the first norm.
        Processor::Gpu if workload.has_block_op() => (2 * model + inner).max(6 * model),
        // candle adds a sum and a copy.
        Processor::Gpu => (2 * model + inner).max(8 * model) + 2 * model,
        Processor::Cpu { .. } => 2 * inner + 6 * model,
    };
    let again = if workload.is_checkpointed() { kept_of_block_op(workload, pass) } else { 0 };
    let matrix = if weights.quantization.is_some() {
        matrices(config).into_iter().map(|(n_out, n_in)| n_out * n_in).max().unwrap_or(0) * number
    } else {
        0
    };
    pass.tokens * numbers * number + again + matrix
}

/// While the loss is computed, beside what is kept.
fn loss(workload: &Workload, pass: &Pass) -> usize {
    let Workload { config, weights, .. } = workload;
    let (rows, vocab, model) = (pass.label_rows, config.vocab_size, config.hidden_size);
    let number = weights.dtype.size_in_bytes();
    match workload.processor {
        Processor::Gpu if number < FLOAT => {
            let chunks = rows.div_ceil(gpu_loss_rows(vocab)).max(1);
            let chunk = rows.div_ceil(chunks);
            // Scores in f32, their gradient in half.
            chunk * vocab * (FLOAT + number)
        }
        // Of all rows at once: scores, differences, exponentials, and gradients of two of them.
        Processor::Gpu => 5 * rows * vocab * FLOAT,
        Processor::Cpu { threads } => {
            let blocks = rows.div_ceil(CPU_LOSS_ROWS).max(1);
            let parts = (2 * threads).div_ceil(blocks);
            // Each part of the vocabulary has its weighted sum; then the gradient, and the gradient scaled.
            rows * model * (parts + 1) * FLOAT
        }
    }
}

/// Of all updates of a block together.
fn ranks(workload: &Workload) -> usize {
    Target::ALL.into_iter().map(|target| workload.learning.rank(target)).sum()
}
