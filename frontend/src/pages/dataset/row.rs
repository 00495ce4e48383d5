//! One row: to be read, or open for editing.

use leptos::{ev, prelude::*};
use weft_shared::dataset::FindingKind;

use super::{
    table::{COLUMNS, delete},
    views::Views,
};
use crate::{
    components::{
        pair_fields::{Field, PairFields},
        virtual_list::focus_row,
    },
    curating::use_curating,
    i18n::{self, dataset::findings::explain},
    state::dataset::{draft::Draft, problems::length_problems, rows::Key},
};

/// What a cell shows of a text: more than there is room for.
const SHOWN: usize = 400;

#[component]
pub(super) fn RowCells(key: Key, views: Views) -> impl IntoView {
    let starts_at = RwSignal::new(Field::Question);
    let is_open = Memo::new(move |_| views.open.get() == Some(key));
    view! {
        <Show
            when=move || is_open.get()
            fallback=move || view! { <ClosedCells key views starts_at /> }
        >
            <OpenCell key views starts_at=starts_at.get_untracked() />
        </Show>
    }
}

#[component]
fn ClosedCells(key: Key, views: Views, starts_at: RwSignal<Field>) -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let row = views.row(key);
    let place = views.place(key);
    let number = move || place.get().map(|place| place + 1);
    let text = move |of: fn(&weft_shared::pair::Pair) -> &String| {
        row.with(|row| row.as_ref().map(|row| start_of(of(&row.pair)).to_owned()))
    };
    let open = move |field: Field| {
        starts_at.set(field);
        curating.edit_row(key);
    };
    // A text that is being selected is not being pressed.
    let press = move |field: Field| {
        let is_selecting = window()
            .get_selection()
            .ok()
            .flatten()
            .is_some_and(|selection| !selection.is_collapsed());
        if !is_selecting {
            open(field);
        }
    };
    view! {
        <span class="number" role="gridcell">{number}</span>
        <div class="text-cell question-cell" role="gridcell" on:click=move |_| press(Field::Question)>
            <p class="clamped">{move || text(|pair| &pair.question)}</p>
        </div>
        <div class="text-cell answer-cell" role="gridcell" on:click=move |_| press(Field::Answer)>
            <p class="clamped">{move || text(|pair| &pair.answer)}</p>
        </div>
        <div class="notes" role="gridcell">
            <Notes key views />
        </div>
        <span class="token-counts" role="gridcell">
            <TokenCounts key views />
        </span>
        <Actions key views on_edit=move |_: ev::MouseEvent| open(Field::Question) words />
    }
}

/// Problems in words, and tags.
#[component]
fn Notes(key: Key, views: Views) -> impl IntoView {
    let language = i18n::use_language();
    let row = views.row(key);
    let place = views.place(key);
    let findings = Memo::new(move |_| {
        let in_text = place.get().map(|place| {
            views.problems.with(|problems| {
                problems.at(place).iter().map(|it| it.kind.clone()).collect::<Vec<FindingKind>>()
            })
        });
        let in_length = row.with(|row| {
            let row = row.as_ref()?;
            Some(views.lengths.with(|lengths| length_problems(row, lengths)))
        });
        let all = in_text.into_iter().chain(in_length).flatten();
        all.collect::<Vec<FindingKind>>()
    });
    let tags = Memo::new(move |_| {
        row.with(|row| row.as_ref().map(|row| row.pair.tags.clone()).unwrap_or_default())
    });
    view! {
        <div class="clamped">
            {move || {
                let explained = findings.get();
                let explained = explained.iter().map(|kind| explain(kind, language.get()));
                explained
                    .map(|text| {
                        view! {
                            <span class="finding" data-testid="dataset-finding" title=text.clone()>
                                {text.clone()}
                            </span>
                            " "
                        }
                    })
                    .collect_view()
            }}
            {move || {
                let tags = tags.get().into_iter();
                tags.map(|tag| view! { <span class="tag">{tag}</span> " " }).collect_view()
            }}
        </div>
    }
}

/// Of question and answer.
#[component]
fn TokenCounts(key: Key, views: Views) -> impl IntoView {
    let words = i18n::use_words();
    let row = views.row(key);
    let measure =
        Memo::new(move |_| row.with(|row| views.lengths.with(|lengths| lengths.of(row.as_ref()?))));
    move || match measure.get() {
        None => view! { <span class="uncounted">"–"</span> }.into_any(),
        Some(measure) => {
            let dataset = &words.get().dataset;
            let (question, answer) = (measure.question, measure.answer);
            view! {
                <span
                    class:over=question.is_cut()
                    title=dataset.question_tokens
                    data-testid="dataset-question-tokens"
                >
                    {question.tokens}
                </span>
                <span class="apart">" + "</span>
                <span
                    class:over=answer.is_cut()
                    title=dataset.answer_tokens
                    data-testid="dataset-answer-tokens"
                >
                    {answer.tokens}
                </span>
            }
            .into_any()
        }
    }
}

#[component]
fn Actions(
    key: Key,
    views: Views,
    #[prop(into)] on_edit: Callback<ev::MouseEvent>,
    words: Signal<&'static i18n::Words>,
) -> impl IntoView {
    let curating = use_curating();
    // The grid is one stop for the tabulator; from the row it is at, one goes on to its buttons.
    let tab = move || if views.active.get() == Some(key) { "0" } else { "-1" };
    let link = Memo::new(move |_| {
        curating.editor.with(|editor| {
            let (dataset, row) = (editor.id()?, editor.row_id(key)?);
            Some(format!("/inspect?dataset={dataset}&row={row}"))
        })
    });
    view! {
        <div class="actions" role="gridcell">
            <button
                class="icon-button"
                type="button"
                tabindex=tab
                data-testid="dataset-edit"
                aria-label=move || words.get().dataset.edit
                title=move || words.get().dataset.edit
                on:click=move |event| on_edit.run(event)
            >
                <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
                    <path d="M4 20l1-4L16.5 4.5l3 3L8 19z" />
                </svg>
            </button>
            {move || {
                link.get()
                    .map(|href| {
                        view! {
                            <a
                                class="icon-button"
                                href=href
                                tabindex=tab
                                data-testid="dataset-inspect"
                                aria-label=move || words.get().dataset.inspect
                                title=move || words.get().dataset.inspect
                            >
                                <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
                                    <circle cx="11" cy="11" r="6" />
                                    <path d="M15.5 15.5L20 20" />
                                </svg>
                            </a>
                        }
                    })
            }}
            <button
                class="icon-button"
                type="button"
                tabindex=tab
                data-testid="dataset-delete"
                aria-label=move || words.get().dataset.delete
                title=move || words.get().dataset.delete
                on:click=move |_| delete(curating, views, key)
            >
                <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
                    <path d="M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13" />
                </svg>
            </button>
        </div>
    }
}

#[component]
fn OpenCell(key: Key, views: Views, starts_at: Field) -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let draft = Signal::derive(move || curating.draft.get().unwrap_or_default());
    let back_to_row = move || request_animation_frame(move || focus_row(key));
    let save = move |()| {
        curating.close();
        back_to_row();
    };
    let revert = move |()| {
        curating.revert();
        back_to_row();
    };
    view! {
        <div class="open-cell" role="gridcell" aria-colspan=COLUMNS.to_string()>
            <PairFields
                draft
                on_edit=move |edited: Draft| curating.draft.set(Some(edited))
                on_save=save
                on_leave=move |_| {
                    // Closing takes the fields away, which leaves them too.
                    if views.open.get_untracked() == Some(key) {
                        curating.commit();
                    }
                }
                on_revert=revert
                starts_at
            >
                <button class="button" type="button" data-testid="dataset-done" on:click=move |_| save(())>
                    {move || words.get().dataset.done}
                </button>
                <button class="quiet" type="button" on:click=move |_| delete(curating, views, key)>
                    {move || words.get().dataset.delete}
                </button>
                <span class="hint keys-hint">{move || words.get().dataset.editing_keys}</span>
            </PairFields>
        </div>
    }
}

/// Enough of a text to fill its cell.
fn start_of(text: &str) -> &str {
    text.char_indices().nth(SHOWN).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_gets_no_more_than_it_can_show() {
        assert_eq!(start_of("short"), "short");
        assert_eq!(start_of(&"长".repeat(SHOWN + 9)).chars().count(), SHOWN);
    }
}
