//! Inspect: a pair, and what the model is trained on in its place.

mod desk;
mod rows;
mod sight;

use desk::Desk;
use leptos::{ev, prelude::*};
use rows::Rows;
use sight::Sight;

use crate::{
    components::{
        copy_button::CopyButton,
        encoding_form::EncodingForm,
        mask_picture::MaskPicture,
        notice::Notice,
        pair_form::PairForm,
        pair_picks::{DatasetPick, ExamplePicks},
        remark_list::RemarkList,
        sample_facts::SampleFacts,
        step_list::StepList,
        token_detail::TokenDetail,
        token_legend::TokenLegend,
        token_strip::TokenStrip,
        token_table::TokenTable,
        vocabulary_picker::VocabularyPicker,
    },
    i18n,
    state::inspect::{json, python},
    worker::Sampled,
};

/// Keeps what was typed while other pages are looked at.
pub fn provide() {
    desk::provide();
}

#[component]
pub fn InspectPage() -> impl IntoView {
    let words = i18n::use_words();
    let desk = Desk::new();
    let tokenizing = desk.tokenizing;
    let sight = Sight::of(desk);
    let has_tokens = sight.has_tokens();
    drop_anywhere(desk);
    view! {
        <div class="page inspect">
            <header class="title">
                <h1>{move || words.get().inspect.title}</h1>
                <p class="lead">{move || words.get().inspect.lead}</p>
            </header>
            <Show when=move || tokenizing.has_no_worker()>
                <Notice what=Signal::derive(move || words.get().inspect.no_worker.to_owned()) />
            </Show>
            <VocabularyPicker
                opening=tokenizing.opening
                vocabulary=tokenizing.vocabulary
                on_file=move |file| tokenizing.open_file(file)
            />
            <div class="columns">
                <Writing desk sight />
                <EncodingForm
                    options=desk.encoding.options
                    recommended=desk.encoding.recommended
                    on_change=move |options| desk.encoding.options.set(options)
                />
            </div>
            <RemarkList remarks=sight.remarks />
            <div class="columns">
                <div class="column">
                    <Tokens desk sight />
                    <SampleTable desk sight />
                </div>
                <div class="column side">
                    <TokenDetail chip=sight.chosen column=sight.chosen_column() />
                </div>
            </div>
            <Show when=move || has_tokens.get()>
                <MaskAndSteps sight />
            </Show>
        </div>
    }
}

/// Where the pair is typed or picked.
#[component]
fn Writing(desk: Desk, sight: Sight) -> impl IntoView {
    let rows = Rows::new(move |pair| desk.edit(pair));
    view! {
        <div class="column writing">
            <div class="picks">
                <ExamplePicks on_pick=move |pair| {
                    rows.leave();
                    desk.edit(pair);
                } />
                <Show when=move || rows.datasets.with(|datasets| !datasets.is_empty())>
                    <DatasetPick
                        datasets=rows.datasets
                        picked=rows.picked
                        on_dataset=move |id| rows.pick_dataset(id)
                        on_row=move |row| rows.pick_row(row)
                    />
                </Show>
            </div>
            <PairForm
                pair=sight.pair
                fits=sight.fits()
                marked=sight.marked()
                on_edit=move |pair| desk.edit(pair)
                on_caret=move |(part, at)| sight.follow_caret(part, at)
            />
        </div>
    }
}

/// The tokens on their text.
#[component]
fn Tokens(desk: Desk, sight: Sight) -> impl IntoView {
    let words = i18n::use_words();
    let has_tokens = sight.has_tokens();
    let nothing_yet = move || {
        let inspect = &words.get().inspect;
        let has_vocabulary = desk.tokenizing.vocabulary.with(Option::is_some);
        let is_refused = sight.sampled.with(|sampled| sampled.refusal().is_some());
        match (has_vocabulary, is_refused) {
            (false, _) => inspect.no_vocabulary,
            (true, true) => inspect.no_sample,
            (true, false) => inspect.no_tokens,
        }
    };
    view! {
        <section class="tokens" aria-labelledby="tokens-title">
            <div class="bar">
                <h2 id="tokens-title">{move || words.get().inspect.tokens}</h2>
                <SampleFacts sampled=sight.sampled />
            </div>
            <Show
                when=move || has_tokens.get()
                fallback=move || view! { <p class="quiet-text">{nothing_yet}</p> }
            >
                <TokenStrip
                    chips=sight.chips
                    selected=sight.selected
                    on_reach=move |chip| sight.reach(chip)
                />
                <TokenLegend chips=sight.chips />
            </Show>
        </section>
    }
}

/// The sample's numbers, and ways to take them along.
#[component]
fn SampleTable(desk: Desk, sight: Sight) -> impl IntoView {
    let words = i18n::use_words();
    let has_sample = sight.has_sample();
    let as_json = Memo::new(move |_| {
        let of_pair = |it: &Sampled| Some(json(&it.pair, &it.encoded()?.sample));
        sight.sampled.with(of_pair).unwrap_or_default()
    });
    let as_python =
        Memo::new(move |_| sight.sample.with(|it| it.as_ref().map(python).unwrap_or_default()));
    view! {
        <Show when=move || has_sample.get()>
            <section class="sample" aria-labelledby="sample-title">
                <div class="bar">
                    <h2 id="sample-title">{move || words.get().inspect.sample}</h2>
                    <div class="copies">
                        <CopyButton text=as_json />
                        <CopyButton
                            text=as_python
                            label=Signal::derive(move || words.get().inspect.copy_python)
                        />
                    </div>
                </div>
                <p class="quiet-text">{move || words.get().inspect.sample_lead}</p>
                <TokenTable
                    columns=sight.columns
                    sample=sight.sample
                    selected=sight.selected
                    reached=sight.reached
                />
                <Show when=move || { sight.hidden.get() > 0 }>
                    <button class="button" type="button" on:click=move |_| desk.show_more()>
                        {move || words.get().inspect.show_more}
                        " · "
                        {sight.hidden}
                        " "
                        {move || words.get().inspect.hidden}
                    </button>
                </Show>
            </section>
        </Show>
    }
}

/// Who sees whom, and how the text became tokens.
#[component]
fn MaskAndSteps(sight: Sight) -> impl IntoView {
    let words = i18n::use_words();
    let has_sample = sight.has_sample();
    let (steps, is_in_answer) = (sight.steps(), sight.is_in_answer());
    let steps_title = move || {
        let inspect = &words.get().inspect;
        if is_in_answer.get() { inspect.steps_of_answer } else { inspect.steps_of_question }
    };
    view! {
        <div class="columns even">
            <Show when=move || has_sample.get()>
                <section class="mask-section" aria-labelledby="mask-title">
                    <h2 id="mask-title">{move || words.get().inspect.mask}</h2>
                    <p class="quiet-text">{move || words.get().inspect.mask_lead}</p>
                    <MaskPicture
                        mask=sight.mask()
                        place=sight.place()
                        token_at=move |place| sight.token_at(place)
                        on_point=move |place| sight.point_at(place)
                    />
                </section>
            </Show>
            <StepList
                title=Signal::derive(steps_title)
                steps=Signal::derive(move || steps.with(|it| it.steps.clone()))
                is_cut=Signal::derive(move || steps.with(|it| it.is_cut))
            />
        </div>
    }
}

/// A file may be dropped wherever it is convenient.
fn drop_anywhere(desk: Desk) {
    let over = window_event_listener(ev::dragover, |event| event.prevent_default());
    let dropped = window_event_listener(ev::drop, move |event| desk.drop(&event));
    on_cleanup(move || {
        over.remove();
        dropped.remove();
    });
}
