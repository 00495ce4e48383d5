//! Bars of lengths, each of which can be pressed, and where the limit is.

use leptos::prelude::*;

use crate::{i18n, state::dataset::histogram::Histogram};

#[component]
pub fn LengthBars(
    #[prop(into)] name: Signal<&'static str>,
    test_id: &'static str,
    #[prop(into)] histogram: Signal<Histogram>,
    #[prop(into)] limit: Signal<usize>,
    /// The first length of the bar that is pressed.
    #[prop(into)]
    pressed: Signal<Option<usize>>,
    /// A bar by its place.
    #[prop(into)]
    on_press: Callback<usize>,
) -> impl IntoView {
    let words = i18n::use_words();
    let bars = move || {
        histogram.with(|histogram| {
            let most = histogram.most().max(1) as f64;
            let bars = histogram.bars.iter().enumerate();
            bars.map(|(place, bar)| {
                let (start, end) = (*bar.tokens.start(), *bar.tokens.end());
                let count = bar.count;
                let label = move || {
                    let words = &words.get().dataset;
                    format!("{}: {}", (words.token_range)(start, end), (words.pairs)(count))
                };
                // A few pairs are still to be seen beside thousands.
                let height = (100.0 * count as f64 / most).max(if count > 0 { 3.0 } else { 0.0 });
                view! {
                    <button
                        class="length-bar"
                        type="button"
                        disabled={count == 0}
                        aria-label=label
                        title=label
                        aria-pressed=move || (pressed.get() == Some(start)).to_string()
                        on:click=move |_| on_press.run(place)
                    >
                        <span class="fill" style:height=move || format!("{height}%")></span>
                    </button>
                }
            })
            .collect_view()
        })
    };
    let line = move || {
        let (at, count) = histogram.with(|it| (it.limit, it.bars.len()));
        at.map(|at| {
            let left = 100.0 * at / count as f64;
            view! { <span class="limit-line" style:left=move || format!("{left}%")></span> }
        })
    };
    let ends = move || {
        histogram.with(|it| {
            let first = it.bars.first().map_or(0, |bar| *bar.tokens.start());
            let last = it.bars.last().map_or(0, |bar| *bar.tokens.start());
            (first, last)
        })
    };
    view! {
        <div class="lengths" data-testid=test_id>
            <div class="bar">
                <h3>{name}</h3>
                <span class="hint">
                    {move || (words.get().dataset.limit_is)(limit.get())}
                </span>
            </div>
            <div class="length-bars" role="group" aria-label=name>
                {bars}
                {line}
            </div>
            <div class="length-ends" aria-hidden="true">
                <span>{move || ends().0}</span>
                <span>{move || format!("{}+", ends().1)}</span>
            </div>
        </div>
    }
}
