//! Options that are chosen rather than typed.

use leptos::prelude::*;

use crate::{
    i18n::train::Explained,
    state::train::form::{Form, Settings},
};

/// One of a few values.
#[component]
pub fn Choice<T: Copy + PartialEq + Send + Sync + 'static>(
    id: &'static str,
    #[prop(into)] explained: Signal<Explained>,
    /// Each value, and what it is called.
    #[prop(into)]
    values: Signal<Vec<(T, &'static str)>>,
    form: RwSignal<Form>,
    get: fn(&Settings) -> T,
    set: fn(&mut Settings, T),
) -> impl IntoView {
    let chosen = Memo::new(move |_| form.with(|form| get(form.settings())));
    let options = move || {
        let option = |(index, (value, name)): (usize, (T, &'static str))| {
            view! { <option value=index.to_string() prop:selected=move || chosen.get() == value>{name}</option> }
        };
        values.get().into_iter().enumerate().map(option).collect_view()
    };
    let choose = move |index: String| {
        let values = values.get_untracked();
        if let Some(&(value, _)) = index.parse().ok().and_then(|index: usize| values.get(index)) {
            form.update(|form| form.change(|settings| set(settings, value)));
        }
    };
    let help = format!("{id}-help");
    view! {
        <div class="option">
            <label for=id>{move || explained.get().label}</label>
            <select id=id data-testid=id aria-describedby=help.clone() on:change:target=move |event| choose(event.target().value())>
                {options}
            </select>
            <p id=help class="help">{move || explained.get().help}</p>
        </div>
    }
}

/// Yes or no.
#[component]
pub fn Tick(
    id: &'static str,
    #[prop(into)] explained: Signal<Explained>,
    form: RwSignal<Form>,
    get: fn(&Settings) -> bool,
    set: fn(&mut Settings, bool),
    #[prop(into, optional)] is_fixed: Signal<bool>,
) -> impl IntoView {
    let is_set = Memo::new(move |_| form.with(|form| get(form.settings())));
    let help = format!("{id}-help");
    view! {
        <div class="option tick">
            <label>
                <input
                    type="checkbox"
                    data-testid=id
                    aria-describedby=help.clone()
                    disabled=is_fixed
                    prop:checked=is_set
                    on:change:target=move |event| {
                        let is_set = event.target().checked();
                        form.update(|form| form.change(|settings| set(settings, is_set)));
                    }
                />
                <span>{move || explained.get().label}</span>
            </label>
            <p id=help class="help">{move || explained.get().help}</p>
        </div>
    }
}
