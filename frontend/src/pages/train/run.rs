//! The run that is looked at: its head, curves, answers, log and manifest.

use leptos::{prelude::*, task::spawn_local};
use weft_shared::api::job::Job;

use super::runs::Runs;
use crate::{
    api,
    components::train::{
        answers::Answers, curves::Curves, event_log::EventLog, manifest_view::ManifestView,
        run_head::RunHead,
    },
    state::train::{manifest::for_reading, run_log::RunLog},
};

#[component]
pub fn RunView(runs: Runs, first: Job) -> impl IntoView {
    let id = first.id;
    let find = move |id: i64| {
        runs.jobs.with(|jobs| jobs.iter().flatten().find(|job| job.id == id).cloned())
    };
    // A run that is gone stays in view until another is selected.
    let job = Memo::new(move |last: Option<&Job>| {
        find(id).or_else(|| last.cloned()).unwrap_or_else(|| first.clone())
    });
    let log = Memo::new(move |_| runs.logs.with(|logs| logs.get(&id).cloned()).unwrap_or_default());
    let others = Memo::new(move |_| {
        let other = |id: i64| {
            let log = runs.logs.with(|logs| logs.get(&id).cloned()).unwrap_or_default();
            Some((format!("{} #{id}", find(id)?.name), log))
        };
        runs.compared.get().into_iter().filter_map(other).collect::<Vec<(String, RunLog)>>()
    });
    let manifest = RwSignal::new(None);
    let show_manifest = move |is_wanted: bool| {
        if !is_wanted {
            manifest.set(None);
            return;
        }
        spawn_local(async move {
            match api::jobs::manifest(id).await {
                Ok(read) => manifest.set(Some(for_reading(&read))),
                Err(error) => runs.trouble.set(Some(error)),
            }
        });
    };
    view! {
        <article class="run-view">
            <RunHead job log on_action=move |action| runs.act(id, action) />
            <Curves log others />
            <Answers log />
            <EventLog log />
            <ManifestView
                url=Signal::stored(api::jobs::manifest_url(id))
                file=Signal::stored(format!("weft-job-{id}.json"))
                text=manifest
                on_show=show_manifest
            />
        </article>
    }
}
