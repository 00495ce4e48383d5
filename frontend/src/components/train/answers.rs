//! How the answers changed in the course of a run.

use leptos::prelude::*;

use crate::{
    i18n,
    state::train::{
        run_log::RunLog,
        timeline::{Answered, Timeline, timelines},
    },
};

#[component]
pub fn Answers(#[prop(into)] log: Signal<RunLog>) -> impl IntoView {
    let words = i18n::use_words();
    let run = move || &words.get().train.run;
    let lines = Memo::new(move |_| log.with(|log| timelines(log.answers())));
    let each =
        move || lines.get().into_iter().map(|line| view! { <Question line /> }).collect_view();
    view! {
        <section class="answers" aria-labelledby="answers-title" data-testid="train-pinned">
            <h3 id="answers-title">{move || run().answers}</h3>
            <Show
                when=move || lines.with(|lines| !lines.is_empty())
                fallback=move || view! { <p class="quiet-text">{move || run().no_answers}</p> }
            >
                <p class="help">{move || run().answers_help}</p>
            </Show>
            <ul class="run-questions">{each}</ul>
        </section>
    }
}

#[component]
fn Question(line: Timeline) -> impl IntoView {
    let words = i18n::use_words();
    let run = move || &words.get().train.run;
    let Timeline { question, base, wanted, answers } = line;
    let answered = move |it: Answered| {
        let steps = if it.first_step == it.last_step {
            it.first_step.to_string()
        } else {
            format!("{}–{}", it.first_step, it.last_step)
        };
        view! {
            <div class="answered" class:as-wanted=it.is_wanted data-testid="train-answer">
                <dt>{move || run().step} " " {steps}</dt>
                <dd>
                    <Said text=it.answer />
                    {it.is_wanted.then(|| view! { <span class="tick-mark">" ✓ " {move || run().as_wanted}</span> })}
                </dd>
            </div>
        }
    };
    view! {
        <li class="run-question">
            <p>{question}</p>
            <dl>
                <div>
                    <dt>{move || run().base}</dt>
                    <dd><Said text=base /></dd>
                </div>
                {wanted
                    .map(|wanted| {
                        view! {
                            <div>
                                <dt>{move || run().wanted}</dt>
                                <dd><Said text=wanted /></dd>
                            </div>
                        }
                    })}
                {answers.into_iter().map(answered).collect_view()}
            </dl>
        </li>
    }
}

/// An answer; an empty one can be seen, too.
#[component]
fn Said(text: String) -> impl IntoView {
    let words = i18n::use_words();
    if text.trim().is_empty() {
        view! { <i class="quiet-text">{move || words.get().train.run.empty_answer}</i> }.into_any()
    } else {
        view! { <span class="said">{text}</span> }.into_any()
    }
}
