//! How replies are sampled, each setting with a sentence on what it does.

use std::str::FromStr;

use leptos::prelude::*;
use weft_shared::api::chat::ChatTemplate;

use crate::{
    i18n::{self, chat::Words},
    state::chat_settings::ChatSettings,
};

#[component]
pub fn Sampling(settings: RwSignal<ChatSettings>) -> impl IntoView {
    let words = i18n::use_words();
    let template = move || match settings.with(|it| it.template) {
        None => "",
        Some(ChatTemplate::Chat) => "chat",
        Some(ChatTemplate::Training) => "training",
    };
    let choose = move |name: String| {
        let template = match name.as_str() {
            "chat" => Some(ChatTemplate::Chat),
            "training" => Some(ChatTemplate::Training),
            _ => None,
        };
        settings.update(|it| it.template = template);
    };
    let template_help = move || {
        let chat = &words.get().chat;
        match settings.with(|it| it.template) {
            None => chat.template_auto_help,
            Some(ChatTemplate::Chat) => chat.template_chat_help,
            Some(ChatTemplate::Training) => chat.template_training_help,
        }
    };
    let is_greedy = Signal::derive(move || settings.with(|it| it.greedy));
    view! {
        <details class="sampling" data-testid="chat-sampling">
            <summary>{move || words.get().chat.settings}</summary>
            <div class="fields">
                <label class="check">
                    <input
                        type="checkbox"
                        data-testid="chat-greedy"
                        prop:checked=is_greedy
                        on:change:target=move |event| settings.update(|it| it.greedy = event.target().checked())
                    />
                    <span>{move || words.get().chat.greedy}</span>
                    <small>{move || words.get().chat.greedy_help}</small>
                </label>
                <Number settings is_off=is_greedy name=|it| it.temperature help=|it| it.temperature_help step="0.05"
                    most=5.0 get=|it| it.temperature set=|it, value| it.temperature = value />
                <Number settings is_off=is_greedy name=|it| it.top_p help=|it| it.top_p_help step="0.05"
                    least=0.01 most=1.0 get=|it| it.top_p set=|it, value| it.top_p = value />
                <Number settings is_off=is_greedy name=|it| it.top_k help=|it| it.top_k_help step="1"
                    get=|it| it.top_k set=|it, value| it.top_k = value />
                <Number settings name=|it| it.repetition help=|it| it.repetition_help step="0.05"
                    least=0.1 most=5.0 get=|it| it.repetition_penalty set=|it, value| it.repetition_penalty = value />
                <Number settings name=|it| it.max_tokens help=|it| it.max_tokens_help step="1"
                    least=1 get=|it| it.max_tokens set=|it, value| it.max_tokens = value />
                <label>
                    <span>{move || words.get().chat.seed}</span>
                    <input
                        type="number"
                        min="0"
                        data-testid="chat-seed"
                        prop:value=move || settings.with(|it| it.seed.map(|seed| seed.to_string()).unwrap_or_default())
                        on:change:target=move |event| {
                            settings.update(|it| it.seed = event.target().value().parse().ok());
                        }
                    />
                    <small>{move || words.get().chat.seed_help}</small>
                </label>
                <label>
                    <span>{move || words.get().chat.template}</span>
                    <select data-testid="chat-template" prop:value=template on:change:target=move |event| choose(event.target().value())>
                        <option value="">{move || words.get().chat.template_auto}</option>
                        <option value="chat">{move || words.get().chat.template_chat}</option>
                        <option value="training">{move || words.get().chat.template_training}</option>
                    </select>
                    <small>{template_help}</small>
                </label>
            </div>
            <button class="quiet" type="button" data-testid="chat-reset" on:click=move |_| settings.set(ChatSettings::default())>
                {move || words.get().chat.reset}
            </button>
        </details>
    }
}

/// A setting that is a number; what is none, or out of range, becomes what is nearest.
#[component]
fn Number<T>(
    settings: RwSignal<ChatSettings>,
    /// Whether it has no say at the moment.
    #[prop(into, optional)]
    is_off: Option<Signal<bool>>,
    name: fn(&'static Words) -> &'static str,
    help: fn(&'static Words) -> &'static str,
    step: &'static str,
    #[prop(optional)] least: T,
    #[prop(optional)] most: Option<T>,
    get: fn(&ChatSettings) -> T,
    set: fn(&mut ChatSettings, T),
) -> impl IntoView
where
    T: Copy + Default + PartialOrd + FromStr + ToString + 'static,
{
    let words = i18n::use_words();
    let in_range = move |value: T| match most {
        _ if value < least => least,
        Some(most) if value > most => most,
        _ => value,
    };
    view! {
        <label>
            <span>{move || name(&words.get().chat)}</span>
            <input
                type="number"
                min=least.to_string()
                max=most.map(|most| most.to_string())
                step=step
                disabled=move || is_off.is_some_and(|it| it.get())
                prop:value=move || settings.with(|it| get(it).to_string())
                on:change:target=move |event| {
                    let field = event.target();
                    let value = field.value().parse().unwrap_or(get(&settings.get_untracked()));
                    let value = in_range(value);
                    field.set_value(&value.to_string());
                    settings.update(|it| set(it, value));
                }
            />
            <small>{move || help(&words.get().chat)}</small>
        </label>
    }
}
