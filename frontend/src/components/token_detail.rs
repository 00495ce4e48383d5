//! All that there is to say about one token.

use leptos::prelude::*;

use crate::{
    i18n::{self, token::explain},
    state::chip::Chip,
};

#[component]
pub fn TokenDetail(#[prop(into)] chip: Signal<Option<Chip>>) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let detail = move || match chip.get() {
        None => view! { <p class="quiet-text">{words.get().inspect.no_detail}</p> }.into_any(),
        Some(chip) => {
            let inspect = &words.get().inspect;
            let explanation = explain(&chip, language.get());
            let class = format!("specimen chip {} hue-{}", chip.class(), chip.hue());
            view! {
                <p class=class>{chip.shown}</p>
                <p class="explanation">{explanation}</p>
                <dl>
                    <dt>{inspect.id}</dt>
                    <dd class="mono">{chip.id}</dd>
                    <dt>{inspect.piece}</dt>
                    <dd class="mono">{chip.piece}</dd>
                    <dt>{inspect.place}</dt>
                    <dd class="mono">{chip.index + 1}</dd>
                    <dt>{inspect.span}</dt>
                    <dd class="mono">{format!("{} … {}", chip.start, chip.end)}</dd>
                </dl>
            }
            .into_any()
        }
    };
    view! {
        <section class="detail" aria-labelledby="detail-title">
            <h2 id="detail-title">{move || words.get().inspect.detail}</h2>
            <div aria-live="polite">{detail}</div>
        </section>
    }
}
