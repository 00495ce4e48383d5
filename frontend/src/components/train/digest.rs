//! Whether page and server would train on the same numbers.

use leptos::prelude::*;

use crate::{i18n, state::train::preview::PreviewState};

#[component]
pub fn Digest(
    #[prop(into)] preview: Signal<PreviewState>,
    /// What the server encoded, once it told.
    #[prop(into)]
    of_server: Signal<Option<String>>,
    /// Reads the dataset from the server again.
    #[prop(into)]
    on_read_again: Callback<()>,
) -> impl IntoView {
    let words = i18n::use_words();
    let check = move || &words.get().train.check;
    let digest = Memo::new(move |_| preview.with(|it| it.digest().map(str::to_owned)));
    let is_equal = Memo::new(move |_| {
        let (here, there) = (digest.get()?, of_server.get()?);
        Some(here == there)
    });
    let says = move || match preview.get() {
        PreviewState::OtherVocabulary => check().digest_other_vocabulary.to_owned(),
        PreviewState::Computing => check().digest_waiting.to_owned(),
        PreviewState::Failed(reason) => reason,
        PreviewState::Ready(_) => match is_equal.get() {
            None => check().checking.to_owned(),
            Some(true) => check().digest_equal.to_owned(),
            Some(false) => check().digest_different.to_owned(),
        },
    };
    view! {
        <div
            class="digest"
            class:equal=move || is_equal.get() == Some(true)
            class:different=move || is_equal.get() == Some(false)
            data-testid="train-digest"
            data-value=move || digest.get().unwrap_or_default()
            data-equal=move || is_equal.get().map(|is_equal| is_equal.to_string())
        >
            <h3>{move || check().digest}</h3>
            <p class="says">{says}</p>
            <p class="mono value">{digest}</p>
            <Show when=move || is_equal.get() == Some(false)>
                <p class="mono value">{of_server}</p>
                <button class="quiet" type="button" on:click=move |_| on_read_again.run(())>
                    {move || check().read_again}
                </button>
            </Show>
            <p class="help">{move || check().digest_help}</p>
        </div>
    }
}
