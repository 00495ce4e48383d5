//! A new name for an adapter, in the place of the old one.

use leptos::{html, prelude::*};

use crate::{i18n, state::models::is_name};

#[component]
pub fn Rename(
    name: String,
    #[prop(into)] on_rename: Callback<String>,
    #[prop(into)] on_cancel: Callback<()>,
) -> impl IntoView {
    let words = i18n::use_words();
    let name = RwSignal::new(name);
    let is_wrong = Signal::derive(move || name.with(|name| !is_name(name.trim())));
    let keep = move || {
        if !is_wrong.get_untracked() {
            on_rename.run(name.get_untracked().trim().to_owned());
        }
    };
    let field = NodeRef::<html::Input>::new();
    Effect::new(move || {
        if let Some(field) = field.get() {
            let _ = field.focus();
            field.select();
        }
    });
    view! {
        <div class="rename">
            <input
                type="text"
                data-testid="models-rename-name"
                aria-label=move || words.get().models.new_name
                aria-invalid=move || is_wrong.get().to_string()
                node_ref=field
                prop:value=name
                on:input:target=move |event| name.set(event.target().value())
                on:keydown=move |event| {
                    match event.key().as_str() {
                        "Enter" if !event.is_composing() => keep(),
                        "Escape" => on_cancel.run(()),
                        _ => {}
                    }
                }
            />
            <button class="quiet" type="button" data-testid="models-rename-keep" disabled=is_wrong on:click=move |_| keep()>
                {move || words.get().models.keep}
            </button>
            <small role="status">{move || is_wrong.get().then(|| words.get().models.name_help)}</small>
        </div>
    }
}
