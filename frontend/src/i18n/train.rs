//! The words of the page Train.

mod chinese;
mod english;
pub mod events;
pub mod findings;
pub mod numbers;

pub use chinese::CHINESE;
pub use english::ENGLISH;

#[derive(Debug)]
pub struct Words {
    pub title: &'static str,
    pub lead: &'static str,
    pub setup: Setup,
    pub check: CheckWords,
    pub run: RunWords,
    pub chart: ChartWords,
}

/// What an option is called, and in one sentence what it does.
#[derive(Clone, Copy, Debug)]
pub struct Explained {
    pub label: &'static str,
    pub help: &'static str,
}

/// Putting a run together.
#[derive(Debug)]
pub struct Setup {
    pub title: &'static str,
    pub dataset: Explained,
    pub pairs: &'static str,
    pub loading: &'static str,
    pub no_dataset: &'static str,
    pub no_dataset_next: &'static str,
    pub to_dataset: &'static str,
    pub edit_dataset: &'static str,
    pub no_pairs_yet: &'static str,
    pub name: Explained,
    pub wrong_name: &'static str,
    pub length: &'static str,
    pub in_steps: &'static str,
    pub in_epochs: &'static str,
    pub values: &'static str,
    pub recommended: &'static str,
    pub tutorial: &'static str,
    pub more: &'static str,
    pub adapter_group: &'static str,
    pub optimizer_group: &'static str,
    pub data_group: &'static str,
    pub record_group: &'static str,
    pub schedule: Explained,
    pub linear: &'static str,
    pub cosine: &'static str,
    pub constant: &'static str,
    pub targets: Explained,
    pub no_target: &'static str,
    pub rslora: Explained,
    pub group_by_length: Explained,
    pub truncation: Explained,
    pub cut_end: &'static str,
    pub cut_front: &'static str,
    pub drop_pair: &'static str,
    pub position_rule: Explained,
    pub adapter: Explained,
    pub fresh: &'static str,
    pub shape_of_adapter: &'static str,
    pub pinned: Explained,
}

/// Before the start.
#[derive(Debug)]
pub struct CheckWords {
    pub title: &'static str,
    pub checking: &'static str,
    pub waiting: &'static str,
    pub wrong_numbers: &'static str,
    pub all_good: &'static str,
    pub refused: &'static str,
    pub warned: &'static str,
    pub refusal: &'static str,
    pub warning: &'static str,
    pub anyway: &'static str,
    pub samples: &'static str,
    pub held_out: &'static str,
    pub tokens: &'static str,
    pub learned: &'static str,
    pub longest: &'static str,
    pub steps: &'static str,
    pub trainable: &'static str,
    pub memory: &'static str,
    pub memory_parts: &'static str,
    pub memory_parts_help: &'static str,
    pub memory_of: MemoryWords,
    pub step_estimate: &'static str,
    pub time: &'static str,
    pub time_unknown: &'static str,
    pub time_computed: &'static str,
    pub pair: &'static str,
    pub more_findings: &'static str,
    pub digest: &'static str,
    pub digest_help: &'static str,
    pub digest_waiting: &'static str,
    pub digest_equal: &'static str,
    pub digest_different: &'static str,
    pub digest_other_vocabulary: &'static str,
    pub read_again: &'static str,
    pub dry_run: &'static str,
    pub dry_run_help: &'static str,
    pub dry_running: &'static str,
    pub dry_run_stale: &'static str,
    pub peak_memory: &'static str,
    pub of_memory: &'static str,
    pub step_time: &'static str,
    pub total_time: &'static str,
    pub fitting_batch: &'static str,
    pub nothing_fits: &'static str,
    pub take_over: &'static str,
    pub start: &'static str,
    pub starting: &'static str,
    pub tokens_unit: &'static str,
}

/// What memory is needed for.
#[derive(Debug)]
pub struct MemoryWords {
    pub weights: &'static str,
    pub learned: &'static str,
    pub gradients: &'static str,
    pub kept: &'static str,
    pub loss: &'static str,
    pub scratch: &'static str,
}

/// Runs that were started.
#[derive(Debug)]
pub struct RunWords {
    pub list_title: &'static str,
    pub none: &'static str,
    pub none_next: &'static str,
    pub compare: &'static str,
    pub version: &'static str,
    pub queued: &'static str,
    pub running: &'static str,
    pub done: &'static str,
    pub failed: &'static str,
    pub cancelled: &'static str,
    pub step: &'static str,
    pub of: &'static str,
    pub left: &'static str,
    pub speed: &'static str,
    pub memory: &'static str,
    pub loss: &'static str,
    pub took: &'static str,
    pub progress: &'static str,
    pub cancel: &'static str,
    pub resume: &'static str,
    pub delete: &'static str,
    pub really_delete: &'static str,
    pub keep: &'static str,
    pub failed_next: &'static str,
    pub chat: &'static str,
    pub evaluate: &'static str,
    pub models: &'static str,
    pub log: &'static str,
    pub no_log: &'static str,
    pub answers: &'static str,
    pub answers_help: &'static str,
    pub no_answers: &'static str,
    pub base: &'static str,
    pub wanted: &'static str,
    pub as_wanted: &'static str,
    pub empty_answer: &'static str,
    pub manifest: &'static str,
    pub manifest_help: &'static str,
    pub download: &'static str,
    pub show_manifest: &'static str,
    pub hide_manifest: &'static str,
}

/// The curves of a run.
#[derive(Debug)]
pub struct ChartWords {
    pub title: &'static str,
    pub loss: &'static str,
    pub each_step: &'static str,
    pub smoothed: &'static str,
    pub held_out: &'static str,
    pub learning_rate: &'static str,
    pub grad_norm: &'static str,
    pub shown: &'static str,
    pub logarithmic: &'static str,
    pub step: &'static str,
    pub no_values: &'static str,
    pub keys: &'static str,
    pub table: &'static str,
    pub hide_table: &'static str,
    pub values: &'static str,
}
