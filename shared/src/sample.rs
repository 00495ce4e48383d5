//! A pair becomes what the model is trained on: four sequences of one length, and a rule for who sees whom.
//!
//! ```text
//! input_ids     问 : …question… \n 答 : [gMASK]  <sop>  …answer… <eop>
//! labels        -100 … … … … … … … …   -100    -100   …answer… <eop>
//! position_ids  0 1 2 … … … … … … …     c-1     c      c+1 …              row 0: where in the text
//!               0 0 0 … … … … … … …      0      1       2  …              row 1: where in the answer
//! ```
//!
//! `c`, the *context length*, is the index of the first `<sop>`. The four files below each hold one of these rules;
//! they follow the published tutorial's `create_inputs_and_labels`, `get_position_ids` and `get_attention_mask`.

mod assemble;
mod digest;
mod encoder;
mod mask;
mod options;
mod origin;
mod positions;
mod truncation;

use serde::{Deserialize, Serialize};

pub use self::assemble::{PairIds, assemble};
pub use self::digest::{DatasetDigest, DigestBuilder};
pub use self::encoder::SampleEncoder;
pub use self::mask::AttentionMask;
pub use self::options::SampleOptions;
pub use self::origin::{Explained, Part, SourcedToken};
pub use self::positions::{
    GenerationPositions, PositionIds, PositionRule, context_length, position_ids,
};
pub use self::truncation::{Fit, Truncation};
use crate::prompt::TemplateError;

/// The label of a token that is read and not learned, as in PyTorch's cross entropy.
pub const IGNORED: i64 = -100;

/// One training sample: no padding, every sequence `[seq]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    pub input_ids: Vec<u32>,
    /// The token to learn at each place, [`IGNORED`] on the prompt. Unshifted: the loss compares the logits of
    /// place `i` with the label of place `i + 1`.
    pub labels: Vec<i64>,
    pub position_ids: PositionIds,
    /// Index of the first `<sop>`; every place may read all places before it.
    pub context_length: usize,
}

impl Sample {
    /// How many tokens the sample has.
    pub fn len(&self) -> usize {
        self.input_ids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.input_ids.is_empty()
    }

    /// How many tokens are learned, `<eop>` included.
    pub fn learned(&self) -> usize {
        self.labels.iter().filter(|&&label| label != IGNORED).count()
    }

    /// Who may see whom.
    pub fn attention_mask(&self) -> AttentionMask {
        AttentionMask { context_length: self.context_length, length: self.len() }
    }
}

/// A sample, and how its two parts fitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoded {
    pub sample: Sample,
    /// The prompt with its template and history, without the separator.
    pub question: Fit,
    /// The answer, without `<eop>`.
    ///
    /// When it is cut, `<eop>` still follows, as in the published code: the model then learns to stop in the middle
    /// of a sentence. Show it to the person who made the pair.
    pub answer: Fit,
}

impl Encoded {
    /// Whether the sample lacks some of the pair's text.
    pub fn is_cut(&self) -> bool {
        self.question.is_cut() || self.answer.is_cut()
    }
}

/// Why samples make no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("sample {0} of the batch has another number of position rows than the first")]
    MixedPositions(usize),
}

/// Why a pair gives no sample.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(
        "max_source_length is {max_source_length}, and the separator alone has {separator} tokens"
    )]
    NoRoomForQuestion { max_source_length: usize, separator: usize },
    #[error("max_target_length is 0: nothing could be learned")]
    NoRoomForAnswer,
    #[error("too long: question {question}, answer {answer}")]
    TooLong { question: Fit, answer: Fit },
    #[error("the sequence has no {0}")]
    NoSuchSpecial(&'static str),
}
