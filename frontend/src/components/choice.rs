//! One of a few, all of them to be seen.

use leptos::prelude::*;

#[component]
pub fn Choice<T>(
    /// Of the group of buttons; also the name of its test.
    name: &'static str,
    #[prop(into)] legend: Signal<&'static str>,
    options: Vec<T>,
    #[prop(into)] chosen: Signal<T>,
    /// Its value in the group, what it is called, and what it means.
    #[prop(into)]
    words: Callback<T, (&'static str, &'static str, &'static str)>,
    #[prop(into)] on_choose: Callback<T>,
) -> impl IntoView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    let buttons = options.into_iter().map(move |option| {
        let value = move || words.run(option).0;
        let label = move || words.run(option).1;
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name=name
                    value=value
                    data-testid=move || format!("{name}-{}", value())
                    prop:checked=move || chosen.get() == option
                    on:change=move |_| on_choose.run(option)
                />
                <span>{label}</span>
            </label>
        }
    });
    view! {
        <fieldset class="choice" data-testid=name data-value=move || words.run(chosen.get()).0>
            <legend>{legend}</legend>
            <div class="segments">{buttons.collect_view()}</div>
            <p class="hint" aria-live="polite">
                {move || words.run(chosen.get()).2}
            </p>
        </fieldset>
    }
}
