//! All that there is to say about one token.

use leptos::prelude::*;

use crate::{
    i18n::{self, part, token::explain},
    state::{chip::Chip, inspect::Column},
};

#[component]
pub fn TokenDetail(
    #[prop(into)] chip: Signal<Option<Chip>>,
    /// Its numbers, where it is in the sample.
    #[prop(into)]
    column: Signal<Option<Column>>,
) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let detail = move || match chip.get() {
        None => view! { <p class="quiet-text">{words.get().inspect.no_detail}</p> }.into_any(),
        Some(chip) => {
            let inspect = &words.get().inspect;
            let language = language.get();
            let class = format!("specimen chip {} hue-{}", chip.class(), chip.hue());
            let number = |name, value: String| {
                view! {
                    <dt>{name}</dt>
                    <dd class="mono">{value}</dd>
                }
            };
            let is_cut = chip.place.is_none();
            let rule =
                if is_cut { inspect.is_cut.to_owned() } else { part::rule(chip.origin, language) };
            let explanation = explain(&chip, language);
            let numbers = column.get().map(|column| {
                let positions: Vec<_> = column.positions.iter().map(u32::to_string).collect();
                view! {
                    {number(inspect.label, column.label.to_string())}
                    {number(inspect.positions, positions.join(", "))}
                    {number(inspect.place, (column.place + 1).to_string())}
                }
            });
            let span =
                chip.span.map(|(start, end)| number(inspect.span, format!("{start} … {end}")));
            view! {
                <p class=class>{chip.shown}</p>
                <p class="explanation">{explanation}</p>
                <p class="explanation">
                    <b>{part::name(chip.origin, language)}</b>
                    ": "
                    {rule}
                </p>
                <dl>
                    {number(inspect.piece, chip.piece)}
                    {number(inspect.id, chip.id.to_string())}
                    {numbers}
                    {span}
                </dl>
            }
            .into_any()
        }
    };
    view! {
        <section class="token-detail" aria-labelledby="detail-title">
            <h2 id="detail-title">{move || words.get().inspect.detail}</h2>
            <div aria-live="polite">{detail}</div>
        </section>
    }
}
