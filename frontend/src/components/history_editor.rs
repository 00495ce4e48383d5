//! What comes before the question: an instruction, and turns that were answered.

use leptos::{html, prelude::*};
use weft_shared::pair::Turn;

use crate::i18n;

#[component]
pub fn HistoryEditor(
    /// Begins the names by which tests find its parts.
    page: &'static str,
    #[prop(into)] system: Signal<String>,
    #[prop(into)] turns: Signal<Vec<Turn>>,
    #[prop(into)] on_system: Callback<String>,
    #[prop(into)] on_turns: Callback<Vec<Turn>>,
) -> impl IntoView {
    let words = i18n::use_words();
    let count = Memo::new(move |_| turns.with(Vec::len));
    let add = move |_| {
        let mut turns = turns.get_untracked();
        turns.push(Turn::default());
        on_turns.run(turns);
    };
    view! {
        <div class="history">
            <label class="field">
                <span class="field-name">{move || words.get().history.system}</span>
                <GrowingField
                    test_id=format!("{page}-system")
                    hint=Signal::derive(move || words.get().history.system_hint)
                    text=system
                    on_text=on_system
                />
            </label>
            <span class="field-name">{move || words.get().history.turns}</span>
            <For each=move || 0..count.get() key=|place| *place let:place>
                <TurnFields place turns on_turns />
            </For>
            <button class="quiet" type="button" data-testid=format!("{page}-add-turn") on:click=add>
                {move || words.get().history.add_turn}
            </button>
        </div>
    }
}

#[component]
fn TurnFields(
    place: usize,
    turns: Signal<Vec<Turn>>,
    on_turns: Callback<Vec<Turn>>,
) -> impl IntoView {
    let words = i18n::use_words();
    let text = move |part: fn(&Turn) -> &String| {
        Signal::derive(move || {
            turns.with(|turns| turns.get(place).map(part).cloned().unwrap_or_default())
        })
    };
    let edit = move |part: fn(&mut Turn) -> &mut String, text: String| {
        let mut turns = turns.get_untracked();
        if let Some(turn) = turns.get_mut(place) {
            *part(turn) = text;
        }
        on_turns.run(turns);
    };
    let remove = move |_| {
        let mut turns = turns.get_untracked();
        if place < turns.len() {
            turns.remove(place);
        }
        on_turns.run(turns);
    };
    let numbered = move |what: &str| format!("{what} {}", place + 1);
    view! {
        <div class="turn" role="group" aria-label=move || numbered(words.get().history.turn)>
            <GrowingField
                label=Signal::derive(move || numbered(words.get().history.question))
                hint=Signal::derive(move || words.get().history.question)
                text=text(|turn| &turn.question)
                on_text=move |text| edit(|turn| &mut turn.question, text)
            />
            <GrowingField
                label=Signal::derive(move || numbered(words.get().history.answer))
                hint=Signal::derive(move || words.get().history.answer)
                text=text(|turn| &turn.answer)
                on_text=move |text| edit(|turn| &mut turn.answer, text)
            />
            <button class="quiet" type="button" on:click=remove>
                {move || words.get().history.delete_turn}
            </button>
        </div>
    }
}

/// A text of any length.
#[component]
pub fn GrowingField(
    /// Where nothing else names it.
    #[prop(optional, into)]
    label: Option<Signal<String>>,
    #[prop(optional, into)] test_id: Option<String>,
    #[prop(optional)] node: NodeRef<html::Textarea>,
    hint: Signal<&'static str>,
    text: Signal<String>,
    #[prop(into)] on_text: Callback<String>,
) -> impl IntoView {
    view! {
        <textarea
            aria-label=move || label.map(|label| label.get())
            data-testid=test_id
            rows=move || text.with(|text| rows_of(text))
            node_ref=node
            placeholder=hint
            prop:value=text
            on:input:target=move |event| on_text.run(event.target().value())
        ></textarea>
    }
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
