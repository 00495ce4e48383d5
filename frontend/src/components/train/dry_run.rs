//! One real step before the run: what it took, and what would fit.

use leptos::prelude::*;
use weft_shared::api::job::DryRun;

use crate::i18n::{self, quantity};

#[component]
pub fn DryRunPanel(
    #[prop(into)] measured: Signal<Option<DryRun>>,
    #[prop(into)] is_running: Signal<bool>,
    /// The options were changed since.
    #[prop(into)]
    is_stale: Signal<bool>,
    #[prop(into)] is_possible: Signal<bool>,
    /// Batch size of the options.
    #[prop(into)]
    batch_size: Signal<usize>,
    #[prop(into)] on_run: Callback<()>,
    #[prop(into)] on_batch_size: Callback<usize>,
) -> impl IntoView {
    let words = i18n::use_words();
    let check = move || &words.get().train.check;
    let label = move || if is_running.get() { check().dry_running } else { check().dry_run };
    let result = move || {
        measured.get().map(|measured| view! { <Measured measured batch_size on_batch_size /> })
    };
    view! {
        <div class="dry-run" aria-busy=move || is_running.get().to_string()>
            <div class="row">
                <button
                    class="button plain"
                    type="button"
                    data-testid="train-dry-run"
                    disabled=move || is_running.get() || !is_possible.get()
                    on:click=move |_| on_run.run(())
                >
                    {label}
                </button>
                <p class="help">{move || check().dry_run_help}</p>
            </div>
            <div aria-live="polite">
                {result}
                <Show when=move || is_stale.get() && measured.with(Option::is_some)>
                    <p class="help">{move || check().dry_run_stale}</p>
                </Show>
            </div>
        </div>
    }
}

#[component]
fn Measured(
    measured: DryRun,
    batch_size: Signal<usize>,
    on_batch_size: Callback<usize>,
) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let check = move || &words.get().train.check;
    let fitting = measured.fitting_batch_size;
    view! {
        <dl class="facts-grid" data-testid="train-dry-run-result">
            <div>
                <dt>{move || check().peak_memory}</dt>
                <dd data-testid="train-peak-memory" data-value=measured.peak_memory_bytes.to_string()>
                    {quantity::bytes(measured.peak_memory_bytes)}
                    " "
                    {move || check().of_memory}
                    " "
                    {quantity::bytes(measured.memory_bytes)}
                </dd>
            </div>
            <div>
                <dt>{move || check().step_time}</dt>
                <dd>{move || quantity::duration(measured.step_seconds, language.get())}</dd>
            </div>
            <div>
                <dt>{move || check().total_time}</dt>
                <dd>{move || quantity::duration(measured.total_seconds, language.get())}</dd>
            </div>
            <div>
                <dt>{move || check().fitting_batch}</dt>
                <dd>
                    {quantity::count(fitting)}
                    " "
                    <Show when=move || { fitting > 0 && fitting != batch_size.get() }>
                        <button
                            class="quiet"
                            type="button"
                            data-testid="train-take-batch"
                            on:click=move |_| on_batch_size.run(fitting)
                        >
                            {move || check().take_over}
                        </button>
                    </Show>
                </dd>
            </div>
        </dl>
        <Show when=move || fitting == 0>
            <p class="correct">{move || check().nothing_fits}</p>
        </Show>
    }
}
