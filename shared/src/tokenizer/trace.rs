//! What each step of tokenizing does to a text, for people to look at.

use serde::{Deserialize, Serialize};

use super::core::Core;
use super::special::Segment;
use super::{Encoding, whitespace};

/// A text on its way to ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// In the order in which they are taken.
    pub steps: Vec<TraceStep>,
    /// Where the text ends up.
    pub encoding: Encoding,
}

/// The text after one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceStep {
    pub name: StepName,
    /// The text in parts, as it is cut after this step.
    pub parts: Vec<TracePart>,
    /// Whether this step changed anything.
    pub changed: bool,
}

/// The steps of tokenizing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// The text as it came, in lower case where the configuration asks for it.
    Text,
    /// Special tokens that stand in the text by name are cut out, with the white space around them.
    SpecialTokens,
    /// Line breaks, tabs and runs of spaces get the names of their tokens.
    WhiteSpace,
    /// Characters are rewritten by the vocabulary's rules, for example full-width letters.
    Characters,
    /// Spaces at the ends go, runs become one, one is added in front, and each is written `▁`.
    Spaces,
    /// The text is cut into the most probable pieces.
    Pieces,
}

/// A part of the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracePart {
    pub text: String,
    /// A special token, which no later step touches.
    pub special: bool,
}

impl Core {
    /// The steps of `text`, which ends up as `encoding`.
    pub(super) fn trace(&self, text: &str, encoding: Encoding) -> Trace {
        let mut lowered = String::new();
        if self.config.do_lower_case {
            self.lowercase(text, &mut lowered);
        } else {
            lowered.push_str(text);
        }
        let start = vec![TracePart { text: lowered.clone(), special: false }];
        let split =
            self.special_tokens.split(&lowered).into_iter().map(|Segment { range, special }| {
                let mut part = lowered[range].to_owned();
                if special.is_none() && self.config.remove_space {
                    let mut words = String::new();
                    Self::remove_spaces(&part, &mut words);
                    part = words;
                }
                TracePart { text: part, special: special.is_some() }
            });
        let split: Vec<_> = split.collect();
        let named = rewritten(&split, |text| {
            let mut out = String::new();
            whitespace::encode(text, &mut out);
            out
        });
        let ruled = rewritten(&named, |text| self.normalizer.apply_rules(text));
        let normalized = rewritten(&named, |text| {
            let mut out = String::new();
            self.normalizer.normalize(text, &mut out);
            out
        });
        let pieces = normalized.iter().flat_map(|part| self.pieces(part)).collect();

        let original = vec![TracePart { text: text.to_owned(), special: false }];
        let mut before = &original;
        let texts = [
            (StepName::Text, start),
            (StepName::SpecialTokens, split),
            (StepName::WhiteSpace, named),
            (StepName::Characters, ruled),
            (StepName::Spaces, normalized),
            (StepName::Pieces, pieces),
        ];
        let steps = texts.iter().map(|(name, parts)| {
            let changed = std::mem::replace(&mut before, parts) != parts;
            TraceStep { name: *name, parts: parts.clone(), changed }
        });
        Trace { steps: steps.collect(), encoding }
    }

    fn pieces(&self, part: &TracePart) -> Vec<TracePart> {
        if part.special {
            return vec![part.clone()];
        }
        let steps = self.unigram.segment(&part.text);
        let piece = |start: u32, end: u32| part.text[start as usize..end as usize].to_owned();
        steps
            .iter()
            .map(|step| TracePart { text: piece(step.start, step.end), special: false })
            .collect()
    }
}

fn rewritten(parts: &[TracePart], step: impl Fn(&str) -> String) -> Vec<TracePart> {
    let rewrite = |part: &TracePart| {
        if part.special {
            part.clone()
        } else {
            TracePart { text: step(&part.text), special: false }
        }
    };
    parts.iter().map(rewrite).collect()
}
