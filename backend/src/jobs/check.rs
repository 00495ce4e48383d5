//! What is known of a run before it starts, and what speaks against starting it.

use std::collections::HashMap;

use weft_shared::{
    api::{
        dataset::Row,
        estimate::{Estimate, MemoryEstimate, TimeEstimate},
        job::{Check, CheckFinding, NewJob, RunFinding, Severity},
    },
    dataset::{Finding, check_fit, check_text},
    pair::Pair,
    prompt::PromptForm,
    sample::Sample,
    training::{LoraOptions, Method, TrainingOptions},
};

use super::{Jobs, JobsError};
use crate::{
    chatglm::{ChatGlmConfig, ParameterCount},
    device::{WeightFormat, memory},
    embedded,
    estimate::{Processor, SampleSize, Workload, estimate_within},
    lora::Target,
    ops,
    store::{AdapterFacts, check_name},
    training::total_steps,
    training_set::{TrainingSet, TrainingSetError},
};

/// A checked run: the check, and what it was made of.
pub(super) struct Checked {
    pub(super) check: Check,
    /// `None` where the check refuses.
    pub(super) set: Option<TrainingSet>,
    pub(super) pairs: Vec<Pair>,
    /// As many as the options want any of.
    pub(super) rehearsal: Vec<Pair>,
    /// The options' shape of the adapter, or that of the one to start from.
    pub(super) lora: LoraOptions,
}

impl Jobs {
    /// Encodes and checks the dataset as it is now; starts nothing.
    pub fn check(&self, new: &NewJob) -> Result<Check, JobsError> {
        Ok(self.checked(new, self.store().dataset(new.dataset)?.rows)?.check)
    }

    pub(super) fn checked(&self, new: &NewJob, rows: Vec<Row>) -> Result<Checked, JobsError> {
        let engine = &self.inner.engine;
        let (ids, pairs): (Vec<i64>, Vec<Pair>) =
            rows.into_iter().map(|row| (row.id, row.pair)).unzip();
        let mut findings = Findings { ids: &ids, found: Vec::new() };

        findings.check_options(new, engine.model().config());
        let rehearsal = self.rehearsal(new, &mut findings);
        let start = self.check_start(new, &mut findings)?;
        for Finding { pair, kind } in check_text(&pairs) {
            findings.warn(Some(pair), RunFinding::Pair(Finding { pair, kind }));
        }
        let encoded = TrainingSet::encode(
            &pairs,
            &[PromptForm::Training],
            engine.tokenizer(),
            &new.encoding,
            &new.options,
        );
        let tokenizer = engine.tokenizer();
        let rehearsing =
            encoded.and_then(|set| set.rehearsing(&rehearsal, tokenizer, &new.encoding));
        let set = match rehearsing {
            Ok(set) => Some(set),
            Err(TrainingSetError::NoUsablePair(_)) => {
                findings.refuse(RunFinding::NoPairs);
                None
            }
            Err(TrainingSetError::Encoding(error)) => {
                findings.refuse(option("encoding", "options that leave room", &error));
                None
            }
        };
        if let Some(set) = &set {
            findings.check_set(set, &pairs);
            self.check_preview(new, set, &mut findings);
        }
        let mut lora = new.options.lora.clone();
        if let Some(AdapterFacts { r, alpha, target_modules, .. }) = start {
            lora = LoraOptions { r, alpha, target_modules, ..lora };
        }
        let check = self.summary(new, &lora, set.as_ref(), findings.found);
        Ok(Checked { check, set, pairs, rehearsal, lora })
    }

    /// What the run rehearses.
    fn rehearsal(&self, new: &NewJob, findings: &mut Findings) -> Vec<Pair> {
        let wanted = new.options.rehearsal_batch_size;
        if wanted == 0 {
            return Vec::new();
        }
        let pairs = embedded::rehearsal(self.inner.engine.source()).to_vec();
        if pairs.is_empty() {
            let none = "0: this model brings no pairs to rehearse";
            findings.refuse(option("rehearsal_batch_size", none, &wanted));
        }
        pairs
    }

    /// The adapter that the run is to start from.
    fn check_start(
        &self,
        new: &NewJob,
        findings: &mut Findings,
    ) -> Result<Option<AdapterFacts>, JobsError> {
        let Some(name) = &new.adapter else { return Ok(None) };
        let found = self.inner.engine.fingerprint();
        let mut adapters = self.store().adapters()?.into_iter().map(|it| it.facts);
        let adapter = adapters.find(|it| it.name == *name);
        match &adapter {
            None => findings.refuse(RunFinding::NoAdapter { adapter: name.clone() }),
            Some(adapter) if adapter.model_fingerprint != found => {
                findings.refuse(RunFinding::OtherAdapter {
                    adapter: name.clone(),
                    made_for: adapter.model_fingerprint.clone(),
                    found: found.to_owned(),
                });
            }
            Some(_) => {}
        }
        Ok(adapter)
    }

    fn check_preview(&self, new: &NewJob, set: &TrainingSet, findings: &mut Findings) {
        let Some(preview) = &new.preview else { return };
        let (previewed, found) = (preview.dataset_digest.clone(), set.digest.to_string());
        if previewed != found {
            findings.refuse(RunFinding::OtherData { previewed, found });
        }
        let (previewed, found) =
            (preview.model_fingerprint.clone(), self.inner.engine.fingerprint().to_owned());
        if previewed != found {
            findings.refuse(RunFinding::OtherModel { previewed, found });
        }
    }

    fn summary(
        &self,
        new: &NewJob,
        lora: &LoraOptions,
        set: Option<&TrainingSet>,
        mut findings: Vec<CheckFinding>,
    ) -> Check {
        let engine = &self.inner.engine;
        let config = engine.model().config();
        let targets = Target::from_names(&lora.target_modules).unwrap_or_default();
        let trainable = ParameterCount::with_lora(config, lora.r, &targets).trainable;
        let samples = set.map_or(&[][..], |set| &set.train.samples);
        let is_refused = findings.iter().any(|it| it.severity == Severity::Refusal);
        let steps = if is_refused { 0 } else { total_steps(&new.options, samples.len()) };
        let options = TrainingOptions { lora: lora.clone(), ..new.options.clone() };
        let estimate = self.estimate(&options, steps, set);
        findings.extend(lack(estimate.memory, memory::available(engine.device())));
        Check {
            dataset_digest: set.map_or_else(String::new, |set| set.digest.to_string()),
            model_fingerprint: engine.fingerprint().to_owned(),
            samples: samples.len(),
            held_out: set.map_or(0, |set| set.held_out.samples.len()),
            tokens: samples.iter().map(Sample::len).sum(),
            learned_tokens: samples.iter().map(Sample::learned).sum(),
            longest_sample: samples.iter().map(Sample::len).max().unwrap_or(0),
            total_steps: steps,
            trainable_parameters: trainable,
            estimate,
            findings,
        }
    }

    /// What `steps` steps take here: as long as steps took that were taken, else by the device's rates.
    fn estimate(
        &self,
        options: &TrainingOptions,
        steps: usize,
        set: Option<&TrainingSet>,
    ) -> Estimate {
        let model = self.inner.engine.model();
        let threads = rayon::current_num_threads();
        let (processor, weights) = if model.device().is_cpu() {
            // Few bits are made numbers again, which its ops keep.
            (Processor::Cpu { threads }, WeightFormat::F32)
        } else {
            (Processor::Gpu, model.kept_in())
        };
        let sizes = |samples: &[Sample]| -> Vec<SampleSize> {
            samples.iter().map(SampleSize::from).collect()
        };
        let samples = sizes(set.map_or(&[], |set| &set.train.samples));
        let rehearsal = sizes(set.map_or(&[], |set| &set.rehearsal));
        let workload =
            Workload::new(model.config(), (processor, weights), options, (steps, &samples));
        // A target that no block has is a finding of its own.
        let Ok(workload) = workload else { return Estimate::default() };
        let workload = Workload { rehearsal: &rehearsal, ..workload };
        let of_a_pass = workload.tokens_of_a_pass() * options.gradient_accumulation_steps as f64;
        // What cannot be told is no reason to refuse an estimate.
        let free = ops::memory::available(model.device()).ok().flatten();
        let by_sizes = estimate_within(workload, self.rates(), free);
        let measured = self.speed().map(|tokens_per_second| {
            let step_seconds = of_a_pass / tokens_per_second;
            let total_seconds = step_seconds * steps as f64;
            TimeEstimate { step_seconds, total_seconds, is_measured: true }
        });
        Estimate { time: measured.or(by_sizes.time), ..by_sizes }
    }
}

/// Where a device has less memory `free` than the run is expected to take beside the model, which is there already.
fn lack(memory: MemoryEstimate, free_bytes: u64) -> Option<CheckFinding> {
    let needed_bytes = memory.peak_bytes.saturating_sub(memory.weights_bytes);
    // 0 where the system does not say.
    let is_short = free_bytes > 0 && needed_bytes > free_bytes;
    let finding = RunFinding::Memory { needed_bytes, free_bytes };
    is_short.then_some(CheckFinding { severity: Severity::Warning, row: None, finding })
}

/// What has been found so far.
struct Findings<'a> {
    /// Ids of the rows, by index of the pair.
    ids: &'a [i64],
    found: Vec<CheckFinding>,
}

impl Findings<'_> {
    fn warn(&mut self, pair: Option<usize>, finding: RunFinding) {
        let row = pair.and_then(|pair| self.ids.get(pair).copied());
        self.found.push(CheckFinding { severity: Severity::Warning, row, finding });
    }

    fn refuse(&mut self, finding: RunFinding) {
        self.found.push(CheckFinding { severity: Severity::Refusal, row: None, finding });
    }

    fn check_options(&mut self, new: &NewJob, config: &ChatGlmConfig) {
        if let Err(error) = new.options.validate() {
            self.refuse(option(error.name, error.wanted, &error.found));
        }
        if let Err(error) = check_name(&new.name) {
            self.refuse(option("name", "a name", &error));
        }
        if let Err(error) = Target::from_names(&new.options.lora.target_modules) {
            self.refuse(option("lora.target_modules", "linear layers of a block", &error));
        }
        if new.options.method != Method::Lora {
            self.refuse(option("method", "lora (`weft train` can learn every weight)", &"full"));
        }
        let (found, wanted) = (new.encoding.position_encoding_2d, config.position_encoding_2d);
        if found != wanted {
            let wanted = if wanted { "true, as the model's" } else { "false, as the model's" };
            self.refuse(option("position_encoding_2d", wanted, &found));
        }
    }

    fn check_set(&mut self, set: &TrainingSet, pairs: &[Pair]) {
        for &(pair, question, answer) in &set.cut {
            for kind in check_fit(question, answer) {
                self.warn(Some(pair), RunFinding::Pair(Finding { pair, kind }));
            }
        }
        for (pair, error) in &set.left_out {
            let (pair, reason) = (*pair, error.to_string());
            self.warn(Some(pair), RunFinding::NothingLearned { pair, reason });
        }
        let text = |index: usize| (pairs[index].conversation(), &pairs[index].answer);
        let trained: HashMap<_, usize> =
            set.train.pairs.iter().rev().map(|&index| (text(index), index)).collect();
        for &held_out in &set.held_out.pairs {
            if let Some(&trained) = trained.get(&text(held_out)) {
                self.warn(Some(held_out), RunFinding::Leak { held_out, trained });
            }
        }
    }
}

fn option(name: &str, wanted: &str, found: &dyn ToString) -> RunFinding {
    RunFinding::Option {
        option: name.to_owned(),
        wanted: wanted.to_owned(),
        found: found.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_may_not_fit_is_warned_of() {
        let memory =
            MemoryEstimate { peak_bytes: 10, weights_bytes: 4, ..MemoryEstimate::default() };

        assert_eq!(lack(memory, 6), None);
        assert_eq!(lack(memory, 0), None, "the system does not say");
        let found = lack(memory, 5).unwrap();
        assert_eq!(found.severity, Severity::Warning);
        assert_eq!(
            found.finding.to_string(),
            "the run is expected to take 6 B of memory beside the model, and the device has 5 B free"
        );
    }
}
