//! An evaluation at a glance: of what, how far, and what can be done with it.

use leptos::prelude::*;
use weft_shared::api::{
    chat::ChatTemplate,
    evaluation::{Evaluation, NewEvaluation},
    job::JobState,
};

use crate::{
    components::{delete_button::DeleteButton, moment::moment, notice::Notice},
    i18n::{self, evaluate::Words, quantity, train::events::state_name},
    links,
};

/// What a person may want of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvaluationAction {
    Cancel,
    Resume,
    Delete,
}

#[component]
pub fn EvaluationHead(
    #[prop(into)] evaluation: Signal<Evaluation>,
    /// Seconds, where that can be said.
    #[prop(into)]
    left: Signal<Option<f64>>,
    #[prop(into)] on_action: Callback<EvaluationAction>,
) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let words = move || &words.get().evaluate;
    let now = Memo::new(move |_| evaluation.with(|it| it.state));
    let error = Memo::new(move |_| evaluation.with(|it| it.error.clone()));
    let adapter = Memo::new(move |_| evaluation.with(|it| it.request.adapter.clone()));
    let is_over = Signal::derive(move || now.get().is_over());
    let title = move || adapter.get().unwrap_or_else(|| words().base.to_owned());
    let chat = move || adapter.with(|it| it.as_deref().map(links::chat_with));
    view! {
        <header class="run-head">
            <div class="bar">
                <h2 data-testid="evaluate-name">{title}</h2>
                <p
                    class=move || format!("badge {}", state_name(now.get()))
                    role="status"
                    data-testid="evaluate-status"
                    data-value=move || state_name(now.get())
                >
                    {move || words().state(now.get())}
                </p>
            </div>
            <p class="about hint" data-testid="evaluate-about">
                {move || evaluation.with(|it| about(it, words()))}
                " · "
                {move || moment(evaluation.with(|it| it.created_ms), language.get())}
            </p>
            <Progress evaluation left is_over />
            <Show when=move || error.with(Option::is_some)>
                <Notice
                    what=Signal::derive(move || error.get().unwrap_or_default())
                    next=Signal::derive(move || words().failed_next.to_owned())
                />
            </Show>
            <div class="actions">
                <Show when=move || !is_over.get()>
                    <button class="button plain" type="button" data-testid="evaluate-cancel" on:click=move |_| on_action.run(EvaluationAction::Cancel)>
                        {move || words().cancel}
                    </button>
                </Show>
                <Show when=move || matches!(now.get(), JobState::Cancelled | JobState::Failed)>
                    <button class="button" type="button" data-testid="evaluate-resume" on:click=move |_| on_action.run(EvaluationAction::Resume)>
                        {move || words().resume}
                    </button>
                </Show>
                <Show when=move || adapter.with(Option::is_some)>
                    <a class="quiet" href=chat data-testid="evaluate-chat">{move || words().chat}</a>
                </Show>
                <DeleteButton
                    test_id="evaluate-delete"
                    label=Signal::derive(move || words().delete)
                    question=Signal::derive(move || words().really_delete)
                    keep=Signal::derive(move || words().keep)
                    on_delete=move |()| on_action.run(EvaluationAction::Delete)
                />
            </div>
        </header>
    }
}

/// The questions, and how they are put.
fn about(evaluation: &Evaluation, words: &Words) -> String {
    let NewEvaluation { version, template, max_tokens, .. } = &evaluation.request;
    let version = version.unwrap_or_default();
    let template = match template {
        ChatTemplate::Training => words.template_training,
        ChatTemplate::Chat => words.template_chat,
    };
    let data = &evaluation.dataset_name;
    let longest = format!("≤ {max_tokens} {}", words.tokens);
    format!("{data} · {} {version} · {template} · {longest}", words.version_number)
}

#[component]
fn Progress(
    evaluation: Signal<Evaluation>,
    left: Signal<Option<f64>>,
    is_over: Signal<bool>,
) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let words = move || &words.get().evaluate;
    let asked = Memo::new(move |_| evaluation.with(|it| it.result.base.all.asked));
    let questions = Memo::new(move |_| evaluation.with(|it| it.questions));
    let base = Memo::new(move |_| evaluation.with(|it| it.result.base.all.right));
    let adapter =
        Memo::new(move |_| evaluation.with(|it| it.result.adapter.as_ref().map(|it| it.all.right)));
    view! {
        <progress
            class="progress"
            aria-label=move || words().progress
            max=move || questions.get().max(1).to_string()
            value=move || asked.get().to_string()
        ></progress>
        <dl class="vitals">
            <div>
                <dt>{move || words().asked}</dt>
                <dd data-testid="evaluate-asked" data-value=move || asked.get().to_string()>
                    {move || {
                        let (asked, all) = (quantity::count(asked.get()), quantity::count(questions.get()));
                        format!("{asked} {} {all}", words().of)
                    }}
                </dd>
            </div>
            <div>
                <dt>{move || words().base_right}</dt>
                <dd data-testid="evaluate-base-right">{move || quantity::count(base.get())}</dd>
            </div>
            <Show when=move || adapter.with(Option::is_some)>
                <div>
                    <dt>{move || words().adapter_right}</dt>
                    <dd data-testid="evaluate-adapter-right">{move || adapter.get().map(quantity::count)}</dd>
                </div>
            </Show>
            <Show when=move || !is_over.get()>
                <div>
                    <dt>{move || words().left}</dt>
                    <dd>{move || left.get().map_or("–".into(), |it| quantity::duration(it, language.get()))}</dd>
                </div>
            </Show>
        </dl>
    }
}
