//! The evaluations of the server: their list, read again while one goes on, and the one that is looked at, which
//! stands in the address.

use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use weft_shared::api::evaluation::Evaluation;

use crate::{
    api::{self, CallError},
    components::evaluate::head::EvaluationAction,
    links,
    state::evaluate::pace::Pace,
};

/// How often the list is read while an evaluation goes on.
const LIST_MS: u32 = 700;

type Navigate = Rc<dyn Fn(&str)>;

/// Copies are of the same evaluations.
#[derive(Clone, Copy)]
pub struct Evaluations {
    /// `None` until the server answers.
    pub(super) list: RwSignal<Option<Vec<Evaluation>>>,
    /// The one that the address names, else one that goes on, else the newest.
    pub(super) selected: Memo<Option<i64>>,
    /// Seconds until the one that runs is done, where that can be said, with its id.
    pub(super) left: RwSignal<Option<(i64, f64)>>,
    pub(super) trouble: RwSignal<Option<CallError>>,
    pace: StoredValue<Option<Pace>>,
    navigate: StoredValue<Navigate, LocalStorage>,
}

impl Evaluations {
    pub(super) fn new() -> Self {
        let query = use_query_map();
        let named =
            Memo::new(move |_| query.with(|it| it.get_str("evaluation")?.parse::<i64>().ok()));
        let list = RwSignal::new(None::<Vec<Evaluation>>);
        let selected = Memo::new(move |_| {
            let named = named.get();
            list.with(|list| {
                let list = list.as_ref()?;
                let named = list.iter().find(|it| Some(it.id) == named);
                let going = || list.iter().rfind(|it| !it.state.is_over());
                named.or_else(going).or(list.first()).map(|it| it.id)
            })
        });
        let go = use_navigate();
        let navigate: Navigate = Rc::new(move |to: &str| {
            go(to, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
        });
        let evaluations = Self {
            list,
            selected,
            left: RwSignal::default(),
            trouble: RwSignal::default(),
            pace: StoredValue::default(),
            navigate: StoredValue::new_local(navigate),
        };
        spawn_local(evaluations.read_list());
        evaluations.read_list_while_one_goes_on();
        evaluations
    }

    pub(super) fn find(self, id: i64) -> Option<Evaluation> {
        self.list.with_untracked(|all| all.iter().flatten().find(|it| it.id == id).cloned())
    }

    pub(super) fn select(self, id: i64) {
        self.go(&links::evaluation(id));
    }

    /// One that was started just now.
    pub(super) fn add(self, evaluation: Evaluation) {
        let id = evaluation.id;
        self.list.update(|all| all.get_or_insert_default().insert(0, evaluation));
        self.select(id);
    }

    pub(super) fn act(self, id: i64, action: EvaluationAction) {
        spawn_local(async move {
            let done = match action {
                EvaluationAction::Cancel => api::evaluations::cancel(id).await.map(drop),
                EvaluationAction::Resume => api::evaluations::resume(id).await.map(drop),
                EvaluationAction::Delete => api::evaluations::delete(id).await,
            };
            if self.list.is_disposed() {
                // The person left the page meanwhile.
                return;
            }
            if done.is_ok() && action == EvaluationAction::Delete {
                self.list.update(|all| all.iter_mut().for_each(|all| all.retain(|it| it.id != id)));
                self.go("/evaluate");
            }
            let trouble = done.err();
            self.read_list().await;
            if trouble.is_some() {
                let _ = self.trouble.try_set(trouble);
            }
        });
    }

    fn go(self, to: &str) {
        self.navigate.with_value(|navigate| navigate(to));
    }

    async fn read_list(self) {
        let answer = api::evaluations::list().await;
        if self.list.is_disposed() {
            return;
        }
        match answer {
            Ok(list) => {
                self.see(&list);
                self.list.set(Some(list));
                // What was wrong a moment ago is over.
                self.trouble.set(None);
            }
            Err(error) => self.trouble.set(Some(error)),
        }
    }

    /// Notes how fast the running one is.
    fn see(self, list: &[Evaluation]) {
        let Some(it) = list.iter().rfind(|it| !it.state.is_over()) else {
            self.left.set(None);
            return;
        };
        let now = (it.id, it.result.base.all.asked, it.questions);
        let (pace, left) = Pace::see(self.pace.get_value(), now, js_sys::Date::now());
        self.pace.set_value(Some(pace));
        self.left.set(left.map(|left| (it.id, left)));
    }

    fn read_list_while_one_goes_on(self) {
        spawn_local(async move {
            loop {
                TimeoutFuture::new(LIST_MS).await;
                let goes_on = self.list.try_with_untracked(|all| {
                    all.as_ref().is_none_or(|all| all.iter().any(|it| !it.state.is_over()))
                });
                match goes_on {
                    // The person left the page.
                    None => return,
                    Some(true) => self.read_list().await,
                    Some(false) => {}
                }
            }
        });
    }
}
