//! What a run will take, as far as that is known before it starts.

use leptos::prelude::*;
use weft_shared::api::job::Check;

use crate::i18n::{self, quantity};

#[component]
pub fn Estimate(check: Check) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let check_words = move || &words.get().train.check;
    let time = move || match check.estimated_seconds {
        Some(seconds) => quantity::duration(seconds, language.get()),
        None => check_words().time_unknown.to_owned(),
    };
    view! {
        <dl class="facts-grid" data-testid="train-estimate">
            <div>
                <dt>{move || check_words().samples}</dt>
                <dd data-testid="train-samples">{quantity::count(check.samples)}</dd>
            </div>
            <div>
                <dt>{move || check_words().held_out}</dt>
                <dd>{quantity::count(check.held_out)}</dd>
            </div>
            <div>
                <dt>{move || check_words().steps}</dt>
                <dd data-testid="train-total-steps">{quantity::count(check.total_steps)}</dd>
            </div>
            <div>
                <dt>{move || check_words().tokens}</dt>
                <dd>{quantity::count(check.tokens)}</dd>
            </div>
            <div>
                <dt>{move || check_words().learned}</dt>
                <dd>{quantity::count(check.learned_tokens)}</dd>
            </div>
            <div>
                <dt>{move || check_words().longest}</dt>
                <dd>{quantity::count(check.longest_sample)} " " {move || check_words().tokens_unit}</dd>
            </div>
            <div>
                <dt>{move || check_words().trainable}</dt>
                <dd>{quantity::count(check.trainable_parameters)}</dd>
            </div>
            <div>
                <dt>{move || check_words().memory}</dt>
                <dd>{quantity::bytes(check.estimated_memory_bytes)}</dd>
            </div>
            <div>
                <dt>{move || check_words().time}</dt>
                <dd>{time}</dd>
            </div>
        </dl>
    }
}
