//! A run being put together: its dataset and options, what the check says of them, and the start.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_query_map;
use weft_shared::{
    api::{
        dataset::DatasetSummary,
        job::{Check, DryRun, Job, NewJob, Preview, Severity},
    },
    sample::SampleOptions,
};

use super::previewing::Previewing;
use crate::{
    api::{self, CallError},
    encoding::{Encoding, use_encoding},
    remembered,
    server::{Server, use_server},
    state::train::{form::Form, report::gravest},
    tokenizing::use_tokenizing,
};

const REMEMBERED_AS: &str = "weft-train";

/// What the server said of a run that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Checked {
    asked: NewJob,
    revision: u64,
    pub(super) check: Check,
}

/// Handles to all of it; copies are of the same.
#[derive(Clone, Copy)]
pub struct Setup {
    pub(super) server: Server,
    encoding: Encoding,
    /// `None` until the server answers.
    pub(super) datasets: RwSignal<Option<Vec<DatasetSummary>>>,
    chosen: RwSignal<Option<i64>>,
    pub(super) dataset: Memo<Option<DatasetSummary>>,
    pub(super) form: RwSignal<Form>,
    /// The run that dataset and form ask for, where all of it is valid.
    pub(super) new_job: Memo<Option<NewJob>>,
    pub(super) checked: RwSignal<Option<Checked>>,
    pub(super) is_checking: RwSignal<bool>,
    /// Start in spite of warnings.
    pub(super) anyway: RwSignal<bool>,
    pub(super) measured: RwSignal<Option<(NewJob, DryRun)>>,
    pub(super) is_measuring: RwSignal<bool>,
    pub(super) is_starting: RwSignal<bool>,
    pub(super) previewing: Previewing,
    /// Why the server did not do what was asked last.
    pub(super) trouble: RwSignal<Option<CallError>>,
}

impl Setup {
    pub(super) fn new() -> Self {
        let server = use_server();
        let encoding = use_encoding();
        let datasets = RwSignal::new(None::<Vec<DatasetSummary>>);
        let chosen = RwSignal::new(asked_for());
        // The server lists the one that was changed last first.
        let dataset = Memo::new(move |_| {
            datasets.with(|datasets| {
                let datasets = datasets.as_ref()?;
                let chosen = datasets.iter().find(|it| Some(it.id) == chosen.get());
                chosen.or(datasets.first()).cloned()
            })
        });
        let form = RwSignal::new(Form::default());
        let new_job = Memo::new(move |_| {
            let dataset = dataset.get()?;
            form.with(|form| form.new_job(&dataset))
        });
        let setup = Self {
            server,
            encoding,
            datasets,
            chosen,
            dataset,
            form,
            new_job,
            checked: RwSignal::default(),
            is_checking: RwSignal::new(false),
            anyway: RwSignal::new(false),
            measured: RwSignal::default(),
            is_measuring: RwSignal::new(false),
            is_starting: RwSignal::new(false),
            previewing: Previewing::new(use_tokenizing(), dataset, encoding.options),
            trouble: RwSignal::default(),
        };
        setup.share_encoding();
        setup.recall_options();
        setup.read_datasets();
        setup.check_as_things_change();
        setup
    }

    /// The encoding is one for all pages: what is changed here holds there, and the other way round.
    fn share_encoding(self) {
        let of_page = self.encoding.options;
        let of_form = Memo::new(move |_| self.form.with(|form| form.settings().encoding.clone()));
        self.take_encoding(&of_page.get_untracked());
        Effect::watch(
            move || of_page.get(),
            move |options, _, _| self.take_encoding(options),
            false,
        );
        Effect::watch(
            move || of_form.get(),
            move |options, _, _| {
                if of_page.with_untracked(|it| it != options) {
                    of_page.set(options.clone());
                }
            },
            false,
        );
    }

    fn take_encoding(self, options: &SampleOptions) {
        if self.form.with_untracked(|form| form.settings().encoding != *options) {
            self.form.update(|form| form.change(|it| it.encoding = options.clone()));
        }
    }

    /// Once the model is known: what was chosen for it last time, else what is recommended.
    fn recall_options(self) {
        let is_recalled = StoredValue::new(false);
        Effect::new(move || {
            let Some(model) = self.server.model.get() else { return };
            if is_recalled.get_value() {
                return;
            }
            is_recalled.set_value(true);
            let kept = remembered::read_json(REMEMBERED_AS);
            self.form.update(|form| {
                if !kept.is_some_and(|kept| form.recall(kept, &model.fingerprint)) {
                    form.replace(model.recommended.options);
                }
            });
        });
        Effect::new(move || {
            let Some(fingerprint) =
                self.server.model.with(|it| Some(it.as_ref()?.fingerprint.clone()))
            else {
                return;
            };
            let remembered = self.form.with(|form| form.remember(&fingerprint));
            if is_recalled.get_value() {
                remembered::write_json(REMEMBERED_AS, &remembered);
            }
        });
    }

    pub(super) fn choose(self, dataset: i64) {
        self.chosen.set(Some(dataset));
    }

    /// All options as the model's makers recommend them.
    pub(super) fn recommend(self) {
        if let Some(model) = self.server.model.get_untracked() {
            self.form.update(|form| {
                form.replace(model.recommended.options);
                form.change(|settings| settings.encoding = model.recommended.encoding);
            });
        }
    }

    pub(super) fn read_datasets(self) {
        spawn_local(async move {
            match api::datasets::list().await {
                Ok(datasets) => self.datasets.set(Some(datasets)),
                Err(error) => self.trouble.set(Some(error)),
            }
        });
    }

    /// What is known of the run that is asked for now, and not of one before the last change.
    pub(super) fn fresh_check(self) -> Option<Check> {
        let (asked, revision) = self.asked()?;
        self.checked.with(|checked| {
            let checked = checked.as_ref()?;
            let is_fresh = checked.asked == asked && checked.revision == revision;
            is_fresh.then(|| checked.check.clone())
        })
    }

    /// How grave the check's findings are.
    pub(super) fn gravity(self) -> Option<Severity> {
        gravest(&self.fresh_check()?.findings)
    }

    /// Whether there is something to start and nothing known that speaks against it.
    pub(super) fn can_start(self) -> bool {
        let is_allowed = match self.gravity() {
            None => true,
            Some(Severity::Warning) => self.anyway.get(),
            Some(Severity::Refusal) => false,
        };
        let has_pairs = self.dataset.with(|it| it.as_ref().is_some_and(|it| it.pairs > 0));
        has_pairs && is_allowed && self.new_job.with(Option::is_some) && !self.is_starting.get()
    }

    /// Starts the run, once the check and the preview of just these options are there and allow it.
    pub(super) async fn start(self) -> Option<Job> {
        self.is_starting.set(true);
        let started = self.start_checked().await;
        self.is_starting.set(false);
        started
    }

    async fn start_checked(self) -> Option<Job> {
        let (mut job, revision) = untrack(|| self.asked())?;
        if untrack(|| self.fresh_check()).is_none() {
            self.check(job.clone(), revision).await;
        }
        if self.is_left() {
            return None;
        }
        let check = untrack(|| self.fresh_check())?;
        let is_refused = match gravest(&check.findings) {
            None => false,
            Some(Severity::Warning) => !self.anyway.get_untracked(),
            Some(Severity::Refusal) => true,
        };
        if is_refused {
            return None;
        }
        let dataset = self.dataset.get_untracked()?;
        let digest = self.previewing.digest_of(&dataset, &job.encoding).await;
        if self.is_left() {
            return None;
        }
        let fingerprint =
            self.server.model.with_untracked(|it| Some(it.as_ref()?.fingerprint.clone()));
        job.preview = digest.zip(fingerprint).map(|(dataset_digest, model_fingerprint)| Preview {
            dataset_digest,
            model_fingerprint,
        });
        job.despite_warnings = self.anyway.get_untracked();
        match api::jobs::start(&job).await {
            Ok(started) => {
                self.trouble.set(None);
                self.anyway.set(false);
                Some(started)
            }
            Err(error) => {
                self.trouble.set(Some(error));
                // Where the data changed meanwhile, the page shows the newer one from now on.
                self.read_datasets();
                None
            }
        }
    }

    /// Takes one step and measures it.
    pub(super) fn dry_run(self) {
        let Some(job) = self.new_job.get_untracked() else { return };
        self.is_measuring.set(true);
        spawn_local(async move {
            match api::jobs::dry_run(&job).await {
                Ok(measured) => {
                    self.trouble.set(None);
                    self.measured.set(Some((job, measured)));
                    // The server knows its speed now.
                    let asked = if self.is_left() { None } else { untrack(|| self.asked()) };
                    if let Some((job, revision)) = asked {
                        self.check(job, revision).await;
                    }
                }
                Err(error) => self.trouble.set(Some(error)),
            }
            self.is_measuring.set(false);
        });
    }

    /// Whether the person went to another page: all that was known here is gone then.
    fn is_left(self) -> bool {
        self.form.is_disposed()
    }

    /// The run, and the revision of its dataset.
    pub(super) fn asked(self) -> Option<(NewJob, u64)> {
        let revision = self.dataset.with(|it| Some(it.as_ref()?.revision))?;
        Some((self.new_job.get()?, revision))
    }

    /// Whether a run is still what is asked for.
    pub(super) fn is_asked(self, job: &NewJob, revision: u64) -> bool {
        let is = |(asked, at): (NewJob, u64)| asked == *job && at == revision;
        !self.is_left() && untrack(|| self.asked()).is_some_and(is)
    }

    /// Whether the last dry run was of another kind than the run that is asked for.
    pub(super) fn is_measure_stale(self) -> bool {
        let like = |a: &NewJob, b: &NewJob| {
            (a.dataset, &a.encoding, &a.options, &a.adapter)
                == (b.dataset, &b.encoding, &b.options, &b.adapter)
        };
        self.measured.with(|measured| {
            let Some((of, _)) = measured else { return false };
            self.new_job.with(|now| now.as_ref().is_none_or(|now| !like(of, now)))
        })
    }

    /// Asks the server for its check.
    pub(super) async fn check(self, asked: NewJob, revision: u64) {
        self.is_checking.set(true);
        match api::jobs::check(&asked).await {
            // What somebody asked before the last change is of no use to anybody.
            Ok(_) if !self.is_asked(&asked, revision) => {}
            Ok(check) => {
                self.trouble.set(None);
                self.checked.set(Some(Checked { asked, revision, check }));
            }
            Err(error) => self.trouble.set(Some(error)),
        }
        self.is_checking.set(false);
    }
}

/// The dataset that the address names.
fn asked_for() -> Option<i64> {
    use_query_map().get_untracked().get("dataset")?.parse().ok()
}
