//! The linear layers of a block that an adapter can update.

use crate::chatglm::ChatGlmConfig;

/// A linear layer of every block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Queries, keys and values of all heads: `[3 * model, model]`.
    QueryKeyValue,
    /// The attention's output: `[model, model]`.
    Dense,
    /// Into the MLP: `[inner, model]`.
    DenseHTo4h,
    /// Out of the MLP: `[model, inner]`.
    Dense4hToH,
}

/// A name in `target_modules` that no block has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no linear layer is called {found:?}; a block has query_key_value, dense, dense_h_to_4h and dense_4h_to_h \
     (all-linear: all four)"
)]
pub struct UnknownTarget {
    pub found: String,
}

impl Target {
    pub const ALL: [Self; 4] =
        [Self::QueryKeyValue, Self::Dense, Self::DenseHTo4h, Self::Dense4hToH];

    /// Its published name inside the block's attention or MLP.
    pub fn name(self) -> &'static str {
        match self {
            Self::QueryKeyValue => "query_key_value",
            Self::Dense => "dense",
            Self::DenseHTo4h => "dense_h_to_4h",
            Self::Dense4hToH => "dense_4h_to_h",
        }
    }

    /// Its published name inside the model, without `.weight`.
    pub fn module(self, layer: usize) -> String {
        let part = match self {
            Self::QueryKeyValue | Self::Dense => "attention",
            Self::DenseHTo4h | Self::Dense4hToH => "mlp",
        };
        format!("transformer.layers.{layer}.{part}.{}", self.name())
    }

    /// The layer and target that a published name stands for.
    pub fn of_module(module: &str) -> Option<(usize, Self)> {
        let layer = module.strip_prefix("transformer.layers.")?.split('.').next()?.parse().ok()?;
        Self::ALL.into_iter().find(|it| it.module(layer) == module).map(|it| (layer, it))
    }

    /// `(out, in)` of its weight.
    pub fn shape(self, config: &ChatGlmConfig) -> (usize, usize) {
        let (model, inner) = (config.hidden_size, config.inner_hidden_size);
        match self {
            Self::QueryKeyValue => (3 * model, model),
            Self::Dense => (model, model),
            Self::DenseHTo4h => (inner, model),
            Self::Dense4hToH => (model, inner),
        }
    }

    /// The targets that `names` mean, each once, in the block's order.
    pub fn from_names<S: AsRef<str>>(names: &[S]) -> Result<Vec<Self>, UnknownTarget> {
        let mut targets = Vec::new();
        for name in names {
            match Self::ALL.into_iter().find(|it| it.name() == name.as_ref()) {
                Some(target) => targets.push(target),
                None if name.as_ref() == "all-linear" => targets.extend(Self::ALL),
                None => return Err(UnknownTarget { found: name.as_ref().to_owned() }),
            }
        }
        targets.sort_unstable();
        targets.dedup();
        Ok(targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_name_stands_for_one_layer_and_target() {
        for target in Target::ALL {
            assert_eq!(Target::of_module(&target.module(27)), Some((27, target)));
        }
        for other in ["transformer.layers.0.mlp.dense", "transformer.layers.x.mlp.dense_4h_to_h"] {
            assert_eq!(Target::of_module(other), None, "{other}");
        }
    }

    #[test]
    fn names_are_sorted_and_a_wrong_one_is_refused() {
        assert_eq!(
            Target::from_names(&["dense", "query_key_value", "dense"]),
            Ok(vec![Target::QueryKeyValue, Target::Dense])
        );
        assert_eq!(Target::from_names(&["all-linear"]), Ok(Target::ALL.to_vec()));
        assert!(Target::from_names(&["q_proj"]).unwrap_err().to_string().contains("q_proj"));
    }
}
