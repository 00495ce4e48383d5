//! What comes before the question: an instruction, and turns that were answered.

use leptos::prelude::*;
use weft_shared::pair::{Pair, Turn};

use crate::i18n;

#[component]
pub fn HistoryEditor(
    #[prop(into)] pair: Signal<Pair>,
    #[prop(into)] on_edit: Callback<Pair>,
) -> impl IntoView {
    let words = i18n::use_words();
    let change = move |change: &dyn Fn(&mut Pair)| {
        let mut pair = pair.get_untracked();
        change(&mut pair);
        on_edit.run(pair);
    };
    let turns = Memo::new(move |_| pair.with(|pair| pair.history.len()));
    let summary = move || {
        let inspect = &words.get().inspect;
        match turns.get() {
            0 => inspect.history.to_owned(),
            turns => format!("{} · {turns}", inspect.history),
        }
    };
    view! {
        <details class="history" open=move || { turns.get() > 0 }>
            <summary>{summary}</summary>
            <div class="turn-field">
                <label for="system">{move || words.get().inspect.system}</label>
                <input
                    id="system"
                    type="text"
                    data-testid="inspect-system"
                    autocomplete="off"
                    prop:value=move || pair.with(|pair| pair.system.clone().unwrap_or_default())
                    on:input:target=move |event| {
                        let system = Some(event.target().value()).filter(|text| !text.is_empty());
                        change(&|pair| pair.system.clone_from(&system));
                    }
                />
            </div>
            <ol class="turns">
                <For each=move || 0..turns.get() key=|turn| *turn let:turn>
                    <TurnFields turn pair on_edit />
                </For>
            </ol>
            <button
                class="quiet"
                type="button"
                data-testid="inspect-add-turn"
                on:click=move |_| change(&|pair| pair.history.push(Turn::default()))
            >
                {move || words.get().inspect.add_turn}
            </button>
        </details>
    }
}

#[component]
fn TurnFields(turn: usize, pair: Signal<Pair>, on_edit: Callback<Pair>) -> impl IntoView {
    let words = i18n::use_words();
    let change = move |change: &dyn Fn(&mut Turn)| {
        let mut pair = pair.get_untracked();
        if let Some(turn) = pair.history.get_mut(turn) {
            change(turn);
        }
        on_edit.run(pair);
    };
    let remove = move |_| {
        let mut pair = pair.get_untracked();
        if turn < pair.history.len() {
            pair.history.remove(turn);
        }
        on_edit.run(pair);
    };
    let text = move |of: fn(&Turn) -> &String| {
        pair.with(|pair| pair.history.get(turn).map(of).cloned().unwrap_or_default())
    };
    let label = move |what: &str| format!("{what} {}", turn + 1);
    view! {
        <li>
            <input
                type="text"
                aria-label=move || label(words.get().inspect.question)
                autocomplete="off"
                prop:value=move || text(|turn| &turn.question)
                on:input:target=move |event| {
                    let value = event.target().value();
                    change(&|turn| turn.question.clone_from(&value));
                }
            />
            <input
                type="text"
                aria-label=move || label(words.get().inspect.answer)
                autocomplete="off"
                prop:value=move || text(|turn| &turn.answer)
                on:input:target=move |event| {
                    let value = event.target().value();
                    change(&|turn| turn.answer.clone_from(&value));
                }
            />
            <button class="quiet" type="button" aria-label=move || label(words.get().inspect.remove_turn) on:click=remove>
                "×"
            </button>
        </li>
    }
}
