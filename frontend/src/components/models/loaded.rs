//! The model that is loaded: what it is, how large, and how its modules nest.

use leptos::prelude::*;
use weft_shared::api::model::ModelInfo;

use crate::{
    components::copy_button::CopyButton,
    i18n::{self, quantity::count},
    state::models::{short, trainable},
};

#[component]
pub fn Loaded(model: ModelInfo) -> impl IntoView {
    let words = i18n::use_words();
    let lora = &model.recommended.options.lora;
    let learned = trainable(&model, lora);
    let share = learned as f64 * 100.0 / model.parameters.max(1) as f64;
    let learned = format!("{} ({share:.2} %)", count(learned));
    let shape = format!("r {}, α {}, {}", lora.r, lora.alpha, lora.target_modules.join(", "));
    let vocabulary = format!("{} / {}", count(model.tokens), count(model.vocab_size));
    let head_size = model.hidden_size / model.num_attention_heads.max(1);
    let heads = format!("{} × {head_size}", model.num_attention_heads);
    let fingerprint = StoredValue::new(model.fingerprint.clone());
    view! {
        <section class="loaded sheet" aria-labelledby="models-name">
            <div class="bar">
                <h2 id="models-name" data-testid="models-name" data-value=model.name.clone()>
                    {model.name.clone()}
                </h2>
                <span class="hint mono" data-testid="models-device">
                    {format!("{} · {} · {}", model.revision, model.device, model.dtype)}
                </span>
            </div>
            <dl class="facts-list">
                <Fact name=move || words.get().models.parameters value=count(model.parameters) />
                <div>
                    <dt>{move || words.get().models.trainable}</dt>
                    <dd data-testid="models-trainable">{learned} <small>{shape}</small></dd>
                </div>
                <Fact name=move || words.get().models.layers value=count(model.num_layers as u64) />
                <Fact name=move || words.get().models.hidden value=count(model.hidden_size as u64) />
                <Fact name=move || words.get().models.inner value=count(model.inner_hidden_size as u64) />
                <Fact name=move || words.get().models.heads value=heads />
                <div>
                    <dt>{move || words.get().models.vocabulary}</dt>
                    <dd>{vocabulary} <small>{move || words.get().models.vocabulary_help}</small></dd>
                </div>
                <Fact name=move || words.get().models.longest value=count(model.max_sequence_length as u64) />
                <div>
                    <dt>{move || words.get().models.fingerprint}</dt>
                    <dd data-testid="models-fingerprint" data-value=model.fingerprint.clone()>
                        <span class="mono">{short(&model.fingerprint)}</span>
                        <CopyButton
                            text=Signal::derive(move || fingerprint.get_value())
                            label=Signal::derive(move || words.get().models.copy)
                        />
                        <small>{move || words.get().models.fingerprint_help}</small>
                    </dd>
                </div>
            </dl>
            <details class="modules" data-testid="models-modules">
                <summary>{move || words.get().models.modules}</summary>
                <pre class="mono" tabindex="0">{model.modules}</pre>
            </details>
        </section>
    }
}

#[component]
fn Fact(#[prop(into)] name: Signal<&'static str>, value: String) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
        </div>
    }
}
