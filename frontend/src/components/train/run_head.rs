//! A run at a glance: how far, how fast, how good, and what can be done with it.

use leptos::prelude::*;
use weft_shared::api::job::{Job, JobState};

use crate::{
    components::{delete_button::DeleteButton, notice::Notice},
    i18n::{
        self, quantity,
        train::events::{state, state_name},
    },
    links,
    state::{chart::axis::short, train::run_log::RunLog},
};

/// What a person may want of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunAction {
    Cancel,
    Resume,
    Delete,
}

#[component]
pub fn RunHead(
    #[prop(into)] job: Signal<Job>,
    #[prop(into)] log: Signal<RunLog>,
    #[prop(into)] on_action: Callback<RunAction>,
) -> impl IntoView {
    let words = i18n::use_words();
    let run = move || &words.get().train.run;
    // The events are newer than the list, once there are any.
    let now =
        Memo::new(move |_| log.with(RunLog::state).unwrap_or_else(|| job.with(|it| it.state)));
    let error = Memo::new(move |_| {
        let told = log.with(|log| log.error().map(str::to_owned));
        told.or_else(|| job.with(|job| job.error.clone())).filter(|_| now.get() == JobState::Failed)
    });
    let is_over = move || now.get().is_over();
    let adapter = Memo::new(move |_| job.with(|job| job.adapter.clone()));
    let evaluate = move || {
        let job = job.get();
        job.adapter.map(|name| links::evaluate_on(&name, job.dataset, job.dataset_version))
    };
    let chat =
        move || adapter.with(|name| name.as_deref().map_or("/chat".into(), links::chat_with));
    view! {
        <header class="run-head">
            <div class="bar">
                <h2>{move || job.with(|job| job.name.clone())}</h2>
                <p
                    class=move || format!("badge {}", state_name(now.get()))
                    role="status"
                    data-testid="train-status"
                    data-value=move || state_name(now.get())
                >
                    {move || state(now.get(), run())}
                </p>
            </div>
            <RunProgress job log now />
            <Show when=move || error.with(Option::is_some)>
                <Notice
                    what=Signal::derive(move || error.get().unwrap_or_default())
                    next=Signal::derive(move || run().failed_next.to_owned())
                />
            </Show>
            <div class="actions">
                <Show when=move || !is_over()>
                    <button class="button plain" type="button" data-testid="train-cancel" on:click=move |_| on_action.run(RunAction::Cancel)>
                        {move || run().cancel}
                    </button>
                </Show>
                <Show when=move || matches!(now.get(), JobState::Cancelled | JobState::Failed)>
                    <button class="button" type="button" data-testid="train-resume" on:click=move |_| on_action.run(RunAction::Resume)>
                        {move || run().resume}
                    </button>
                </Show>
                <Show when=move || now.get() == JobState::Done && adapter.with(Option::is_some)>
                    <a class="button" href=chat data-testid="train-chat-link">{move || run().chat}</a>
                    <a class="quiet" href=evaluate data-testid="train-evaluate-link">{move || run().evaluate}</a>
                    <a class="quiet" href="/models" data-testid="train-models-link">{move || run().models}</a>
                </Show>
                <Show when=is_over>
                    <DeleteButton
                        test_id="train-delete"
                        label=Signal::derive(move || run().delete)
                        question=Signal::derive(move || run().really_delete)
                        keep=Signal::derive(move || run().keep)
                        on_delete=move |()| on_action.run(RunAction::Delete)
                    />
                </Show>
            </div>
        </header>
    }
}

#[component]
fn RunProgress(job: Signal<Job>, log: Signal<RunLog>, now: Memo<JobState>) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let run = move || &words.get().train.run;
    let steps = Memo::new(move |_| {
        let (step, total) = log.with(|log| (log.step(), log.total_steps()));
        if total > 0 { (step, total) } else { job.with(|job| (job.step, job.total_steps)) }
    });
    let pace = Memo::new(move |_| log.with(RunLog::pace));
    let is_running = move || now.get() == JobState::Running;
    let loss = Memo::new(move |_| log.with(RunLog::latest_loss));
    let took = move || {
        let (started, ended) = job.with(|job| (job.started_ms, job.ended_ms));
        Some(quantity::duration((ended?.saturating_sub(started?)) as f64 / 1000.0, language.get()))
    };
    view! {
        <progress
            class="progress"
            aria-label=move || run().progress
            max=move || steps.get().1.max(1).to_string()
            value=move || steps.get().0.to_string()
        ></progress>
        <dl class="vitals">
            <div>
                <dt>{move || run().step}</dt>
                <dd data-testid="train-step" data-value=move || steps.get().0.to_string()>
                    {move || {
                        let (step, total) = steps.get();
                        format!("{} {} {}", quantity::count(step), run().of, quantity::count(total))
                    }}
                </dd>
            </div>
            <div>
                <dt>{move || run().loss}</dt>
                <dd data-testid="train-loss" data-value=move || loss.get().map(|loss| loss.to_string())>
                    {move || loss.get().map_or("–".into(), short)}
                </dd>
            </div>
            <Show when=is_running>
                <div>
                    <dt>{move || run().left}</dt>
                    <dd data-testid="train-left">
                        {move || pace.get().map_or("–".into(), |it| quantity::duration(it.seconds_left, language.get()))}
                    </dd>
                </div>
            </Show>
            <Show when=move || pace.with(Option::is_some)>
                <div>
                    <dt>{move || run().speed}</dt>
                    <dd>{move || pace.get().map(|it| quantity::count(it.tokens_per_second))}</dd>
                </div>
                <div>
                    <dt>{move || run().memory}</dt>
                    <dd>{move || pace.get().map(|it| quantity::bytes(it.memory_bytes))}</dd>
                </div>
            </Show>
            <Show when=move || took().is_some()>
                <div>
                    <dt>{move || run().took}</dt>
                    <dd>{took}</dd>
                </div>
            </Show>
        </dl>
    }
}
