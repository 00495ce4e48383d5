//! What a run will take, as far as that is known before it starts.

use leptos::prelude::*;
use weft_shared::api::{estimate::MemoryEstimate, job::Check};

use crate::i18n::{self, quantity};

#[component]
pub fn Estimate(
    check: Check,
    /// Whether it is shown where the memory goes; outlives the check.
    are_parts_shown: RwSignal<bool>,
) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let check_words = move || &words.get().train.check;
    let time = check.estimate.time;
    let span = move |seconds: Option<f64>| match seconds {
        Some(seconds) => quantity::duration(seconds, language.get()),
        None => check_words().time_unknown.to_owned(),
    };
    let is_computed = time.is_some_and(|time| !time.is_measured);
    let memory = check.estimate.memory;
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
                <dd data-testid="train-memory" data-value=memory.peak_bytes.to_string()>
                    {quantity::bytes(memory.peak_bytes)}
                </dd>
            </div>
            <div>
                <dt>{move || check_words().step_estimate}</dt>
                <dd>{move || span(time.map(|time| time.step_seconds))}</dd>
            </div>
            <div>
                <dt>{move || check_words().time}</dt>
                <dd>{move || span(time.map(|time| time.total_seconds))}</dd>
            </div>
        </dl>
        <Show when=move || is_computed>
            <p class="help">{move || check_words().time_computed}</p>
        </Show>
        <details
            open=are_parts_shown.get_untracked()
            on:toggle:target=move |event| are_parts_shown.set(event.target().open())
        >
            <summary>{move || check_words().memory_parts}</summary>
            <MemoryParts memory />
        </details>
    }
}

#[component]
fn MemoryParts(memory: MemoryEstimate) -> impl IntoView {
    let words = i18n::use_words();
    let parts = move || {
        let words = &words.get().train.check.memory_of;
        [
            (words.weights, memory.weights_bytes),
            (words.learned, memory.learned_bytes),
            (words.gradients, memory.gradients_bytes),
            (words.kept, memory.kept_bytes),
            (words.loss, memory.loss_bytes),
            (words.scratch, memory.scratch_bytes),
        ]
        .map(|(name, bytes)| {
            view! {
                <div>
                    <dt>{name}</dt>
                    <dd>{quantity::bytes(bytes)}</dd>
                </div>
            }
        })
    };
    view! {
        <p class="help">{move || words.get().train.check.memory_parts_help}</p>
        <dl class="facts-grid" data-testid="train-memory-parts">{parts}</dl>
    }
}
