//! Whether the server has everything, and what to do where it does not.

use leptos::prelude::*;

use crate::{curating::use_curating, i18n, state::dataset::saving::SaveState};

#[component]
pub(super) fn SaveBadge() -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let state = Memo::new(move |_| {
        curating.editor.with(|editor| {
            let saving = editor.saving();
            (saving.state().clone(), saving.unsaved())
        })
    });
    let name = move || match state.get() {
        (SaveState::Unreachable | SaveState::Refused { .. }, _) => "failed",
        (SaveState::Calm, 0) => "saved",
        _ => "saving",
    };
    let text = move || {
        let dataset = &words.get().dataset;
        match name() {
            "failed" => dataset.not_saved,
            "saved" => dataset.saved,
            _ => dataset.saving,
        }
    };
    view! {
        <span
            class=move || format!("save-state {}", name())
            role="status"
            data-testid="dataset-save-state"
            data-value=name
        >
            {text}
        </span>
    }
}

/// Where saving failed: why, and the ways out.
#[component]
pub(super) fn SaveTrouble() -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let trouble = Memo::new(move |_| {
        curating.editor.with(|editor| match editor.saving().state() {
            SaveState::Unreachable => Some((None, false)),
            SaveState::Refused { gone, detail } => Some((Some(detail.clone()), *gone)),
            SaveState::Calm | SaveState::Saving => None,
        })
    });
    let unsaved = move || curating.editor.with(|editor| editor.saving().unsaved());
    move || {
        let (refusal, gone) = trouble.get()?;
        let is_refused = refusal.is_some();
        let what = move || {
            let dataset = &words.get().dataset;
            match &refusal {
                None => (dataset.unreachable)(unsaved()),
                Some(reason) if gone => (dataset.gone)(reason),
                Some(reason) => (dataset.save_refused)(reason),
            }
        };
        let kept = move || {
            let dataset = &words.get().dataset;
            if curating.is_kept.get() { dataset.kept_here } else { dataset.not_kept_here }
        };
        Some(view! {
            <div class="notice" role="alert" data-testid="dataset-save-trouble">
                <p>{what}</p>
                <p class="next">{kept}</p>
                <div class="row-of-buttons">
                    <button class="quiet" type="button" data-testid="dataset-retry" on:click=move |_| curating.send()>
                        {move || words.get().dataset.retry}
                    </button>
                    <Show when=move || gone>
                        <button class="quiet" type="button" on:click=move |_| curating.start_over()>
                            {move || words.get().dataset.start_over}
                        </button>
                    </Show>
                    <Show when=move || is_refused>
                        <button class="quiet" type="button" on:click=move |_| curating.discard_unsaved()>
                            {move || words.get().dataset.discard}
                        </button>
                    </Show>
                </div>
            </div>
        })
    }
}
