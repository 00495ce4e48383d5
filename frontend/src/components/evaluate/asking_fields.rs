//! How the questions are asked: how many, in which form, and how long an answer may be.

use leptos::prelude::*;
use weft_shared::api::chat::ChatTemplate;

use crate::{
    components::{choice::Choice, number_field::NumberField},
    i18n,
    state::evaluate::form::Form,
};

#[component]
pub fn AskingFields(form: RwSignal<Form>) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().evaluate;
    let template = Memo::new(move |_| form.with(|form| form.template));
    let explain = move |template| match template {
        ChatTemplate::Training => {
            ("training", words().template_training, words().template_training_help)
        }
        ChatTemplate::Chat => ("chat", words().template_chat, words().template_chat_help),
    };
    view! {
        <Choice
            name="evaluate-template"
            legend=Signal::derive(move || words().template)
            options=vec![ChatTemplate::Training, ChatTemplate::Chat]
            chosen=template
            words=explain
            on_choose=move |template| form.update(|form| form.template = template)
        />
        <div class="pair-of-fields">
            <LimitField form />
            <NumberField
                id="evaluate-max-tokens"
                test_id="evaluate-max-tokens"
                label=Signal::derive(move || words().max_tokens)
                hint=Signal::derive(move || words().max_tokens_help)
                value=Signal::derive(move || form.with(|form| form.max_tokens))
                on_change=move |tokens| form.update(|form| form.max_tokens = tokens)
            />
        </div>
    }
}

/// How many questions; nothing is all.
#[component]
fn LimitField(form: RwSignal<Form>) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().evaluate;
    let is_wrong = Memo::new(move |_| form.with(|form| form.limit().is_err()));
    let hint = move || if is_wrong.get() { words().limit_wrong } else { words().limit_help };
    view! {
        <div class="number-field">
            <label for="evaluate-limit">{move || words().limit}</label>
            <input
                id="evaluate-limit"
                data-testid="evaluate-limit"
                type="number"
                inputmode="numeric"
                min="1"
                step="1"
                placeholder=move || words().every
                aria-invalid=move || is_wrong.get().then_some("true")
                aria-describedby="evaluate-limit-hint"
                prop:value=move || form.with(|form| form.limit.clone())
                on:input:target=move |event| form.update(|form| form.limit = event.target().value())
            />
            <p class="hint" id="evaluate-limit-hint">{hint}</p>
        </div>
    }
}
