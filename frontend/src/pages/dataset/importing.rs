//! Pairs from elsewhere: files chosen or dropped, text that is pasted, and what became of them.

use leptos::{ev, html, prelude::*};
use web_sys::{DataTransfer, File, FileList};
use weft_shared::dataset::Problem;

use super::shortcuts::is_in_text;
use crate::{
    curating::{Curating, use_curating},
    i18n::{
        self,
        dataset::{findings, records},
    },
    state::dataset::import::{Report, import},
};

/// Of the bad lines of a file, so many are listed.
const LISTED: usize = 50;

/// Text waiting to be looked at before it is added; in the context of the page.
#[derive(Clone, Copy)]
struct Pasted(RwSignal<Option<String>>);

/// Files are dropped, and text is pasted, anywhere on the page.
pub(super) fn listen(curating: Curating) {
    let pasted = RwSignal::new(None);
    provide_context(Pasted(pasted));
    let take = move |data: Option<DataTransfer>| {
        let files = data.as_ref().and_then(DataTransfer::files).map(list).unwrap_or_default();
        let has_files = !files.is_empty();
        if has_files {
            curating.import_files(files);
        } else if let Some(text) = data.and_then(|data| data.get_data("text").ok())
            && !text.trim().is_empty()
        {
            pasted.set(Some(text));
        }
    };
    let over = window_event_listener(ev::dragover, |event| {
        if !is_in_text(event.target()) {
            event.prevent_default();
        }
    });
    let dropped = window_event_listener(ev::drop, move |event| {
        if !is_in_text(event.target()) {
            event.prevent_default();
            take(event.data_transfer());
        }
    });
    let paste = window_event_listener(ev::paste, move |event| {
        if !is_in_text(event.target()) {
            event.prevent_default();
            take(event.clipboard_data());
        }
    });
    on_cleanup(move || {
        over.remove();
        dropped.remove();
        paste.remove();
    });
}

fn list(files: FileList) -> Vec<File> {
    (0..files.length()).filter_map(|index| files.get(index)).collect()
}

/// The ways to new pairs.
#[component]
pub(super) fn ImportButtons() -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let Pasted(pasted) = expect_context();
    let input = NodeRef::<html::Input>::new();
    let choose = move |_| {
        let Some(input) = input.get_untracked() else { return };
        if let Some(files) = input.files() {
            curating.import_files(list(files));
        }
        // So that the same file can be chosen again after it was changed.
        input.set_value("");
    };
    view! {
        <button class="button" type="button" data-testid="dataset-add" on:click=move |_| curating.begin()>
            {move || words.get().dataset.add}
        </button>
        <label class="file">
            <input
                type="file"
                multiple
                accept=".json,.jsonl,.csv,.tsv,.txt,application/json,text/csv"
                data-testid="dataset-import"
                node_ref=input
                on:change=choose
            />
            <span class="button outlined">{move || words.get().dataset.import}</span>
        </label>
        <button
            class="button outlined"
            type="button"
            data-testid="dataset-paste"
            on:click=move |_| pasted.set(Some(String::new()))
        >
            {move || words.get().dataset.paste}
        </button>
        <PasteBox />
    }
}

/// Pasted text, and what it would add.
#[component]
fn PasteBox() -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let Pasted(pasted) = expect_context();
    let area = NodeRef::<html::Textarea>::new();
    Effect::new(move || {
        if let Some(area) = area.get() {
            request_animation_frame(move || {
                // It may be gone again by now.
                let _ = area.focus();
            });
        }
    });
    let found = Memo::new(move |_| {
        pasted.with(|text| {
            let text = text.as_ref()?;
            (!text.trim().is_empty()).then(|| import(None, text.as_bytes()).0)
        })
    });
    let count = Memo::new(move |_| found.with(|it| it.as_ref().map_or(0, |it| it.pairs)));
    let add = move |_| {
        let Some(text) = pasted.get_untracked() else { return };
        let (report, pairs) = import(None, text.as_bytes());
        pasted.set(None);
        curating.add_named(words.get_untracked().dataset.my_pairs, pairs);
        curating.reports.set(vec![report]);
    };
    view! {
        <Show when=move || pasted.with(Option::is_some)>
            <div class="paste">
                <label class="field">
                    <span class="field-name">{move || words.get().dataset.paste_label}</span>
                    <textarea
                        class="mono"
                        rows="6"
                        spellcheck="false"
                        data-testid="dataset-paste-text"
                        node_ref=area
                        prop:value=move || pasted.get().unwrap_or_default()
                        on:input:target=move |event| pasted.set(Some(event.target().value()))
                    ></textarea>
                </label>
                {move || found.get().map(|report| view! { <ReportItem report /> })}
                <div class="row-of-buttons">
                    <button
                        class="button"
                        type="button"
                        data-testid="dataset-paste-add"
                        disabled=move || count.get() == 0
                        on:click=add
                    >
                        {move || (words.get().dataset.add_pairs)(count.get())}
                    </button>
                    <button class="quiet" type="button" on:click=move |_| pasted.set(None)>
                        {move || words.get().dataset.cancel}
                    </button>
                </div>
            </div>
        </Show>
    }
}

/// What became of the last files.
#[component]
pub(super) fn Reports() -> impl IntoView {
    let words = i18n::use_words();
    let reports = use_curating().reports;
    view! {
        <div class="reports" role="status" data-testid="dataset-report">
            {move || {
                let reports = reports.get().into_iter();
                reports.map(|report| view! { <ReportItem report /> }).collect_view()
            }}
            <Show when=move || reports.with(|reports| !reports.is_empty())>
                <button class="quiet" type="button" on:click=move |_| reports.set(Vec::new())>
                    {move || words.get().dataset.dismiss}
                </button>
            </Show>
        </div>
    }
}

#[component]
fn ReportItem(report: Report) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let Report { file, outcome, pairs, problems } = report;
    let name = move || file.clone().unwrap_or_else(|| words.get().dataset.pasted.to_owned());
    let what = move || {
        let dataset = &words.get().dataset;
        match &outcome {
            Ok(form) => (dataset.found)(pairs, form.name()),
            Err(refusal) => findings::refusal(refusal, language.get()),
        }
    };
    let (count, more) = (problems.len(), problems.len().saturating_sub(LISTED));
    let lines = problems.into_iter().take(LISTED);
    let lines = lines
        .map(|problem| {
            let Problem { line, reason } = problem;
            view! {
                <li>
                    {move || (words.get().dataset.line)(line)}
                    ": "
                    {move || records::explain(&reason, language.get())}
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="report">
            <p>
                <b>{name}</b>
                ": "
                {what}
            </p>
            {(count > 0)
                .then(|| {
                    view! {
                        <details>
                            <summary>{move || (words.get().dataset.bad_lines)(count)}</summary>
                            // A keyboard can scroll it where it is long.
                            <ul class="bad-lines" tabindex="0">
                                {lines}
                                {(more > 0)
                                    .then(|| {
                                        view! { <li>{move || (words.get().dataset.and_more)(more)}</li> }
                                    })}
                            </ul>
                        </details>
                    }
                })}
        </div>
    }
}
