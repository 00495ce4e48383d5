//! Inspect: a text, and what the model reads in its place.

mod desk;

use desk::Desk;
use leptos::{ev, prelude::*};

use crate::{
    components::{
        counts::Counts, id_list::IdList, notice::Notice, step_list::StepList,
        text_input::TextInput, token_detail::TokenDetail, token_legend::TokenLegend,
        token_strip::TokenStrip, vocabulary_picker::VocabularyPicker,
    },
    i18n,
    state::{chip, inspect::Inspector},
};

#[component]
pub fn InspectPage() -> impl IntoView {
    let words = i18n::use_words();
    let desk = Desk::new();
    let inspector = desk.inspector;
    desk.open_from_server();
    drop_anywhere(desk);

    let text = Memo::new(move |_| inspector.with(|it| it.text().to_owned()));
    let opening = Memo::new(move |_| inspector.with(|it| it.opening().clone()));
    let vocabulary = Memo::new(move |_| inspector.with(|it| it.vocabulary().cloned()));
    let chips = Memo::new(move |_| inspector.with(|it| chip::chips(it.inspected())));
    let ids = Memo::new(move |_| inspector.with(|it| it.inspected().ids.clone()));
    let steps = Memo::new(move |_| inspector.with(|it| it.inspected().steps.clone()));
    let is_cut =
        Memo::new(move |_| inspector.with(|it| it.inspected().traced < it.inspected().text.len()));
    let hidden = Memo::new(move |_| inspector.with(Inspector::hidden));
    let has_tokens = Memo::new(move |_| chips.with(|chips| !chips.is_empty()));

    let selected = RwSignal::new(None);
    let is_selected = Selector::new(move || selected.get());
    let selected_chip = Memo::new(move |_| chips.with(|chips| chips.get(selected.get()?).cloned()));
    let nothing_yet = move || {
        let inspect = &words.get().inspect;
        if vocabulary.with(Option::is_some) { inspect.no_tokens } else { inspect.no_vocabulary }
    };
    let strip_is_selected = is_selected.clone();

    view! {
        <div class="page inspect">
            <header class="title">
                <h1>{move || words.get().inspect.title}</h1>
                <p class="lead">{move || words.get().inspect.lead}</p>
            </header>
            <Show when=move || desk.has_no_worker()>
                <Notice what=Signal::derive(move || words.get().inspect.no_worker.to_owned()) />
            </Show>
            <VocabularyPicker opening vocabulary on_file=move |file| desk.open_file(file) />
            <div class="columns">
                <div class="column">
                    <TextInput text on_edit=move |text| desk.edit(text) />
                    <section class="tokens" aria-labelledby="tokens-title">
                        <Counts inspector />
                        <Show
                            when=move || has_tokens.get()
                            fallback=move || view! { <p class="quiet-text">{nothing_yet}</p> }
                        >
                            <TokenStrip chips selected is_selected=strip_is_selected.clone() />
                            <TokenLegend chips />
                        </Show>
                        <Show when=move || { hidden.get() > 0 }>
                            <button class="button" type="button" on:click=move |_| desk.show_more()>
                                {move || words.get().inspect.show_more}
                                " · "
                                {hidden}
                                " "
                                {move || words.get().inspect.hidden}
                            </button>
                        </Show>
                    </section>
                    <IdList ids shown=Signal::derive(move || chips.with(Vec::len)) selected is_selected />
                </div>
                <aside class="column side">
                    <TokenDetail chip=selected_chip />
                    <StepList steps is_cut />
                </aside>
            </div>
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
