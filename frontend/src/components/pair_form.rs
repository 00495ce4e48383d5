//! The pair to take apart: question and answer, and what was said before.

use leptos::prelude::*;
use weft_shared::{
    pair::Pair,
    sample::{Fit, Part},
};

use super::{history_editor::HistoryEditor, text_field::TextField};
use crate::i18n;

#[component]
pub fn PairForm(
    #[prop(into)] pair: Signal<Pair>,
    /// How long question and answer are, once that is known.
    #[prop(into)]
    fits: Signal<Option<(Fit, Fit)>>,
    /// Whose text is marked, and which bytes of it.
    #[prop(into)]
    marked: Signal<Option<(Part, (usize, usize))>>,
    #[prop(into)] on_edit: Callback<Pair>,
    /// In whose text the caret is, and at which byte.
    #[prop(into)]
    on_caret: Callback<(Part, usize)>,
) -> impl IntoView {
    let words = i18n::use_words();
    let question = Memo::new(move |_| pair.with(|pair| pair.question.clone()));
    let answer = Memo::new(move |_| pair.with(|pair| pair.answer.clone()));
    let turns = Memo::new(move |_| pair.with(|pair| pair.history.len()));
    let summary = move || {
        let title = words.get().history.title;
        match turns.get() {
            0 => title.to_owned(),
            turns => format!("{title} · {turns}"),
        }
    };
    let marked_in = move |wanted: Part| {
        Signal::derive(move || marked.get().filter(|(part, _)| *part == wanted).map(|it| it.1))
    };
    view! {
        <section class="pair" aria-labelledby="pair-title">
            <div class="bar">
                <h2 id="pair-title">{move || words.get().inspect.pair}</h2>
                <button
                    class="quiet"
                    type="button"
                    disabled=move || pair.with(|pair| *pair == Pair::default())
                    on:click=move |_| on_edit.run(Pair::default())
                >
                    {move || words.get().inspect.clear}
                </button>
            </div>
            <details class="said-before" open=move || { turns.get() > 0 }>
                <summary>{summary}</summary>
                <HistoryEditor
                    page="inspect"
                    system=Signal::derive(move || pair.with(|pair| pair.system.clone().unwrap_or_default()))
                    turns=Signal::derive(move || pair.with(|pair| pair.history.clone()))
                    on_system=move |text: String| {
                        let system = Some(text).filter(|text| !text.is_empty());
                        on_edit.run(Pair { system, ..pair.get_untracked() });
                    }
                    on_turns=move |history| on_edit.run(Pair { history, ..pair.get_untracked() })
                />
            </details>
            <TextField
                id="question"
                test_id="inspect-question"
                label=Signal::derive(move || words.get().inspect.question)
                placeholder=Signal::derive(move || words.get().inspect.question_placeholder)
                text=question
                marked=marked_in(Part::Question)
                on_edit=move |question| on_edit.run(Pair { question, ..pair.get_untracked() })
                on_caret=move |at| on_caret.run((Part::Question, at))
            >
                <Length fit=Signal::derive(move || fits.get().map(|(question, _)| question)) test_id="inspect-question-length" />
            </TextField>
            <TextField
                id="answer"
                test_id="inspect-answer"
                label=Signal::derive(move || words.get().inspect.answer)
                placeholder=Signal::derive(move || words.get().inspect.answer_placeholder)
                text=answer
                marked=marked_in(Part::Answer)
                on_edit=move |answer| on_edit.run(Pair { answer, ..pair.get_untracked() })
                on_caret=move |at| on_caret.run((Part::Answer, at))
            >
                <Length fit=Signal::derive(move || fits.get().map(|(_, answer)| answer)) test_id="inspect-answer-length" />
            </TextField>
        </section>
    }
}

/// Tokens of at most so many.
#[component]
fn Length(fit: Signal<Option<Fit>>, test_id: &'static str) -> impl IntoView {
    let words = i18n::use_words();
    let shown = move || {
        fit.get().map(|fit| {
            let words = &words.get().inspect;
            view! {
                <b>{fit.tokens}</b>
                " / "
                {fit.limit}
                " "
                {words.tokens_of_limit}
            }
        })
    };
    view! {
        <span class="length" class:over=move || fit.get().is_some_and(Fit::is_cut) data-testid=test_id>
            {shown}
        </span>
    }
}
