//! Searching, filtering, and how many rows are left.

use leptos::prelude::*;

use super::views::Views;
use crate::{
    curating::use_curating,
    i18n::{self, dataset::findings},
    state::dataset::{
        filter::{Filter, LengthRange, Wanted},
        lengths::Part,
        problems::ProblemKind,
    },
};

#[component]
pub(super) fn FilterBar(views: Views) -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let filter = views.filter;
    // What is typed is ahead of what is searched for.
    let typed = RwSignal::new(String::new());
    let search = StoredValue::new_local(views.searching());
    let shown = Memo::new(move |_| views.keys.with(|keys| keys.len()));
    let is_open = Memo::new(move |_| filter.with(Filter::is_open));
    let clear = move |_| {
        typed.set(String::new());
        filter.set(Filter::default());
    };
    let delete_shown = move |_| {
        let keys = views.keys.get_untracked();
        curating.delete(&keys);
    };
    view! {
        <search class="filter" aria-label=move || words.get().dataset.filter>
            <Show when=move || { views.count.get() > 0 }>
            <label class="search-field">
                <span class="visually-hidden">{move || words.get().dataset.search}</span>
                <input
                    type="search"
                    class="text"
                    data-testid="dataset-search"
                    placeholder=move || words.get().dataset.search
                    prop:value=typed
                    on:input:target=move |event| {
                        let text = event.target().value();
                        typed.set(text.clone());
                        search.with_value(|search| search(text));
                    }
                />
            </label>
            <ProblemSelect views />
            <LengthFields views />
            </Show>
            <p class="counted" role="status">
                <b data-testid="dataset-count" data-value=move || views.count.get().to_string()>
                    {views.count}
                </b>
                " "
                {move || (words.get().dataset.pairs_noun)(views.count.get())}
                <Show when=move || !is_open.get()>
                    ", "
                    <span data-testid="dataset-shown" data-value=move || shown.get().to_string()>
                        {move || (words.get().dataset.shown)(shown.get())}
                    </span>
                </Show>
            </p>
            <Show when=move || !is_open.get()>
                <button class="quiet" type="button" data-testid="dataset-clear-filter" on:click=clear>
                    {move || words.get().dataset.show_all}
                </button>
                <Show when=move || { shown.get() > 0 }>
                    <button class="quiet" type="button" data-testid="dataset-delete-shown" on:click=delete_shown>
                        {move || (words.get().dataset.delete_shown)(shown.get())}
                    </button>
                </Show>
            </Show>
        </search>
    }
}

#[component]
fn ProblemSelect(views: Views) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let filter = views.filter;
    let count = move |kind| match kind {
        ProblemKind::TooLong => views.too_long(),
        kind => views.problems.with(|problems| problems.count(kind)),
    };
    let text = move |wanted: Wanted| match wanted {
        Wanted::Anything => words.get().dataset.all_pairs.to_owned(),
        Wanted::AnyProblem => words.get().dataset.any_problem.to_owned(),
        Wanted::Problem(kind) => {
            format!("{} ({})", findings::name(kind, language.get()), count(kind))
        }
    };
    let kinds = ProblemKind::ALL.map(Wanted::Problem);
    let options = [Wanted::Anything, Wanted::AnyProblem].into_iter().chain(kinds);
    let options = options
        .map(|wanted| {
            let is_chosen = move || filter.with(|filter| filter.problem == wanted);
            view! {
                <option value=wanted.name() prop:selected=is_chosen>
                    {move || text(wanted)}
                </option>
            }
        })
        .collect_view();
    view! {
        <label>
            <span class="visually-hidden">{move || words.get().dataset.problem}</span>
            <select
                data-testid="dataset-problem"
                on:change:target=move |event| {
                    let wanted = Wanted::from_name(&event.target().value());
                    filter.update(|filter| filter.problem = wanted);
                }
            >
                {options}
            </select>
        </label>
    }
}

#[component]
fn LengthFields(views: Views) -> impl IntoView {
    let words = i18n::use_words();
    let filter = views.filter;
    let part = RwSignal::new(Part::Answer);
    let range = Memo::new(move |_| filter.with(|filter| filter.length));
    // A pressed bar sets the part too.
    Effect::new(move || {
        if let Some(range) = range.get() {
            part.set(range.part);
        }
    });
    let limit = move |text: String, set: fn(&mut LengthRange, Option<usize>)| {
        let value = text.trim().parse().ok();
        filter.update(|filter| {
            let open = LengthRange { part: part.get_untracked(), from: None, to: None };
            let mut range = filter.length.unwrap_or(open);
            set(&mut range, value);
            filter.length = (range.from.is_some() || range.to.is_some()).then_some(range);
        });
    };
    let text = move |of: fn(&LengthRange) -> Option<usize>| {
        range.get().and_then(|range| of(&range)).map(|it| it.to_string()).unwrap_or_default()
    };
    let choose = move |name: String| {
        let chosen = if name == "question" { Part::Question } else { Part::Answer };
        part.set(chosen);
        filter.update(|filter| {
            if let Some(range) = &mut filter.length {
                range.part = chosen;
            }
        });
    };
    view! {
        <div class="length-fields" role="group" aria-label=move || words.get().dataset.by_length>
            <select
                aria-label=move || words.get().dataset.by_length
                data-testid="dataset-length-part"
                on:change:target=move |event| choose(event.target().value())
            >
                <option value="answer" prop:selected=move || part.get() == Part::Answer>
                    {move || words.get().dataset.answer_tokens}
                </option>
                <option value="question" prop:selected=move || part.get() == Part::Question>
                    {move || words.get().dataset.question_tokens}
                </option>
            </select>
            <input
                type="number"
                class="text"
                min="0"
                data-testid="dataset-length-from"
                aria-label=move || words.get().dataset.from
                placeholder=move || words.get().dataset.from
                prop:value=move || text(|range| range.from)
                on:change:target=move |event| {
                    limit(event.target().value(), |range, value| range.from = value);
                }
            />
            <span aria-hidden="true">"–"</span>
            <input
                type="number"
                class="text"
                min="0"
                data-testid="dataset-length-to"
                aria-label=move || words.get().dataset.to
                placeholder=move || words.get().dataset.to
                prop:value=move || text(|range| range.to)
                on:change:target=move |event| {
                    limit(event.target().value(), |range, value| range.to = value);
                }
            />
        </div>
    }
}
