//! How pairs are encoded: lengths, what becomes of longer text, and the rule of positions.

use leptos::prelude::*;
use weft_shared::sample::{PositionRule, SampleOptions, Truncation};

use super::{choice::Choice, number_field::NumberField};
use crate::i18n;

#[component]
pub fn EncodingForm(
    #[prop(into)] options: Signal<SampleOptions>,
    /// What the model starts from.
    #[prop(into)]
    recommended: Signal<SampleOptions>,
    #[prop(into)] on_change: Callback<SampleOptions>,
) -> impl IntoView {
    let words = i18n::use_words();
    let change = move |change: &dyn Fn(&mut SampleOptions)| {
        let mut options = options.get_untracked();
        change(&mut options);
        on_change.run(options);
    };
    let truncation_words = move |truncation| {
        let words = &words.get().inspect.encoding;
        match truncation {
            Truncation::End => ("end", words.cut_end, words.cut_end_means),
            Truncation::Front => ("front", words.cut_front, words.cut_front_means),
            Truncation::Drop => ("drop", words.drop, words.drop_means),
        }
    };
    let rule_words = move |rule| {
        let words = &words.get().inspect.encoding;
        match rule {
            PositionRule::V096f3de => ("096f3de", "096f3de", words.counts_on),
            PositionRule::Main => ("main", "main", words.stands_at_gmask),
        }
    };
    view! {
        <section class="encoding" aria-labelledby="encoding-title">
            <div class="bar">
                <h2 id="encoding-title">{move || words.get().inspect.encoding.title}</h2>
                <button
                    class="quiet"
                    type="button"
                    data-testid="inspect-reset"
                    disabled=move || options.get() == recommended.get()
                    on:click=move |_| on_change.run(recommended.get_untracked())
                >
                    {move || words.get().inspect.encoding.reset}
                </button>
            </div>
            <div class="lengths">
                <NumberField
                    id="max-source"
                    test_id="inspect-max-source"
                    label=Signal::derive(move || words.get().inspect.encoding.max_source)
                    hint=Signal::derive(move || words.get().inspect.encoding.max_source_hint)
                    value=Signal::derive(move || options.with(|it| it.max_source_length))
                    on_change=move |length| change(&|it| it.max_source_length = length)
                />
                <NumberField
                    id="max-target"
                    test_id="inspect-max-target"
                    label=Signal::derive(move || words.get().inspect.encoding.max_target)
                    hint=Signal::derive(move || words.get().inspect.encoding.max_target_hint)
                    value=Signal::derive(move || options.with(|it| it.max_target_length))
                    on_change=move |length| change(&|it| it.max_target_length = length)
                />
            </div>
            <Choice
                name="inspect-truncation"
                legend=Signal::derive(move || words.get().inspect.encoding.truncation)
                options=vec![Truncation::End, Truncation::Front, Truncation::Drop]
                chosen=Signal::derive(move || options.with(|it| it.truncation))
                words=truncation_words
                on_choose=move |truncation| change(&|it| it.truncation = truncation)
            />
            <Choice
                name="inspect-position-rule"
                legend=Signal::derive(move || words.get().inspect.encoding.position_rule)
                options=vec![PositionRule::V096f3de, PositionRule::Main]
                chosen=Signal::derive(move || options.with(|it| it.position_rule))
                words=rule_words
                on_choose=move |rule| change(&|it| it.position_rule = rule)
            />
            <p class="hint">{move || words.get().inspect.encoding.shared}</p>
        </section>
    }
}
