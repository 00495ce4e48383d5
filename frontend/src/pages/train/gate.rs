//! What stands between options and a run: estimate, check, digest, dry run, and the button.

use leptos::prelude::*;
use weft_shared::api::job::Severity;

use super::setup::Setup;
use crate::{
    components::train::{
        check_report::CheckReport, digest::Digest, dry_run::DryRunPanel, estimate::Estimate,
    },
    i18n,
};

#[component]
pub fn Gate(setup: Setup, #[prop(into)] on_start: Callback<()>) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().train.check;
    // What was known stays in view until something newer is.
    let check = Memo::new(move |_| setup.checked.with(|it| Some(it.as_ref()?.check.clone())));
    let is_stale = Memo::new(move |_| setup.fresh_check().is_none());
    let findings = Memo::new(move |_| {
        check.with(|check| check.as_ref().map(|it| it.findings.clone()).unwrap_or_default())
    });
    let gravity = Memo::new(move |_| setup.gravity());
    let are_parts_shown = RwSignal::new(false);
    let dataset = move || setup.dataset.with(|it| it.as_ref().map_or(0, |it| it.id));
    let verdict = move || {
        let words = words();
        if setup.dataset.with(Option::is_none) {
            return words.waiting;
        }
        if setup.new_job.with(Option::is_none) {
            return words.wrong_numbers;
        }
        match (is_stale.get(), gravity.get()) {
            (true, _) => words.checking,
            (false, None) => words.all_good,
            (false, Some(Severity::Warning)) => words.warned,
            (false, Some(Severity::Refusal)) => words.refused,
        }
    };
    let verdict_class = move || match (is_stale.get(), gravity.get()) {
        (false, None) => "verdict good",
        (false, Some(Severity::Refusal)) => "verdict refused",
        (false, Some(Severity::Warning)) => "verdict warned",
        (true, _) => "verdict",
    };
    let start_label =
        move || if setup.is_starting.get() { words().starting } else { words().start };
    view! {
        <section class="gate" aria-labelledby="gate-title" aria-busy=move || setup.is_checking.get().to_string()>
            <h2 id="gate-title">{move || words().title}</h2>
            <p class=verdict_class role="status" data-testid="train-verdict">{verdict}</p>
            <CheckReport findings dataset=Signal::derive(dataset) />
            {move || check.get().map(|check| view! { <Estimate check are_parts_shown /> })}
            <Show when=move || setup.dataset.with(Option::is_some)>
                <Digest
                    preview=setup.previewing.state
                    of_server=Signal::derive(move || {
                        setup.fresh_check().map(|it| it.dataset_digest).filter(|it| !it.is_empty())
                    })
                    on_read_again=move |()| setup.read_datasets()
                />
            </Show>
            <DryRunPanel
                measured=Signal::derive(move || setup.measured.get().map(|(_, measured)| measured))
                is_running=setup.is_measuring
                is_stale=Signal::derive(move || setup.is_measure_stale())
                is_possible=Signal::derive(move || {
                    setup.new_job.with(Option::is_some) && gravity.get() != Some(Severity::Refusal)
                })
                batch_size=Signal::derive(move || {
                    setup.form.with(|form| form.settings().options.batch_size)
                })
                on_run=move |()| setup.dry_run()
                on_batch_size=move |size| {
                    setup.form.update(|form| form.change(|it| it.options.batch_size = size));
                }
            />
            <Show when=move || gravity.get() == Some(Severity::Warning)>
                <label class="anyway">
                    <input
                        type="checkbox"
                        data-testid="train-anyway"
                        prop:checked=setup.anyway
                        on:change:target=move |event| setup.anyway.set(event.target().checked())
                    />
                    <span>{move || words().anyway}</span>
                </label>
            </Show>
            <button
                class="button start"
                type="button"
                data-testid="train-start"
                disabled=move || !setup.can_start()
                on:click=move |_| on_start.run(())
            >
                {start_label}
            </button>
        </section>
    }
}
