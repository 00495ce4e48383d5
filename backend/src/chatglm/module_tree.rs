//! The modules of a model with their shapes, as PyTorch prints them.

use std::fmt::Write as _;

use super::ChatGlmConfig;
use crate::lora::Target;

/// What `print(model)` of the published code shows; blocks, all alike, stand in one entry.
pub fn module_tree(config: &ChatGlmConfig) -> String {
    let model = config.hidden_size;
    let norm = format!(
        "LayerNorm(({model},), eps={}, elementwise_affine=True)",
        python_float(config.layernorm_epsilon)
    );
    let linear = |target: Target| {
        let (n_out, n_in) = target.shape(config);
        format!("Linear(in_features={n_in}, out_features={n_out}, bias=True)")
    };
    let blocks = match config.num_layers {
        1 => ("(0)", "GLMBlock(".to_owned()),
        n => (&*format!("(0-{})", n - 1), format!("{n} x GLMBlock(")),
    };
    let lines: [(usize, &str, String); 18] = [
        (1, "(transformer)", "ChatGLMModel(".to_owned()),
        (2, "(word_embeddings)", format!("Embedding({}, {model})", config.vocab_size)),
        (2, "(layers)", "ModuleList(".to_owned()),
        (3, blocks.0, blocks.1),
        (4, "(input_layernorm)", norm.clone()),
        (4, "(attention)", "SelfAttention(".to_owned()),
        (5, "(rotary_emb)", "RotaryEmbedding()".to_owned()),
        (5, "(query_key_value)", linear(Target::QueryKeyValue)),
        (5, "(dense)", linear(Target::Dense)),
        (4, "", ")".to_owned()),
        (4, "(post_attention_layernorm)", norm.clone()),
        (4, "(mlp)", "GLU(".to_owned()),
        (5, "(dense_h_to_4h)", linear(Target::DenseHTo4h)),
        (5, "(dense_4h_to_h)", linear(Target::Dense4hToH)),
        (4, "", ")".to_owned()),
        (3, "", ")".to_owned()),
        (2, "", ")".to_owned()),
        (2, "(final_layernorm)", norm),
    ];
    let mut tree = String::from("ChatGLMForConditionalGeneration(\n");
    for (depth, name, module) in lines {
        let separator = if name.is_empty() { "" } else { ": " };
        // Writing to a string cannot fail.
        let _ = writeln!(tree, "{:indent$}{name}{separator}{module}", "", indent = 2 * depth);
    }
    let rows = config.vocab_size;
    let _ = write!(
        tree,
        "  )\n  (lm_head): Linear(in_features={model}, out_features={rows}, bias=False)\n)"
    );
    tree
}

/// As Python writes it: 1e-05.
fn python_float(number: f64) -> String {
    if number >= 1e-4 {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once("e-") {
        Some((digits, exponent)) => format!("{digits}e-{exponent:0>2}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_model_is_printed_as_pytorch_prints_it() {
        let tree = module_tree(&ChatGlmConfig::of_shape(28, 4096, 32, 150_528));

        let printed = "\
ChatGLMForConditionalGeneration(
  (transformer): ChatGLMModel(
    (word_embeddings): Embedding(150528, 4096)
    (layers): ModuleList(
      (0-27): 28 x GLMBlock(
        (input_layernorm): LayerNorm((4096,), eps=1e-05, elementwise_affine=True)
        (attention): SelfAttention(
          (rotary_emb): RotaryEmbedding()
          (query_key_value): Linear(in_features=4096, out_features=12288, bias=True)
          (dense): Linear(in_features=4096, out_features=4096, bias=True)
        )
        (post_attention_layernorm): LayerNorm((4096,), eps=1e-05, elementwise_affine=True)
        (mlp): GLU(
          (dense_h_to_4h): Linear(in_features=4096, out_features=16384, bias=True)
          (dense_4h_to_h): Linear(in_features=16384, out_features=4096, bias=True)
        )
      )
    )
    (final_layernorm): LayerNorm((4096,), eps=1e-05, elementwise_affine=True)
  )
  (lm_head): Linear(in_features=4096, out_features=150528, bias=False)
)";
        assert_eq!(tree, printed);
    }

    #[test]
    fn a_single_block_has_no_range() {
        let tree = module_tree(&ChatGlmConfig::of_shape(1, 16, 2, 40));

        assert!(tree.contains("      (0): GLMBlock(\n"), "{tree}");
    }

    #[test]
    fn floats_are_written_as_python_writes_them() {
        assert_eq!([1e-5, 1.5e-12, 1e-3].map(python_float), ["1e-05", "1.5e-12", "0.001"]);
    }
}
