//! Right answers by family: shares, how sure they are, and what the adapter changed.

use leptos::prelude::*;
use weft_shared::{
    api::evaluation::EvaluationResult,
    score::{Score, by_chance},
};

use crate::{
    i18n::{self, quantity::count},
    state::evaluate::table::{Line, difference, lines, percent, range},
};

#[component]
pub fn Counts(
    #[prop(into)] result: Signal<EvaluationResult>,
    /// Whether there is an adapter, which may have answered nothing yet.
    has_adapter: bool,
) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().evaluate;
    let rows = Memo::new(move |_| result.with(lines));
    let outcomes = Memo::new(move |_| result.with(|it| it.outcomes));
    let is_compared = move || has_adapter && outcomes.with(|it| it.all() > 0);
    let changed =
        move || outcomes.with(|it| (words().learned_and_forgotten)(it.learned, it.forgotten));
    let chance = move || outcomes.with(|it| (words().chance)(by_chance(it.learned, it.forgotten)));
    let each = move || rows.get().into_iter().map(|line| row(line, has_adapter)).collect_view();
    view! {
        <section aria-labelledby="counts-title">
            <h3 id="counts-title">{move || words().counts}</h3>
            <Show when=is_compared>
                <p class="changed" data-testid="evaluate-summary">
                    <b>{changed}</b>
                    " "
                    <span class="quiet-text">{chance}</span>
                </p>
            </Show>
            // A keyboard can scroll it where it is wide.
            <div class="counts-scroll" tabindex="0">
                <table class="counts" aria-labelledby="counts-title" data-testid="evaluate-counts">
                    <thead>
                        <tr>
                            <th scope="col">{move || words().family}</th>
                            <th scope="col" class="number asked-column">{move || words().questions}</th>
                            <th scope="col">{move || words().base}</th>
                            <Show when=move || has_adapter>
                                <th scope="col">{move || words().with_adapter}</th>
                                <th scope="col" class="number">
                                    {move || words().difference} " "
                                    <small>{move || words().difference_help}</small>
                                </th>
                            </Show>
                        </tr>
                    </thead>
                    <tbody>{each}</tbody>
                </table>
            </div>
            <p class="help">{move || words().counts_help}</p>
        </section>
    }
}

fn row(line: Line, has_adapter: bool) -> impl IntoView {
    let words = i18n::use_words();
    let Line { family, base, adapter } = line;
    let is_all = family.is_none();
    let id = family.clone().unwrap_or_default();
    let name = move || family.clone().unwrap_or_else(|| words.get().evaluate.all.into());
    let of_adapter = has_adapter.then(|| {
        // Before the first answer.
        let adapter = adapter.unwrap_or_default();
        let changed = difference(base, adapter);
        let direction = match changed.chars().next() {
            Some('+') => "number gained",
            Some('−') => "number lost",
            _ => "number",
        };
        view! {
            <td><Share score=adapter is_adapter=true /></td>
            <td class=direction>{changed}</td>
        }
    });
    view! {
        <tr class:all=is_all data-testid="evaluate-row" data-value=id>
            <th scope="row">{name}</th>
            <td class="number asked-column">{count(base.asked)}</td>
            <td><Share score=base is_adapter=false /></td>
            {of_adapter}
        </tr>
    }
}

/// A share of right answers with its interval, drawn from 0 to 100 %.
#[component]
fn Share(score: Score, is_adapter: bool) -> impl IntoView {
    let words = i18n::use_words();
    let (low, high) = score.interval();
    let (whole_low, whole_high) = range(score);
    let range = move || (words.get().evaluate.range)(whole_low, whole_high);
    let counted = format!("{} / {}", count(score.right), count(score.asked));
    let share = if score.asked == 0 { "–".to_owned() } else { format!("{} %", percent(score)) };
    let at = |share: f64| format!("{:.2}%", share * 100.0);
    view! {
        <span class="share" title=range>
            <b>{share}</b>
            " "
            <small>{counted}</small>
            <span class="visually-hidden">", " {range}</span>
            <span class="interval" class:of-adapter=is_adapter aria-hidden="true">
                <span class="likely" style:left=at(low) style:width=at(high - low)></span>
                <span class="at" style:left=at(score.share())></span>
            </span>
        </span>
    }
}
