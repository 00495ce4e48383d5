//! The options of a run: the few that matter open, the rest behind a word.

use leptos::prelude::*;
use weft_shared::{
    api::adapter::AdapterInfo,
    sample::{PositionRule, Truncation},
    training::{ScheduleKind, TrainingOptions},
};

use super::{
    adapter_options::AdapterOptions,
    choices::{Choice, Tick},
    number_field::NumberField,
};
use crate::{
    i18n,
    state::train::{field::Field, form::Form},
};

#[component]
pub fn OptionsForm(
    form: RwSignal<Form>,
    #[prop(into)] adapters: Signal<Vec<AdapterInfo>>,
    /// Whether the model brings pairs to rehearse.
    #[prop(into)]
    rehearses: Signal<bool>,
    /// Takes over what suits the model.
    #[prop(into)]
    on_recommended: Callback<()>,
) -> impl IntoView {
    let words = i18n::use_words();
    let setup = move || &words.get().train.setup;
    let has_start = Memo::new(move |_| form.with(|form| form.adapter.is_some()));
    let asks_for_rehearsal =
        Memo::new(move |_| form.with(|form| form.settings().options.rehearsal_batch_size > 0));
    let tutorial = move |_| form.update(|form| form.replace(TrainingOptions::default()));
    view! {
        <div class="presets" role="group" aria-label=move || setup().values>
            <button class="quiet" type="button" data-testid="train-recommended" on:click=move |_| on_recommended.run(())>
                {move || setup().recommended}
            </button>
            <button class="quiet" type="button" data-testid="train-tutorial" on:click=tutorial>
                {move || setup().tutorial}
            </button>
        </div>
        <div class="options">
            <Length form />
            <NumberField field=Field::LearningRate form />
            <NumberField field=Field::Rank form is_fixed=has_start />
            <NumberField field=Field::BatchSize form />
            <Show when=move || rehearses.get() || asks_for_rehearsal.get()>
                <NumberField field=Field::RehearsalBatchSize form />
            </Show>
        </div>
        <details class="more">
            <summary data-testid="train-more">{move || setup().more}</summary>
            <AdapterOptions form adapters />
            <OptimizerOptions form />
            <DataOptions form />
            <RecordOptions form />
        </details>
    }
}

/// Steps or passes over the data.
#[component]
fn Length(form: RwSignal<Form>) -> impl IntoView {
    let words = i18n::use_words();
    let setup = move || &words.get().train.setup;
    let in_epochs = Memo::new(move |_| form.with(Form::counts_in_epochs));
    let radio =
        move |id: &'static str, is_epochs: bool, label: fn(&i18n::train::Setup) -> &'static str| {
            view! {
                <label>
                    <input
                        type="radio"
                        name="train-length"
                        data-testid=id
                        prop:checked=move || in_epochs.get() == is_epochs
                        on:change=move |_| form.update(|form| form.count_in_epochs(is_epochs))
                    />
                    <span>{move || label(setup())}</span>
                </label>
            }
        };
    view! {
        <div class="length wide" role="radiogroup" aria-label=move || setup().length>
            <span class="label" aria-hidden="true">{move || setup().length}</span>
            {radio("train-in-steps", false, |setup| setup.in_steps)}
            {radio("train-in-epochs", true, |setup| setup.in_epochs)}
        </div>
        <Show
            when=move || in_epochs.get()
            fallback=move || view! { <NumberField field=Field::MaxSteps form /> }
        >
            <NumberField field=Field::Epochs form />
        </Show>
    }
}

#[component]
fn OptimizerOptions(form: RwSignal<Form>) -> impl IntoView {
    let words = i18n::use_words();
    let setup = move || &words.get().train.setup;
    let schedules = move || {
        let setup = setup();
        vec![
            (ScheduleKind::Linear, setup.linear),
            (ScheduleKind::Cosine, setup.cosine),
            (ScheduleKind::Constant, setup.constant),
        ]
    };
    view! {
        <fieldset class="options">
            <legend>{move || setup().optimizer_group}</legend>
            <Choice
                id="train-schedule"
                explained=Signal::derive(move || setup().schedule)
                values=Signal::derive(schedules)
                form
                get=|settings| settings.options.schedule
                set=|settings, schedule| settings.options.schedule = schedule
            />
            <NumberField field=Field::WarmupSteps form />
            <NumberField field=Field::Accumulation form />
            <NumberField field=Field::WeightDecay form />
            <NumberField field=Field::MaxGradNorm form />
            <NumberField field=Field::Seed form />
        </fieldset>
    }
}

#[component]
fn DataOptions(form: RwSignal<Form>) -> impl IntoView {
    let words = i18n::use_words();
    let setup = move || &words.get().train.setup;
    let truncations = move || {
        let setup = setup();
        vec![
            (Truncation::End, setup.cut_end),
            (Truncation::Front, setup.cut_front),
            (Truncation::Drop, setup.drop_pair),
        ]
    };
    let rules = vec![(PositionRule::V096f3de, "096f3de"), (PositionRule::Main, "main")];
    view! {
        <fieldset class="options">
            <legend>{move || setup().data_group}</legend>
            <NumberField field=Field::EvalShare form />
            <NumberField field=Field::QuestionNoise form />
            <NumberField field=Field::DataSeed form />
            <NumberField field=Field::MaxSourceLength form />
            <NumberField field=Field::MaxTargetLength form />
            <Choice
                id="train-truncation"
                explained=Signal::derive(move || setup().truncation)
                values=Signal::derive(truncations)
                form
                get=|settings| settings.encoding.truncation
                set=|settings, truncation| settings.encoding.truncation = truncation
            />
            <Choice
                id="train-position-rule"
                explained=Signal::derive(move || setup().position_rule)
                values=Signal::stored(rules)
                form
                get=|settings| settings.encoding.position_rule
                set=|settings, rule| settings.encoding.position_rule = rule
            />
            <Tick
                id="train-group-by-length"
                explained=Signal::derive(move || setup().group_by_length)
                form
                get=|settings| settings.options.group_by_length
                set=|settings, is_set| settings.options.group_by_length = is_set
            />
        </fieldset>
    }
}

#[component]
fn RecordOptions(form: RwSignal<Form>) -> impl IntoView {
    let words = i18n::use_words();
    let setup = move || &words.get().train.setup;
    view! {
        <fieldset class="options">
            <legend>{move || setup().record_group}</legend>
            <NumberField field=Field::SaveSteps form />
            <NumberField field=Field::SaveTotalLimit form />
            <NumberField field=Field::EvalSteps form />
            <NumberField field=Field::LoggingSteps form />
        </fieldset>
    }
}
