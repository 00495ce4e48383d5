//! The fields of a pair: question and answer, and behind a fold what goes with them.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlElement, Node};
use weft_shared::pair::Turn;

use crate::{
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
                <TextField
                    label=|words| words.system
                    hint=|words| words.system_hint
                    test_id="dataset-system"
                    text=Signal::derive(move || draft.with(|draft| draft.system.clone()))
                    on_text=move |text: String| edit(&|draft| draft.system.clone_from(&text))
                />
                <Turns draft on_edit />
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

/// A text of any length, with its name above it.
#[component]
fn TextField(
    label: fn(&Words) -> &'static str,
    hint: fn(&Words) -> &'static str,
    test_id: &'static str,
    #[prop(optional)] node: NodeRef<html::Textarea>,
    text: Signal<String>,
    #[prop(into)] on_text: Callback<String>,
) -> impl IntoView {
    let words = i18n::use_words();
    view! {
        <label class="field">
            <span class="field-name">{move || label(&words.get().dataset)}</span>
            <textarea
                data-testid=test_id
                rows=move || text.with(|text| rows_of(text))
                node_ref=node
                placeholder=move || hint(&words.get().dataset)
                prop:value=text
                on:input:target=move |event| on_text.run(event.target().value())
            ></textarea>
        </label>
    }
}

/// What was said before the question.
#[component]
fn Turns(#[prop(into)] draft: Signal<Draft>, on_edit: Callback<Draft>) -> impl IntoView {
    let words = i18n::use_words();
    let count = Memo::new(move |_| draft.with(|draft| draft.history.len()));
    let edit = move |change: &dyn Fn(&mut Vec<Turn>)| {
        let mut edited = draft.get_untracked();
        change(&mut edited.history);
        on_edit.run(edited);
    };
    let turn = move |place: usize| {
        let text = move |part: fn(&Turn) -> &String| {
            draft.with(|draft| draft.history.get(place).map(part).cloned().unwrap_or_default())
        };
        let asked = move || text(|turn| &turn.question);
        let answered = move || text(|turn| &turn.answer);
        let label = move |part: &str| format!("{part} {}", place + 1);
        view! {
            <div class="turn" role="group" aria-label=move || label(words.get().dataset.turn)>
                <textarea
                    aria-label=move || label(words.get().dataset.earlier_question)
                    rows=move || rows_of(&asked())
                    placeholder=move || words.get().dataset.earlier_question
                    prop:value=asked
                    on:input:target=move |event| {
                        let text = event.target().value();
                        edit(&|turns| turns[place].question.clone_from(&text));
                    }
                ></textarea>
                <textarea
                    aria-label=move || label(words.get().dataset.earlier_answer)
                    rows=move || rows_of(&answered())
                    placeholder=move || words.get().dataset.earlier_answer
                    prop:value=answered
                    on:input:target=move |event| {
                        let text = event.target().value();
                        edit(&|turns| turns[place].answer.clone_from(&text));
                    }
                ></textarea>
                <button
                    class="quiet"
                    type="button"
                    on:click=move |_| edit(&|turns| drop(turns.remove(place)))
                >
                    {move || words.get().dataset.delete_turn}
                </button>
            </div>
        }
    };
    view! {
        <div class="turns">
            <span class="field-name">{move || words.get().dataset.history}</span>
            <For each=move || 0..count.get() key=|place| *place let:place>
                {turn(place)}
            </For>
            <button
                class="quiet"
                type="button"
                data-testid="dataset-add-turn"
                on:click=move |_| edit(&|turns| turns.push(Turn::default()))
            >
                {move || words.get().dataset.add_turn}
            </button>
        </div>
    }
}

fn is_button(event: &ev::KeyboardEvent) -> bool {
    let element = event.target().and_then(|it| it.dyn_into::<HtmlElement>().ok());
    element.is_some_and(|it| ["BUTTON", "SUMMARY"].contains(&it.tag_name().as_str()))
}

/// Where the browser does not grow a field with its text.
fn rows_of(text: &str) -> String {
    let lines: usize = text.split('\n').map(|line| 1 + line.chars().count() / 60).sum();
    lines.clamp(1, 14).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_grows_with_its_text_up_to_a_limit() {
        assert_eq!(rows_of(""), "1");
        assert_eq!(rows_of("a\nb"), "2");
        assert_eq!(rows_of(&"x".repeat(150)), "3");
        assert_eq!(rows_of(&"\n".repeat(99)), "14");
    }
}
