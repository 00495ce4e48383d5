//! The evaluations that were made, newest first.

use leptos::prelude::*;
use weft_shared::api::evaluation::Evaluation;

use crate::{
    components::moment::moment,
    i18n::{self, train::events::state_name},
    state::evaluate::table::percent,
};

#[component]
pub fn EvaluationList(
    #[prop(into)] evaluations: Signal<Vec<Evaluation>>,
    #[prop(into)] selected: Signal<Option<i64>>,
    #[prop(into)] on_select: Callback<i64>,
) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().evaluate;
    // Of which adapter; `None` is all.
    let only = RwSignal::new(None::<String>);
    let adapters = Memo::new(move |_| {
        let of = |all: &Vec<Evaluation>| {
            all.iter().filter_map(|it| it.request.adapter.clone()).collect::<Vec<String>>()
        };
        let mut names = evaluations.with(of);
        names.sort_unstable();
        names.dedup();
        names
    });
    let ids = move || {
        // One that is gone, or renamed, hides nothing.
        let only = only.get().filter(|name| adapters.with(|names| names.contains(name)));
        let is_shown = |it: &&Evaluation| only.is_none() || it.request.adapter == only;
        evaluations.with(|all| all.iter().filter(is_shown).map(|it| it.id).collect::<Vec<_>>())
    };
    let options = move || {
        let option = |name: String| {
            let value = name.clone();
            view! { <option value=value>{name}</option> }
        };
        adapters.get().into_iter().map(option).collect_view()
    };
    let choose = move |name: String| only.set(Some(name).filter(|name| !name.is_empty()));
    view! {
        <section class="runs" aria-labelledby="evaluations-title">
            <div class="bar">
                <h2 id="evaluations-title">{move || words().list}</h2>
                <Show when=move || adapters.with(|names| names.len() > 1)>
                    <label class="inline">
                        <span>{move || words().list_of}</span>
                        <select data-testid="evaluate-only" on:change:target=move |event| choose(event.target().value())>
                            <option value="">{move || words().any_adapter}</option>
                            {options}
                        </select>
                    </label>
                </Show>
            </div>
            <ul data-testid="evaluate-list">
                <For each=ids key=|id| *id let:id>
                    <ListLine id evaluations selected on_select />
                </For>
            </ul>
        </section>
    }
}

#[component]
fn ListLine(
    id: i64,
    evaluations: Signal<Vec<Evaluation>>,
    selected: Signal<Option<i64>>,
    on_select: Callback<i64>,
) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let words = move || &words.get().evaluate;
    let evaluation =
        Memo::new(move |_| evaluations.with(|all| all.iter().find(|it| it.id == id).cloned()));
    let now = Memo::new(move |_| evaluation.with(|it| it.as_ref().map(|it| it.state)));
    let name = move || {
        let adapter = evaluation.with(|it| it.as_ref()?.request.adapter.clone());
        adapter.unwrap_or_else(|| words().base.to_owned())
    };
    let shares = move || {
        evaluation.with(|it| {
            let result = &it.as_ref()?.result;
            let base = percent(result.base.all);
            Some(match &result.adapter {
                Some(adapter) => format!("{base} → {} %", percent(adapter.all)),
                None => format!("{base} %"),
            })
        })
    };
    let about = move || {
        evaluation.with(|it| {
            let it = it.as_ref()?;
            let version = it.request.version.unwrap_or_default();
            let data = format!("{} · {} {version}", it.dataset_name, words().version_number);
            let asked = format!("{} / {}", it.result.base.all.asked, it.questions);
            Some(format!("{data} · {asked} · {}", moment(it.created_ms, language.get())))
        })
    };
    let is_selected = move || selected.get() == Some(id);
    view! {
        <li
            class="run"
            class:selected=is_selected
            data-testid="evaluate-line"
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
                <span class="shares">{shares}</span>
                <span class=move || format!("badge {}", now.get().map_or("", state_name))>
                    {move || now.get().map(|now| words().state(now))}
                </span>
                <span class="about">{about}</span>
            </button>
        </li>
    }
}
