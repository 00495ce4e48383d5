//! Who answers: the base, an adapter, or both side by side.

use leptos::prelude::*;
use weft_shared::api::adapter::AdapterInfo;

use crate::i18n;

#[component]
pub fn Answerer(
    #[prop(into)] adapters: Signal<Vec<AdapterInfo>>,
    /// Whether the server has said which adapters there are.
    #[prop(into)]
    has_adapters: Signal<bool>,
    /// The adapter's name; empty for the base.
    chosen: RwSignal<String>,
    is_compared: RwSignal<bool>,
) -> impl IntoView {
    let words = i18n::use_words();
    let is_base = move || chosen.with(String::is_empty);
    let is_gone = move || {
        let is_there =
            adapters.with(|all| chosen.with(|name| all.iter().any(|it| it.name == *name)));
        has_adapters.get() && !is_base() && !is_there
    };
    let option = move |adapter: AdapterInfo| {
        let (name, this) = (adapter.name.clone(), adapter.name.clone());
        let why =
            move || (!adapter.is_usable).then(|| format!(" ({})", words.get().chat.other_model));
        view! {
            <option value=name.clone() disabled=!adapter.is_usable selected=move || chosen.with(|it| *it == this)>
                {name.clone()}
                {why}
            </option>
        }
    };
    view! {
        <section class="answerer">
            <label>
                <span>{move || words.get().chat.model}</span>
                <select
                    data-testid="chat-adapter"
                    data-value=chosen
                    prop:value=chosen
                    on:change:target=move |event| chosen.set(event.target().value())
                >
                    <option value="">{move || words.get().chat.base}</option>
                    <Show when=is_gone>
                        <option value=chosen selected>
                            {chosen}
                        </option>
                    </Show>
                    <For each=move || adapters.get() key=|it| (it.name.clone(), it.is_usable) children=option />
                </select>
            </label>
            <p class="hint" role="status">
                {move || is_gone().then(|| words.get().chat.adapter_gone)}
            </p>
            <label class="check">
                <input
                    type="checkbox"
                    data-testid="chat-compare"
                    disabled=is_base
                    prop:checked=is_compared
                    on:change:target=move |event| is_compared.set(event.target().checked())
                />
                <span>{move || words.get().chat.compare}</span>
                <small>{move || is_base().then(|| words.get().chat.compare_needs)}</small>
            </label>
        </section>
    }
}
