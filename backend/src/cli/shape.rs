//! A model's sizes by name, of which nothing is fetched.

use std::str::FromStr;

use anyhow::Context as _;

use crate::{bench::Shape, chatglm::ChatGlmConfig, embedded};

/// Largest of each size.
const MOST: usize = 1 << 20;

/// A model's sizes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ModelShape(pub(super) Shape);

impl ModelShape {
    /// Refuses sizes that no model has.
    pub(super) fn check(Shape { layers, hidden, heads, vocab }: Shape) -> Option<Self> {
        let sizes = [layers, hidden, heads, vocab];
        let is_possible = sizes.iter().all(|it| (1..=MOST).contains(it));
        // The rotary embedding turns pairs in both halves of a head.
        let fits =
            is_possible && hidden.is_multiple_of(heads) && (hidden / heads).is_multiple_of(4);
        fits.then_some(Self(Shape { layers, hidden, heads, vocab }))
    }

    fn embedded() -> anyhow::Result<Self> {
        let config = ChatGlmConfig::from_json(embedded::CONFIG)?;
        Self::check(Shape {
            layers: config.num_layers,
            hidden: config.hidden_size,
            heads: config.num_attention_heads,
            vocab: config.vocab_size,
        })
        .context("the embedded model has another shape")
    }
}

impl FromStr for ModelShape {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let shape = |layers, hidden, heads, vocab| Shape { layers, hidden, heads, vocab };
        let found = match name {
            "chatglm-6b" => Self::check(Shape::CHATGLM_6B),
            // That of the reference data.
            "mini" => Self::check(shape(3, 32, 2, 320)),
            "embedded" => return Self::embedded().map_err(|error| error.to_string()),
            _ => {
                let sizes: Option<Vec<usize>> =
                    name.split('x').map(|size| size.parse().ok()).collect();
                match sizes.as_deref() {
                    Some(&[layers, hidden, heads, vocab]) => {
                        Self::check(shape(layers, hidden, heads, vocab))
                    }
                    _ => None,
                }
            }
        };
        found.ok_or_else(|| {
            format!(
                "wanted chatglm-6b, mini, embedded, or LAYERSxHIDDENxHEADSxVOCAB such as 28x4096x32x150528 (heads \
                 divide the hidden size into multiples of 4), found {name:?}"
            )
        })
    }
}
