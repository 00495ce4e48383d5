//! The fields of a pair: question and answer, and behind a fold what goes with them.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlElement, Node};
use weft_shared::pair::Turn;

use crate::{
    components::history_editor::{GrowingField, HistoryEditor},
    i18n::{self, dataset::Words},
    state::dataset::draft::Draft,
};

/// Where the keyboard is when the fields appear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field {
    #[default]
    Question,
    Answer,
}

#[component]
pub fn PairFields(
    #[prop(into)] draft: Signal<Draft>,
    #[prop(into)] on_edit: Callback<Draft>,
    /// Enter.
    #[prop(into)]
    on_save: Callback<()>,
    /// A field was left; true where the keyboard left all of them.
    #[prop(into)]
    on_leave: Callback<bool>,
    /// Escape.
    #[prop(into)]
    on_revert: Callback<()>,
    starts_at: Field,
    /// Buttons for the end.
    children: Children,
) -> impl IntoView {
    let words = i18n::use_words();
    let group = NodeRef::<html::Div>::new();
    let question = NodeRef::<html::Textarea>::new();
    let answer = NodeRef::<html::Textarea>::new();
    Effect::new(move || {
        let field = if starts_at == Field::Question { question } else { answer };
        if let Some(field) = field.get() {
            request_animation_frame(move || {
                // It may be gone again by now.
                let _ = field.focus();
            });
        }
    });

    let edit = move |change: &dyn Fn(&mut Draft)| {
        let mut edited = draft.get_untracked();
        change(&mut edited);
        on_edit.run(edited);
    };
    let on_turns = move |turns: Vec<Turn>| edit(&|draft| draft.history.clone_from(&turns));
    let press = move |event: ev::KeyboardEvent| {
        // Enter and Escape first belong to whoever composes a character.
        if event.is_composing() {
            return;
        }
        match event.key().as_str() {
            "Enter" if !event.shift_key() && !is_button(&event) => {
                event.prevent_default();
                on_save.run(());
            }
            "Escape" => {
                event.stop_propagation();
                on_revert.run(());
            }
            _ => {}
        }
    };
    let leave = move |event: ev::FocusEvent| {
        // Fields that are taken away while the keyboard is in them lose it too: they are left no more.
        let Some(group) = group.try_get_untracked().flatten() else { return };
        let target = event.related_target().and_then(|it| it.dyn_into::<Node>().ok());
        let stays = target.is_some_and(|it| group.contains(Some(&it)));
        on_leave.try_run(!stays);
    };
    let is_unfolded = draft.with_untracked(Draft::has_context);

    view! {
        <div class="fields" node_ref=group on:keydown=press on:focusout=leave>
            <TextField
                label=|words| words.question
                hint=|words| words.question_hint
                test_id="dataset-question"
                node=question
                text=Signal::derive(move || draft.with(|draft| draft.question.clone()))
                on_text=move |text: String| edit(&|draft| draft.question.clone_from(&text))
            />
            <TextField
                label=|words| words.answer
                hint=|words| words.answer_hint
                test_id="dataset-answer"
                node=answer
                text=Signal::derive(move || draft.with(|draft| draft.answer.clone()))
                on_text=move |text: String| edit(&|draft| draft.answer.clone_from(&text))
            />
            <details class="context" open=is_unfolded>
                <summary data-testid="dataset-context">{move || words.get().dataset.context}</summary>
                <HistoryEditor
                    page="dataset"
                    system=Signal::derive(move || draft.with(|draft| draft.system.clone()))
                    turns=Signal::derive(move || draft.with(|draft| draft.history.clone()))
                    on_system=move |text: String| edit(&|draft| draft.system.clone_from(&text))
                    on_turns
                />
                <label class="field">
                    <span class="field-name">{move || words.get().dataset.tags}</span>
                    <input
                        type="text"
                        data-testid="dataset-tags"
                        autocomplete="off"
                        placeholder=move || words.get().dataset.tags_hint
                        prop:value=move || draft.with(|draft| draft.tags.clone())
                        on:input:target=move |event| {
                            let text = event.target().value();
                            edit(&|draft| draft.tags.clone_from(&text));
                        }
                    />
                </label>
            </details>
            <div class="field-actions">{children()}</div>
        </div>
    }
}

/// A text with its name above it.
#[component]
fn TextField(
    label: fn(&Words) -> &'static str,
    hint: fn(&Words) -> &'static str,
    test_id: &'static str,
    node: NodeRef<html::Textarea>,
    text: Signal<String>,
    #[prop(into)] on_text: Callback<String>,
) -> impl IntoView {
    let words = i18n::use_words();
    view! {
        <label class="field">
            <span class="field-name">{move || label(&words.get().dataset)}</span>
            <GrowingField
                test_id
                node
                hint=Signal::derive(move || hint(&words.get().dataset))
                text
                on_text
            />
        </label>
    }
}

fn is_button(event: &ev::KeyboardEvent) -> bool {
    let element = event.target().and_then(|it| it.dyn_into::<HtmlElement>().ok());
    element.is_some_and(|it| ["BUTTON", "SUMMARY"].contains(&it.tag_name().as_str()))
}
