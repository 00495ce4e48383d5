//! A whole number from 1 on.

use leptos::prelude::*;

#[component]
pub fn NumberField(
    /// Of the element, for its label.
    id: &'static str,
    test_id: &'static str,
    #[prop(into)] label: Signal<&'static str>,
    #[prop(into)] hint: Signal<&'static str>,
    #[prop(into)] value: Signal<usize>,
    #[prop(into)] on_change: Callback<usize>,
) -> impl IntoView {
    let is_wrong = RwSignal::new(false);
    let hint_id = format!("{id}-hint");
    let edit = move |typed: String| {
        let number = typed.trim().parse().ok().filter(|number| *number > 0);
        is_wrong.set(number.is_none());
        if let Some(number) = number {
            on_change.run(number);
        }
    };
    view! {
        <div class="number-field">
            <label for=id>{label}</label>
            <input
                id=id
                data-testid=test_id
                type="number"
                inputmode="numeric"
                min="1"
                step="1"
                prop:value=move || value.get().to_string()
                aria-invalid=move || is_wrong.get().then_some("true")
                aria-describedby=hint_id.clone()
                on:input:target=move |event| edit(event.target().value())
                // What is no number is forgotten when the field is left.
                on:change:target=move |event| {
                    is_wrong.set(false);
                    event.target().set_value(&value.get_untracked().to_string());
                }
            />
            <p class="hint" id=hint_id>
                {hint}
            </p>
        </div>
    }
}
