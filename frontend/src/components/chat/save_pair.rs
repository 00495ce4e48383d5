//! A reply becomes a pair: both texts can be mended before it is kept.

use leptos::{html, prelude::*};
use weft_shared::{
    api::dataset::DatasetSummary,
    pair::{Pair, Turn},
};

use crate::{i18n, state::chat::free_name};

/// Where a pair goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Dataset(i64),
    /// A dataset of this name, to be made.
    New(String),
}

/// The choice of a dataset that is to be made.
const NEW: &str = "new";

#[component]
pub fn SavePair(
    question: String,
    answer: String,
    history: Vec<Turn>,
    /// The one that was changed last comes first.
    #[prop(into)]
    datasets: Signal<Vec<DatasetSummary>>,
    /// Whether a pair is on its way.
    #[prop(into)]
    is_busy: Signal<bool>,
    #[prop(into)] on_save: Callback<(Target, Pair)>,
    #[prop(into)] on_cancel: Callback<()>,
) -> impl IntoView {
    let words = i18n::use_words();
    let (question, answer) = (RwSignal::new(question), RwSignal::new(answer));
    let has_history = !history.is_empty();
    let with_history = RwSignal::new(false);
    let history = StoredValue::new(history);
    let newest = datasets.with_untracked(|all| all.first().map(|it| it.id));
    let into = RwSignal::new(newest.map_or_else(|| NEW.to_owned(), |id| id.to_string()));
    let name = RwSignal::new(datasets.with_untracked(|all| {
        free_name(
            words.get_untracked().chat.new_dataset_name,
            all.iter().map(|it| it.name.as_str()),
        )
    }));
    let save = move |_| {
        let target = match into.get_untracked().parse() {
            Ok(id) => Target::Dataset(id),
            Err(_) => Target::New(name.get_untracked().trim().to_owned()),
        };
        let history = if with_history.get_untracked() { history.get_value() } else { Vec::new() };
        let pair = Pair {
            history,
            tags: vec!["chat".to_owned()],
            ..Pair::new(question.get_untracked(), answer.get_untracked())
        };
        on_save.run((target, pair));
    };
    let is_blank = |text: RwSignal<String>| text.with(|text| text.trim().is_empty());
    let is_nameless = move || into.with(|into| into == NEW) && is_blank(name);
    let cannot_save =
        move || is_busy.get() || is_blank(question) || is_blank(answer) || is_nameless();
    let field = NodeRef::<html::Textarea>::new();
    Effect::new(move || {
        if let Some(field) = field.get() {
            let _ = field.focus();
        }
    });
    view! {
        <section
            class="save-pair"
            aria-label=move || words.get().chat.save_title
        >
            <h2>{move || words.get().chat.save_title}</h2>
            <label>
                <span>{move || words.get().chat.question}</span>
                <textarea
                    rows="2"
                    data-testid="chat-save-question"
                    prop:value=question
                    on:input:target=move |event| question.set(event.target().value())
                ></textarea>
            </label>
            <label>
                <span>{move || words.get().chat.answer}</span>
                <textarea
                    rows="3"
                    data-testid="chat-save-answer"
                    node_ref=field
                    prop:value=answer
                    on:input:target=move |event| answer.set(event.target().value())
                ></textarea>
            </label>
            <Show when=move || has_history>
                <label class="check">
                    <input
                        type="checkbox"
                        data-testid="chat-save-history"
                        prop:checked=with_history
                        on:change:target=move |event| with_history.set(event.target().checked())
                    />
                    <span>{move || words.get().chat.with_history}</span>
                </label>
            </Show>
            <div class="bar">
                <Destination datasets into name />
                <span>
                    <button class="quiet" type="button" on:click=move |_| on_cancel.run(())>
                        {move || words.get().chat.cancel}
                    </button>
                    <button class="button" type="button" data-testid="chat-save-confirm" disabled=cannot_save on:click=save>
                        {move || words.get().chat.save_confirm}
                    </button>
                </span>
            </div>
        </section>
    }
}

/// One of the datasets, or a name for a new one.
#[component]
fn Destination(
    datasets: Signal<Vec<DatasetSummary>>,
    /// A dataset's id, or [`NEW`].
    into: RwSignal<String>,
    name: RwSignal<String>,
) -> impl IntoView {
    let words = i18n::use_words();
    let is_new = move || into.with(|into| into == NEW);
    let option = move |it: DatasetSummary| {
        let id = it.id.to_string();
        let value = id.clone();
        view! { <option value=value selected=move || into.with(|into| *into == id)>{it.name}</option> }
    };
    view! {
        <label class="inline">
            <span>{move || words.get().chat.into}</span>
            <select data-testid="chat-save-into" prop:value=into on:change:target=move |event| into.set(event.target().value())>
                <For each=move || datasets.get() key=|it| (it.id, it.name.clone()) children=option />
                <option value=NEW selected=is_new>
                    {move || words.get().chat.new_dataset}
                </option>
            </select>
        </label>
        <Show when=is_new>
            <label class="inline">
                <span>{move || words.get().chat.named}</span>
                <input
                    type="text"
                    data-testid="chat-save-name"
                    prop:value=name
                    on:input:target=move |event| name.set(event.target().value())
                />
            </label>
        </Show>
    }
}
