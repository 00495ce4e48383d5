//! The sample in one glance: a column a token, and in it the piece, its id, its label, its positions and what it sees.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::Element;
use weft_shared::sample::Sample;

use super::token_strip::Selected;
use crate::{
    i18n::{self, part},
    state::inspect::{Column, bands, json_list, json_rows},
};

#[component]
pub fn TokenTable(
    #[prop(into)] columns: Signal<Vec<Column>>,
    /// All of it, also where only the first columns are shown.
    #[prop(into)]
    sample: Signal<Option<Sample>>,
    selected: Selected,
    /// A column to bring into view.
    #[prop(into)]
    reached: Signal<Option<usize>>,
) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let is_selected = Selector::new(move || selected.get());
    let frame = NodeRef::<html::Div>::new();
    Effect::new(move || {
        if let (Some(chip), Some(frame)) = (reached.get(), frame.get()) {
            bring_into_view(&frame, chip);
        }
    });
    let two_rows = Memo::new(move |_| {
        sample.with(|sample| sample.as_ref().is_some_and(|it| it.position_ids.rows().len() == 2))
    });
    let of_sample = move |json: fn(&Sample) -> String| {
        Memo::new(move |_| sample.with(|it| it.as_ref().map(json).unwrap_or_default()))
    };
    let ids = of_sample(|sample| json_list(&sample.input_ids));
    let labels = of_sample(|sample| json_list(&sample.labels));
    let positions = of_sample(|sample| json_rows(&sample.position_ids));
    let number_row = move |numbers: Numbers| view! { <NumberRow numbers columns /> };
    let numbered_bands =
        move || columns.with(|it| bands(it).into_iter().enumerate().collect::<Vec<_>>());

    view! {
        <div
            class="loom"
            role="region"
            tabindex="0"
            aria-label=move || words.get().inspect.table
            node_ref=frame
            on:pointerover=move |event| point_at(&event, selected)
            on:click=move |event| point_at(&event, selected)
        >
            <table>
                <caption class="visually-hidden">{move || words.get().inspect.sample}</caption>
                <colgroup>
                    <col />
                    <For each=move || columns.with(|it| it.iter().map(|column| column.chip).collect::<Vec<_>>()) key=|chip| *chip let:chip>
                        {
                            let is_selected = is_selected.clone();
                            view! { <col class:selected=move || is_selected.selected(&Some(chip)) /> }
                        }
                    </For>
                </colgroup>
                <thead>
                    <tr class="bands">
                        <th scope="row">{move || words.get().inspect.row_part}</th>
                        <For each=numbered_bands key=|band| *band let:band>
                            <td colspan=band.1.1.to_string() class:learned=band.1.0.is_learned()>
                                <span>{move || part::name(band.1.0, language.get())}</span>
                            </td>
                        </For>
                    </tr>
                    <tr class="pieces">
                        <th scope="row">{move || words.get().inspect.row_token}</th>
                        <For each=move || columns.get() key=|column| (column.chip, column.id, column.shown.clone(), column.class) let:column>
                            <th scope="col" data-chip=column.chip.to_string()>
                                <span class=format!("chip {} hue-{}", column.class, column.hue)>{column.shown}</span>
                            </th>
                        </For>
                    </tr>
                </thead>
                <tbody>
                    <tr class="ids" data-testid="inspect-ids" data-value=ids>
                        <th scope="row">{move || words.get().inspect.row_id}</th>
                        {number_row(Numbers::Ids)}
                    </tr>
                    <tr class="labels" data-testid="inspect-labels" data-value=labels>
                        <th scope="row">{move || words.get().inspect.row_label}</th>
                        {number_row(Numbers::Labels)}
                    </tr>
                </tbody>
                <tbody class="positions" data-testid="inspect-positions" data-value=positions>
                    <tr>
                        <th scope="row">{move || words.get().inspect.row_text_position}</th>
                        {number_row(Numbers::Positions(0))}
                    </tr>
                    <Show when=move || two_rows.get()>
                        <tr>
                            <th scope="row">{move || words.get().inspect.row_answer_position}</th>
                            {number_row(Numbers::Positions(1))}
                        </tr>
                    </Show>
                </tbody>
                <tbody>
                    <tr class="sees">
                        <th scope="row">{move || words.get().inspect.row_sees}</th>
                        {number_row(Numbers::Sees)}
                    </tr>
                </tbody>
            </table>
        </div>
    }
}

/// A row of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbers {
    Ids,
    Labels,
    Positions(usize),
    Sees,
}

impl Numbers {
    fn of(self, column: &Column) -> i64 {
        match self {
            Self::Ids => column.id.into(),
            Self::Labels => column.label,
            Self::Positions(row) => column.positions.get(row).copied().unwrap_or_default().into(),
            Self::Sees => i64::try_from(column.sees).unwrap_or(i64::MAX),
        }
    }

    /// Whether the number says little here: a label that is not learned, a place before the answer.
    fn is_quiet(self, column: &Column) -> bool {
        match self {
            Self::Labels => !column.is_learned(),
            Self::Positions(1) => self.of(column) == 0,
            _ => false,
        }
    }
}

#[component]
fn NumberRow(numbers: Numbers, columns: Signal<Vec<Column>>) -> impl IntoView {
    let each = move || {
        columns.with(|columns| {
            let cell = |column: &Column| {
                (column.chip, numbers.of(column), numbers.is_quiet(column), column.is_learned())
            };
            columns.iter().map(cell).collect::<Vec<_>>()
        })
    };
    view! {
        <For each=each key=|cell| *cell let:cell>
            <td data-chip=cell.0.to_string() class:quiet-number=cell.2 class:learned=cell.3>
                {cell.1}
            </td>
        </For>
    }
}

/// Selects the token of the column that is pointed at.
fn point_at(event: &ev::Event, selected: Selected) {
    let cell = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .and_then(|element| element.closest("[data-chip]").ok().flatten());
    let chip = cell.and_then(|cell| cell.get_attribute("data-chip")?.parse().ok());
    if chip.is_some() && chip != selected.get_untracked() {
        selected.set(chip);
    }
}

/// Scrolls the frame, and nothing around it, until the column is to be seen.
fn bring_into_view(frame: &Element, chip: usize) {
    let selector = |of: &str| format!("thead {of}");
    let find = |of: &str| frame.query_selector(&selector(of)).ok().flatten();
    let column = find(&format!("[data-chip=\"{chip}\"]"));
    let (Some(column), Some(head)) = (column, find("th[scope=row]")) else { return };
    let (outer, column) = (frame.get_bounding_client_rect(), column.get_bounding_client_rect());
    let left = column.left() - (outer.left() + head.get_bounding_client_rect().width());
    let right = column.right() - outer.right();
    let by = if left < 0.0 { left } else { right.max(0.0) };
    frame.set_scroll_left(frame.scroll_left() + by.round() as i32);
}
