//! How a dataset is encoded. The same options, tokenizer and pairs give the same samples everywhere.

use serde::{Deserialize, Serialize};

use super::{PositionRule, Truncation};
use crate::prompt::Templates;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SampleOptions {
    /// Most tokens of a question and its separator, `[gMASK] <sop>` not counted.
    pub max_source_length: usize,
    /// Most tokens of an answer, `<eop>` not counted.
    pub max_target_length: usize,
    /// What becomes of a question or an answer that is longer.
    pub truncation: Truncation,
    /// Two rows of position ids (the published models) or one; `position_encoding_2d` in the model's `config.json`.
    pub position_encoding_2d: bool,
    pub position_rule: PositionRule,
    pub templates: Templates,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self {
            max_source_length: 200,
            max_target_length: 500,
            truncation: Truncation::End,
            position_encoding_2d: true,
            position_rule: PositionRule::V096f3de,
            templates: Templates::default(),
        }
    }
}
