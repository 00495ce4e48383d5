//! The vocabulary in use, and the way to another one: a file, chosen or dropped.

use leptos::{html, prelude::*};
use web_sys::File;
use weft_shared::tokenizer::Revision;

use super::notice::Notice;
use crate::{
    i18n::{self, quantity},
    tokenizing::Opening,
    worker::Vocabulary,
};

#[component]
pub fn VocabularyPicker(
    #[prop(into)] opening: Signal<Opening>,
    /// What is in use, also while another is read.
    #[prop(into)]
    vocabulary: Signal<Option<Vocabulary>>,
    #[prop(into)] on_file: Callback<File>,
) -> impl IntoView {
    let words = i18n::use_words();
    let input = NodeRef::<html::Input>::new();
    let choose = move |_| {
        let Some(input) = input.get_untracked() else { return };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            on_file.run(file);
        }
        // So that the same file can be chosen again after it was changed.
        input.set_value("");
    };

    let state = move || match (opening.get(), vocabulary.get()) {
        (Opening::Reading(name), _) => {
            view! { <p>{words.get().inspect.reading} " " {name} " …"</p> }.into_any()
        }
        (_, Some(vocabulary)) => view! { <Facts vocabulary /> }.into_any(),
        (_, None) => view! { <p>{words.get().inspect.nothing_open}</p> }.into_any(),
    };
    let refused = move || match opening.get() {
        Opening::Refused { name, reason } => {
            let what = move || format!("{name} {} {reason}", words.get().inspect.refused);
            Some(
                view! { <Notice what=Signal::derive(what) next=Signal::derive(move || words.get().inspect.refused_next.to_owned()) /> },
            )
        }
        _ => None,
    };
    let open = move || {
        let inspect = &words.get().inspect;
        if vocabulary.with(Option::is_some) { inspect.open_other } else { inspect.open }
    };

    view! {
        <section class="vocabulary" class:empty=move || vocabulary.with(Option::is_none) aria-labelledby="vocabulary-title">
            <h2 id="vocabulary-title">{move || words.get().inspect.vocabulary}</h2>
            <div class="state" aria-live="polite">{state}</div>
            <label class="file">
                <input type="file" accept=".model" data-testid="inspect-vocabulary" node_ref=input on:change=choose />
                <span class="button">{open}</span>
                <span class="hint">{move || words.get().inspect.drop_hint}</span>
            </label>
        </section>
        {refused}
    }
}

#[component]
fn Facts(vocabulary: Vocabulary) -> impl IntoView {
    let words = i18n::use_words();
    view! {
        <p class="facts">
            <b>{vocabulary.name}</b>
            <span>{quantity::count(vocabulary.size)} " " {move || words.get().inspect.pieces}</span>
            <span class="mono">{revision_name(vocabulary.revision)}</span>
        </p>
    }
}

/// As the model's repository names it.
fn revision_name(revision: Revision) -> &'static str {
    match revision {
        Revision::V096f3de => "096f3de",
        Revision::Main => "main",
    }
}
