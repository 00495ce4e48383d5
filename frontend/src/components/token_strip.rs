//! The pair as tokens: each a chip on the part of the text that it stands for, what is read and what is learned.

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};
use weft_shared::sample::Part;

use crate::{i18n, state::chip::Chip};

/// The token that is pointed at or walked to; strip, table, mask, text and detail share it.
pub type Selected = RwSignal<Option<usize>>;

#[component]
pub fn TokenStrip(
    #[prop(into)] chips: Signal<Vec<Chip>>,
    selected: Selected,
    /// A token was walked to, or pressed.
    #[prop(into)]
    on_reach: Callback<usize>,
) -> impl IntoView {
    let words = i18n::use_words();
    let is_selected = Selector::new(move || selected.get());
    let reach = move |target: usize| {
        selected.set(Some(target));
        on_reach.run(target);
    };
    let walk = move |event: ev::KeyboardEvent| {
        let last = chips.with(Vec::len).checked_sub(1);
        if let (Some(last), Some(target)) = (last, step(&event.key(), selected.get_untracked())) {
            event.prevent_default();
            let target = target.min(last);
            reach(target);
            show(target);
        }
    };
    let half = move |is_learned: bool| {
        chips.with(|chips| {
            let of_half = chips.iter().filter(|chip| chip.origin.is_learned() == is_learned);
            of_half.cloned().collect::<Vec<_>>()
        })
    };
    let group = move |is_learned: bool, is_selected: Selector<Option<usize>>| {
        let name = move || {
            let inspect = &words.get().inspect;
            if is_learned { inspect.learned } else { inspect.read }
        };
        let class = if is_learned { "half learned" } else { "half" };
        view! {
            <div class=class role="group" aria-label=name>
                <span class="half-name" aria-hidden="true">
                    {name}
                </span>
                <For each=move || half(is_learned) key=|chip| (chip.index, chip.id, chip.place, chip.class(), chip.shown.clone()) let:chip>
                    <TokenChip chip selected is_selected=is_selected.clone() on_reach=reach />
                </For>
            </div>
        }
    };
    view! {
        <div
            class="strip"
            role="listbox"
            tabindex="0"
            aria-label=move || words.get().inspect.tokens
            aria-describedby="strip-help"
            aria-activedescendant=move || selected.get().map(element_id)
            on:keydown=walk
        >
            {group(false, is_selected.clone())}
            {group(true, is_selected)}
        </div>
        <p id="strip-help" class="visually-hidden">{move || words.get().inspect.tokens_help}</p>
    }
}

#[component]
fn TokenChip(
    chip: Chip,
    selected: Selected,
    is_selected: Selector<Option<usize>>,
    #[prop(into)] on_reach: Callback<usize>,
) -> impl IntoView {
    let index = chip.index;
    let is_this = move || is_selected.selected(&Some(index));
    let is_marked = is_this.clone();
    let class = format!("chip {} hue-{}", chip.class(), chip.hue());
    let is_frame = matches!(chip.origin, Part::Template | Part::Separator);
    view! {
        <span
            id=element_id(index)
            class=class
            class:frame=is_frame
            class:cut=chip.place.is_none()
            class:selected=is_marked
            role="option"
            aria-selected=move || is_this().to_string()
            data-testid="inspect-token"
            data-id=chip.id.to_string()
            data-part=part_name(chip.origin)
            on:pointerenter=move |_| selected.set(Some(index))
            on:click=move |_| on_reach.run(index)
        >
            {chip.shown}
        </span>
        {chip.breaks_line.then(|| view! { <br /> })}
    }
}

/// For tests and style sheets.
fn part_name(part: Part) -> &'static str {
    match part {
        Part::Template => "template",
        Part::System => "system",
        Part::EarlierQuestion(_) => "earlier-question",
        Part::EarlierAnswer(_) => "earlier-answer",
        Part::Question => "question",
        Part::Separator => "separator",
        Part::Opening => "opening",
        Part::Answer => "answer",
        Part::End => "end",
    }
}

fn element_id(index: usize) -> String {
    format!("token-{index}")
}

/// Where a key leads from a token.
fn step(key: &str, from: Option<usize>) -> Option<usize> {
    match key {
        "ArrowRight" | "ArrowDown" => Some(from.map_or(0, |from| from + 1)),
        "ArrowLeft" | "ArrowUp" => Some(from.map_or(0, |from| from.saturating_sub(1))),
        "Home" => Some(0),
        "End" => Some(usize::MAX),
        _ => None,
    }
}

fn show(index: usize) {
    let element = document()
        .get_element_by_id(&element_id(index))
        .and_then(|it| it.dyn_into::<HtmlElement>().ok());
    if let Some(element) = element {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_walk_from_token_to_token() {
        assert_eq!(step("ArrowRight", None), Some(0));
        assert_eq!(step("ArrowRight", Some(3)), Some(4));
        assert_eq!(step("ArrowLeft", Some(0)), Some(0));
        assert_eq!(step("End", Some(3)), Some(usize::MAX));
        assert_eq!(step("a", Some(3)), None);
    }
}
