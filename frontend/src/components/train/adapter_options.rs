//! Where the weights start, and the adapter's shape.

use leptos::prelude::*;
use weft_shared::api::adapter::AdapterInfo;

use super::{choices::Tick, number_field::NumberField};
use crate::{
    i18n,
    state::train::{
        field::Field,
        form::{Form, TARGET_MODULES},
    },
};

#[component]
pub fn AdapterOptions(
    form: RwSignal<Form>,
    #[prop(into)] adapters: Signal<Vec<AdapterInfo>>,
) -> impl IntoView {
    let words = i18n::use_words();
    let setup = move || &words.get().train.setup;
    let has_start = Memo::new(move |_| form.with(|form| form.adapter.is_some()));
    view! {
        <fieldset class="options">
            <legend>{move || setup().adapter_group}</legend>
            <StartChoice form adapters />
            <Show when=move || has_start.get()>
                <p class="help">{move || setup().shape_of_adapter}</p>
            </Show>
            <NumberField field=Field::Alpha form is_fixed=has_start />
            <NumberField field=Field::Dropout form is_fixed=has_start />
            <Targets form is_fixed=has_start />
            <Tick
                id="train-rslora"
                explained=Signal::derive(move || setup().rslora)
                form
                get=|settings| settings.options.lora.use_rslora
                set=|settings, is_set| settings.options.lora.use_rslora = is_set
                is_fixed=has_start
            />
        </fieldset>
    }
}

/// Fresh weights, or those of an adapter that this model can use.
#[component]
fn StartChoice(form: RwSignal<Form>, adapters: Signal<Vec<AdapterInfo>>) -> impl IntoView {
    let words = i18n::use_words();
    let setup = move || &words.get().train.setup;
    let chosen = Memo::new(move |_| form.with(|form| form.adapter.clone()));
    let options = move || {
        let usable = adapters.get().into_iter().filter(|adapter| adapter.is_usable);
        let option = |AdapterInfo { name, .. }: AdapterInfo| {
            let is_chosen = {
                let name = name.clone();
                move || chosen.with(|chosen| chosen.as_deref() == Some(name.as_str()))
            };
            view! { <option value=name.clone() prop:selected=is_chosen>{name.clone()}</option> }
        };
        usable.map(option).collect_view()
    };
    let choose = move |name: String| {
        let adapters = adapters.get_untracked();
        form.update(|form| form.start_from(adapters.iter().find(|it| it.name == name)));
    };
    view! {
        <div class="option">
            <label for="train-adapter">{move || setup().adapter.label}</label>
            <select
                id="train-adapter"
                data-testid="train-adapter"
                aria-describedby="train-adapter-help"
                on:change:target=move |event| choose(event.target().value())
            >
                <option value="" prop:selected=move || chosen.with(Option::is_none)>{move || setup().fresh}</option>
                {options}
            </select>
            <p id="train-adapter-help" class="help">{move || setup().adapter.help}</p>
        </div>
    }
}

#[component]
fn Targets(form: RwSignal<Form>, is_fixed: Memo<bool>) -> impl IntoView {
    let words = i18n::use_words();
    let setup = move || &words.get().train.setup;
    let targets =
        Memo::new(move |_| form.with(|form| form.settings().options.lora.target_modules.clone()));
    let tick = |module: &'static str| {
        view! {
            <label class="tick">
                <input
                    type="checkbox"
                    data-testid=format!("train-target-{module}")
                    disabled=is_fixed
                    prop:checked=move || targets.with(|it| it.iter().any(|it| it == module))
                    on:change:target=move |event| {
                        let is_wanted = event.target().checked();
                        form.update(|form| form.target(module, is_wanted));
                    }
                />
                <span class="mono">{module}</span>
            </label>
        }
    };
    view! {
        <div class="option wide" role="group" aria-labelledby="train-targets" aria-describedby="train-targets-help">
            <span id="train-targets" class="label">{move || setup().targets.label}</span>
            <div class="ticks">{TARGET_MODULES.map(tick)}</div>
            <p id="train-targets-help" class="help">
                <Show when=move || targets.with(Vec::is_empty)>
                    <b class="correct">{move || setup().no_target} " "</b>
                </Show>
                {move || setup().targets.help}
            </p>
        </div>
    }
}
