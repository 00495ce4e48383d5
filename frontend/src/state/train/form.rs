//! A run as it is being put together.
//!
//! The options are always valid; what is typed and is not yet a value stands beside them, and there is no run as long
//! as something does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weft_shared::{
    api::{adapter::AdapterInfo, dataset::DatasetSummary, job::NewJob},
    sample::SampleOptions,
    training::TrainingOptions,
};

use super::field::Field;

/// The linear layers of a block, by their published names.
pub const TARGET_MODULES: [&str; 4] =
    ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"];

/// Characters of an adapter's name; the server takes no more.
const LONGEST_NAME: usize = 64;

/// How the data is encoded and how it is trained on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    pub options: TrainingOptions,
    pub encoding: SampleOptions,
}

/// All that a person decides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Form {
    settings: Settings,
    /// As typed, where it is not how the value would be written; also what is no value.
    drafts: BTreeMap<Field, Draft>,
    /// Once a person typed one.
    name: Option<String>,
    /// The adapter to start from.
    pub adapter: Option<String>,
    /// One question a line.
    pub pinned: String,
}

#[derive(Clone, Debug, PartialEq)]
struct Draft {
    text: String,
    is_good: bool,
}

/// What the browser keeps of a form, for the model it was filled in for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// The model's fingerprint: another model has other recommendations.
    model: String,
    options: TrainingOptions,
    #[serde(default)]
    pinned: String,
}

impl Form {
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What stands in a number's input.
    pub fn text(&self, field: Field) -> String {
        match self.drafts.get(&field) {
            Some(draft) => draft.text.clone(),
            None => field.text(&self.settings),
        }
    }

    /// Whether what stands there is no value.
    pub fn is_wrong(&self, field: Field) -> bool {
        self.is_used(field) && self.drafts.get(&field).is_some_and(|draft| !draft.is_good)
    }

    /// A person typed into a number's input.
    pub fn write(&mut self, field: Field, text: String) {
        let is_good = field.take(&text, &mut self.settings);
        self.drafts.insert(field, Draft { text, is_good });
    }

    /// Choices, and values that were not typed.
    pub fn change(&mut self, change: impl FnOnce(&mut Settings)) {
        let before = self.settings.clone();
        change(&mut self.settings);
        let settings = &self.settings;
        self.drafts.retain(|field, _| field.text(settings) == field.text(&before));
    }

    /// Other options as a whole, as recommended for a model or by the tutorial.
    pub fn replace(&mut self, options: TrainingOptions) {
        self.settings.options = options;
        let of_encoding = [Field::MaxSourceLength, Field::MaxTargetLength];
        self.drafts.retain(|field, _| of_encoding.contains(field));
    }

    /// Passes over the data instead of steps, or the other way round.
    pub fn count_in_epochs(&mut self, in_epochs: bool) {
        self.change(|settings| settings.options.epochs = in_epochs.then_some(3.0));
    }

    pub fn counts_in_epochs(&self) -> bool {
        self.settings.options.epochs.is_some()
    }

    /// Adds or removes a kind of layer; the order stays that of the block.
    pub fn target(&mut self, module: &str, is_wanted: bool) {
        let targets = &mut self.settings.options.lora.target_modules;
        let has = |name: &str| {
            if name == module { is_wanted } else { targets.iter().any(|target| target == name) }
        };
        *targets = TARGET_MODULES.into_iter().filter(|name| has(name)).map(str::to_owned).collect();
    }

    /// Goes on from an adapter, whose shape the run then has; or starts afresh.
    pub fn start_from(&mut self, adapter: Option<&AdapterInfo>) {
        self.adapter = adapter.map(|adapter| adapter.name.clone());
        if let Some(adapter) = adapter {
            self.change(|Settings { options, .. }| {
                options.lora.r = adapter.r;
                options.lora.alpha = adapter.alpha;
                options.lora.target_modules.clone_from(&adapter.target_modules);
            });
        }
    }

    /// The name of the run and its adapter: as typed, else made from the dataset's.
    pub fn name(&self, dataset: &str) -> String {
        self.name.clone().unwrap_or_else(|| suggested_name(dataset))
    }

    pub fn rename(&mut self, name: String) {
        self.name = Some(name);
    }

    /// A name of nothing is none: the suggested one comes back.
    pub fn name_is_finished(&mut self) {
        self.name = self.name.take().filter(|name| !name.is_empty());
    }

    /// Whether an adapter can be called so.
    pub fn is_name_wrong(&self) -> bool {
        self.name.as_deref().is_some_and(|name| !is_name(name.trim()))
    }

    pub fn questions(&self) -> Vec<String> {
        let lines = self.pinned.lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// The run that this asks for, if everything in it is a value.
    pub fn new_job(&self, dataset: &DatasetSummary) -> Option<NewJob> {
        let is_wrong = Field::ALL.into_iter().any(|field| self.is_wrong(field));
        let has_targets = !self.settings.options.lora.target_modules.is_empty();
        if is_wrong || self.is_name_wrong() || !has_targets {
            return None;
        }
        let Settings { options, encoding } = self.settings.clone();
        Some(NewJob {
            name: self.name(&dataset.name).trim().to_owned(),
            dataset: dataset.id,
            encoding,
            options,
            adapter: self.adapter.clone(),
            pinned: self.questions(),
            preview: None,
            despite_warnings: false,
        })
    }

    pub fn remember(&self, model: &str) -> Remembered {
        Remembered {
            model: model.to_owned(),
            options: self.settings.options.clone(),
            pinned: self.pinned.clone(),
        }
    }

    /// What was remembered, where it was for this model.
    pub fn recall(&mut self, remembered: Remembered, model: &str) -> bool {
        let is_for_this = remembered.model == model && remembered.options.validate().is_ok();
        if is_for_this {
            self.replace(remembered.options);
            self.pinned = remembered.pinned;
        }
        is_for_this
    }

    fn is_used(&self, field: Field) -> bool {
        match field {
            Field::MaxSteps => !self.counts_in_epochs(),
            Field::Epochs => self.counts_in_epochs(),
            _ => true,
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=LONGEST_NAME).contains(&name.chars().count())
        && name.chars().all(is_allowed)
        && name.chars().any(char::is_alphanumeric)
}

/// The dataset's name without the ending of a file, and with dashes for what a name cannot have.
fn suggested_name(dataset: &str) -> String {
    let stem = [".jsonl", ".json", ".csv", ".tsv"]
        .iter()
        .find_map(|ending| dataset.strip_suffix(ending))
        .unwrap_or(dataset);
    let dashed: String =
        stem.chars().map(|c| if is_name(&format!("a{c}")) { c } else { '-' }).collect();
    let parts: Vec<&str> = dashed.split('-').filter(|part| !part.is_empty()).collect();
    let name: String = parts.join("-").chars().take(LONGEST_NAME).collect();
    if is_name(&name) { name } else { "adapter".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_stays_as_it_was_typed() {
        let mut form = Form::default();

        form.write(Field::LearningRate, "1e-3".into());

        assert_eq!(form.text(Field::LearningRate), "1e-3");
        assert_eq!(form.settings().options.learning_rate, 1e-3);
    }

    #[test]
    fn there_is_no_run_while_a_number_is_missing() {
        let mut form = Form::default();
        form.write(Field::Rank, String::new());

        assert!(form.is_wrong(Field::Rank));
        assert_eq!(form.new_job(&dataset("d")), None);

        form.write(Field::Rank, "4".into());
        assert_eq!(form.new_job(&dataset("d")).unwrap().options.lora.r, 4);
    }

    #[test]
    fn a_number_that_is_not_used_may_be_wrong() {
        let mut form = Form::default();
        form.write(Field::MaxSteps, String::new());

        form.count_in_epochs(true);

        assert_eq!(form.new_job(&dataset("d")).unwrap().options.epochs, Some(3.0));
    }

    #[test]
    fn a_choice_takes_the_place_of_what_was_typed() {
        let mut form = Form::default();
        form.write(Field::BatchSize, "0".into());
        form.write(Field::Rank, "16".into());

        form.change(|settings| settings.options.batch_size = 8);

        assert_eq!(form.text(Field::BatchSize), "8");
        assert!(!form.is_wrong(Field::BatchSize));
        assert_eq!(form.text(Field::Rank), "16");
    }

    #[test]
    fn a_run_adapts_at_least_one_kind_of_layer() {
        let mut form = Form::default();
        form.target("dense", true);
        form.target("query_key_value", false);
        assert_eq!(form.settings().options.lora.target_modules, ["dense"]);

        form.target("dense", false);

        assert_eq!(form.new_job(&dataset("d")), None);
    }

    #[test]
    fn the_name_comes_from_the_dataset_until_one_is_typed() {
        let mut form = Form::default();
        assert_eq!(form.name("my pairs (2).csv"), "my-pairs-2");
        assert_eq!(form.name("客服.jsonl"), "客服");
        assert_eq!(form.name("???"), "adapter");

        form.rename("a b".into());
        assert!(form.is_name_wrong());

        form.rename(String::new());
        assert!(form.is_name_wrong());
        form.name_is_finished();
        assert_eq!(form.name("d"), "d");
    }

    #[test]
    fn each_line_is_a_pinned_question() {
        let form = Form { pinned: "你好\n\n  Who are you?  \n".into(), ..Form::default() };

        assert_eq!(form.questions(), ["你好", "Who are you?"]);
    }

    #[test]
    fn options_are_remembered_for_their_model_alone() {
        let mut filled = Form { pinned: "你好".into(), ..Form::default() };
        filled.write(Field::Rank, "32".into());
        let kept = serde_json::to_string(&filled.remember("one")).unwrap();
        let kept: Remembered = serde_json::from_str(&kept).unwrap();
        let mut form = Form::default();

        assert!(!form.recall(kept.clone(), "another"));
        assert_eq!(form, Form::default());
        assert!(form.recall(kept, "one"));
        assert_eq!((form.settings().options.lora.r, form.pinned.as_str()), (32, "你好"));
    }

    fn dataset(name: &str) -> DatasetSummary {
        DatasetSummary { id: 1, name: name.into(), pairs: 1, revision: 1, updated_ms: 0 }
    }
}
