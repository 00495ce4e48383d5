//! Pairs as a run reads them: encoded, split into a training and a held-out part, and named by a digest.

use std::collections::HashSet;

use weft_shared::{
    pair::Pair,
    prompt::PromptForm,
    sample::{DatasetDigest, Fit, Sample, SampleEncoder, SampleError, SampleOptions},
    tokenizer::ChatGlmTokenizer,
    training::TrainingOptions,
};

use crate::training::split_held_out;

/// Why pairs make no training set.
#[derive(Debug, thiserror::Error)]
pub enum TrainingSetError {
    #[error("nothing can be encoded with these options")]
    Encoding(#[source] SampleError),
    #[error("no usable pair: all {0} are left out")]
    NoUsablePair(usize),
}

/// The samples of one part, and the pairs that they are from.
#[derive(Clone, Debug, Default)]
pub struct Part {
    pub samples: Vec<Sample>,
    /// The index of each sample's pair.
    pub pairs: Vec<usize>,
}

impl Part {
    fn add(&mut self, pair: usize, sample: Sample) {
        self.pairs.push(pair);
        self.samples.push(sample);
    }
}

/// What a run is trained and evaluated on.
#[derive(Clone, Debug)]
pub struct TrainingSet {
    pub train: Part,
    pub held_out: Part,
    /// What the model can do already, and rehearses; in no digest and never held out.
    pub rehearsal: Vec<Sample>,
    /// Of all samples, before the split.
    pub digest: DatasetDigest,
    /// Pairs that are cut, with the lengths of question and answer.
    pub cut: Vec<(usize, Fit, Fit)>,
    /// Pairs that give no sample, and why.
    pub left_out: Vec<(usize, SampleError)>,
}

impl TrainingSet {
    /// Encodes `pairs` in each of the forms, form by form, and holds out the share of the pairs that `options` say.
    pub fn encode(
        pairs: &[Pair],
        forms: &[PromptForm],
        tokenizer: &ChatGlmTokenizer,
        encoding: &SampleOptions,
        options: &TrainingOptions,
    ) -> Result<Self, TrainingSetError> {
        let (mut samples, mut cut, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for (number, &form) in forms.iter().enumerate() {
            let templates = encoding.templates.clone().in_form(form);
            let encoder =
                SampleEncoder::new(tokenizer, SampleOptions { templates, ..encoding.clone() })
                    .map_err(TrainingSetError::Encoding)?;
            for (index, pair) in pairs.iter().enumerate() {
                // With history there is only the form of a conversation.
                if number > 0 && !pair.history.is_empty() {
                    continue;
                }
                match encoder.encode(pair) {
                    Ok(encoded) => {
                        if encoded.is_cut() {
                            cut.push((index, encoded.question, encoded.answer));
                        }
                        samples.push((index, encoded.sample));
                    }
                    Err(error) => left_out.push((index, error)),
                }
            }
        }
        if samples.is_empty() {
            return Err(TrainingSetError::NoUsablePair(pairs.len()));
        }

        let digest = DatasetDigest::of(samples.iter().map(|(_, sample)| sample));
        let held_out_pairs = held_out_pairs(samples.iter().map(|&(pair, _)| pair), options);
        let (mut train, mut held_out) = (Part::default(), Part::default());
        for (pair, sample) in samples {
            let part = if held_out_pairs.contains(&pair) { &mut held_out } else { &mut train };
            part.add(pair, sample);
        }
        Ok(Self { train, held_out, rehearsal: Vec::new(), digest, cut, left_out })
    }

    /// With `pairs` to rehearse, in every form that a question can have.
    pub fn rehearsing(
        self,
        pairs: &[Pair],
        tokenizer: &ChatGlmTokenizer,
        encoding: &SampleOptions,
    ) -> Result<Self, TrainingSetError> {
        if pairs.is_empty() {
            return Ok(self);
        }
        let forms = [PromptForm::Training, PromptForm::Chat];
        let options = TrainingOptions { eval_share: 0.0, ..TrainingOptions::default() };
        let rehearsal = Self::encode(pairs, &forms, tokenizer, encoding, &options)?.train.samples;
        Ok(Self { rehearsal, ..self })
    }
}

/// Pairs rather than samples are held out: in another form a pair would give its answer away.
fn held_out_pairs(used: impl Iterator<Item = usize>, options: &TrainingOptions) -> HashSet<usize> {
    let mut used: Vec<usize> = used.collect();
    used.sort_unstable();
    used.dedup();
    let (_, held_out) = split_held_out(used.len(), options.eval_share, options.data_seed);
    held_out.into_iter().map(|place| used[place]).collect()
}
