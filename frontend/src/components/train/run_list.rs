//! The runs of the server, newest first.

use leptos::prelude::*;
use weft_shared::api::job::Job;

use crate::i18n::{
    self,
    train::events::{state, state_name},
};

#[component]
pub fn RunList(
    #[prop(into)] jobs: Signal<Vec<Job>>,
    #[prop(into)] selected: Signal<Option<i64>>,
    /// Whose curves are drawn beside the selected one's.
    #[prop(into)]
    compared: Signal<Vec<i64>>,
    #[prop(into)] on_select: Callback<i64>,
    #[prop(into)] on_compare: Callback<(i64, bool)>,
) -> impl IntoView {
    let words = i18n::use_words();
    let ids = move || jobs.with(|jobs| jobs.iter().map(|job| job.id).collect::<Vec<_>>());
    view! {
        <section class="runs" aria-labelledby="runs-title">
            <h2 id="runs-title">{move || words.get().train.run.list_title}</h2>
            <ul data-testid="train-runs">
                <For each=ids key=|id| *id let:id>
                    <RunLine id jobs selected compared on_select on_compare />
                </For>
            </ul>
        </section>
    }
}

#[component]
fn RunLine(
    id: i64,
    jobs: Signal<Vec<Job>>,
    selected: Signal<Option<i64>>,
    compared: Signal<Vec<i64>>,
    on_select: Callback<i64>,
    on_compare: Callback<(i64, bool)>,
) -> impl IntoView {
    let words = i18n::use_words();
    let run = move || &words.get().train.run;
    let job = Memo::new(move |_| jobs.with(|jobs| jobs.iter().find(|job| job.id == id).cloned()));
    let name = move || job.with(|job| job.as_ref().map(|job| job.name.clone()));
    let now = Memo::new(move |_| job.with(|job| job.as_ref().map(|job| job.state)));
    let is_selected = move || selected.get() == Some(id);
    let about = move || {
        let Some(job) = job.get() else { return String::new() };
        let data = format!("{} · {} {}", job.dataset_name, run().version, job.dataset_version);
        let steps = (job.total_steps > 0).then(|| format!("{} / {}", job.step, job.total_steps));
        [Some(data), steps, job.adapter].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    };
    view! {
        <li
            class="run"
            class:selected=is_selected
            data-testid="train-run"
            data-id=id
            data-value=move || now.get().map(state_name)
        >
            <button
                type="button"
                class="pick"
                aria-pressed=move || is_selected().to_string()
                on:click=move |_| on_select.run(id)
            >
                <span class="name">{name}</span>
                <span class=move || format!("badge {}", now.get().map_or("", state_name))>
                    {move || now.get().map(|now| state(now, run()))}
                </span>
                <span class="about">{about}</span>
            </button>
            <Show when=move || !is_selected()>
                <label class="compare">
                    <input
                        type="checkbox"
                        data-testid="train-compare"
                        aria-label=move || format!("{} {} {id}", run().compare, name().unwrap_or_default())
                        prop:checked=move || compared.with(|it| it.contains(&id))
                        on:change:target=move |event| on_compare.run((id, event.target().checked()))
                    />
                    <span aria-hidden="true">{move || run().compare}</span>
                </label>
            </Show>
        </li>
    }
}
