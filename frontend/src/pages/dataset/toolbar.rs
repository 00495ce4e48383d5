//! Which dataset, how it is saved, and undoing.

use leptos::prelude::*;

use super::{
    save_badge::{SaveBadge, SaveTrouble},
    views::Views,
};
use crate::{
    components::ask_name::AskName, curating::use_curating, i18n, state::dataset::editor::Editor,
};

/// What is being asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asking {
    #[default]
    Nothing,
    NewName,
    Rename,
    Delete,
}

#[component]
pub(super) fn Toolbar(views: Views) -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let asking = RwSignal::new(Asking::Nothing);
    let reach = Memo::new(move |_| curating.editor.with(|editor| editor.history().reach()));
    let id = Memo::new(move |_| curating.editor.with(Editor::id));
    let done = move || asking.set(Asking::Nothing);

    let asked = move || {
        let ask = asking.get();
        let cancel = move |()| done();
        match ask {
            Asking::Nothing => None,
            Asking::NewName => {
                let create = move |name| {
                    done();
                    curating.create(name);
                };
                let label = Signal::derive(move || words.get().dataset.new_name);
                let action = Signal::derive(move || words.get().dataset.create);
                Some(view! { <AskName label test_id="dataset-name" action on_name=create on_cancel=cancel /> }.into_any())
            }
            Asking::Rename => {
                let rename = move |name| {
                    done();
                    curating.rename(name);
                };
                let label = Signal::derive(move || words.get().dataset.new_name);
                let action = Signal::derive(move || words.get().dataset.rename);
                let start = curating.editor.with_untracked(|editor| editor.name().to_owned());
                Some(view! { <AskName label test_id="dataset-name" start action on_name=rename on_cancel=cancel /> }.into_any())
            }
            Asking::Delete => Some(view! { <ConfirmDelete views on_done=cancel /> }.into_any()),
        }
    };

    view! {
        <section class="toolbar" aria-label=move || words.get().dataset.dataset>
            <DatasetSelect />
            <div class="row-of-buttons">
                <button class="quiet" type="button" data-testid="dataset-new" on:click=move |_| asking.set(Asking::NewName)>
                    {move || words.get().dataset.new}
                </button>
                <Show when=move || id.get().is_some()>
                    <button class="quiet" type="button" data-testid="dataset-rename" on:click=move |_| asking.set(Asking::Rename)>
                        {move || words.get().dataset.rename}
                    </button>
                    <button
                        class="quiet"
                        type="button"
                        data-testid="dataset-delete-dataset"
                        on:click=move |_| asking.set(Asking::Delete)
                    >
                        {move || words.get().dataset.delete_dataset}
                    </button>
                </Show>
            </div>
            <div class="row-of-buttons to-the-end">
                <SaveBadge />
                <button
                    class="quiet"
                    type="button"
                    data-testid="dataset-undo"
                    title="Ctrl+Z"
                    disabled=move || !reach.get().0
                    on:click=move |_| curating.undo()
                >
                    {move || words.get().dataset.undo}
                </button>
                <button
                    class="quiet"
                    type="button"
                    data-testid="dataset-redo"
                    title="Ctrl+Shift+Z"
                    disabled=move || !reach.get().1
                    on:click=move |_| curating.redo()
                >
                    {move || words.get().dataset.redo}
                </button>
                <Show when=move || id.get().is_some() && (views.count.get() > 0)>
                    <a
                        class="button"
                        data-testid="dataset-train-link"
                        href=move || id.get().map(|id| format!("/train?dataset={id}"))
                    >
                        {move || words.get().dataset.train}
                    </a>
                </Show>
            </div>
            {asked}
        </section>
        <SaveTrouble />
    }
}

#[component]
fn DatasetSelect() -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let current = Memo::new(move |_| curating.editor.with(Editor::id));
    let options = move || {
        let current = current.get();
        let datasets = curating.datasets.get();
        let unmade = current.is_none().then(|| {
            let text = curating.editor.with(|editor| editor.name().to_owned());
            let text = if text.is_empty() { words.get().dataset.none_yet.to_owned() } else { text };
            view! { <option value="" selected=true>{text}</option> }
        });
        let made = datasets.into_iter().map(|dataset| {
            let text = format!("{} · {}", dataset.name, dataset.pairs);
            view! {
                <option value=dataset.id.to_string() selected={current == Some(dataset.id)}>
                    {text}
                </option>
            }
        });
        view! {
            {unmade}
            {made.collect_view()}
        }
    };
    view! {
        <label class="choose-dataset">
            <span class="field-name">{move || words.get().dataset.dataset}</span>
            <select
                data-testid="dataset-select"
                on:change:target=move |event| {
                    if let Ok(id) = event.target().value().parse() {
                        curating.switch(id);
                    }
                }
            >
                {options}
            </select>
        </label>
    }
}

#[component]
fn ConfirmDelete(views: Views, #[prop(into)] on_done: Callback<()>) -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let question = move || {
        let name = curating.editor.with(|editor| editor.name().to_owned());
        (words.get().dataset.confirm_delete)(&name, views.count.get())
    };
    let delete = move |_| {
        on_done.run(());
        curating.delete_dataset();
    };
    view! {
        <div class="ask" role="alertdialog" aria-label=move || words.get().dataset.delete_dataset>
            <p>{question}</p>
            <button class="button danger" type="button" data-testid="dataset-delete-confirm" on:click=delete>
                {move || words.get().dataset.delete_for_good}
            </button>
            <button class="quiet" type="button" on:click=move |_| on_done.run(())>
                {move || words.get().dataset.cancel}
            </button>
        </div>
    }
}
