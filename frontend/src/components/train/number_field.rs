//! An option that is a number: its name, its value, what it means, and what is wrong with what was typed.

use leptos::prelude::*;

use crate::{
    i18n::{self, train::numbers},
    state::train::{
        field::{Field, Wanted},
        form::Form,
    },
};

#[component]
pub fn NumberField(
    field: Field,
    form: RwSignal<Form>,
    #[prop(into, optional)] is_fixed: Signal<bool>,
) -> impl IntoView {
    let language = i18n::use_language();
    let explained = move || numbers::explain(field, language.get());
    let text = Memo::new(move |_| form.with(|form| form.text(field)));
    let is_wrong = Memo::new(move |_| form.with(|form| form.is_wrong(field)));
    let help = format!("{}-help", field.id());
    // Only whole numbers: what a browser calls a number leaves out powers of ten while they are typed.
    let (kind, mode) = match field.wanted() {
        Wanted::Whole { .. } => ("number", "numeric"),
        _ => ("text", "decimal"),
    };
    let least = match field.wanted() {
        Wanted::Whole { from } => Some(from.to_string()),
        _ => None,
    };
    let write = move |text: String| {
        if text != form.with_untracked(|form| form.text(field)) {
            form.update(|form| form.write(field, text));
        }
    };
    view! {
        <div class="option" class:wrong=is_wrong>
            <label for=field.id()>{move || explained().label}</label>
            <input
                id=field.id()
                data-testid=field.id()
                type=kind
                inputmode=mode
                min=least
                step=(kind == "number").then_some("1")
                autocomplete="off"
                disabled=is_fixed
                aria-invalid=move || is_wrong.get().then_some("true")
                aria-describedby=help.clone()
                prop:value=text
                on:input:target=move |event| write(event.target().value())
                on:change:target=move |event| write(event.target().value())
            />
            <p id=help class="help">
                <Show when=move || is_wrong.get()>
                    <b class="correct">{move || numbers::correct(field.wanted(), language.get())} " "</b>
                </Show>
                {move || explained().help}
            </p>
        </div>
    }
}
