//! Who sees whom: the attention mask as a picture that any length fits into.

use leptos::{ev, html, prelude::*};
use weft_shared::sample::AttentionMask;

use crate::i18n::{self, mask};

/// Up to this many places the picture shows each cell.
const MOST_CELLS: usize = 80;

#[component]
pub fn MaskPicture(
    #[prop(into)] mask: Signal<AttentionMask>,
    /// The token that looks.
    #[prop(into)]
    place: Signal<Option<usize>>,
    /// What the token at a place is called.
    #[prop(into)]
    token_at: Callback<usize, String>,
    /// A row was pointed at.
    #[prop(into)]
    on_point: Callback<usize>,
) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let picture = NodeRef::<html::Div>::new();
    let pointed = RwSignal::new(None::<(usize, usize)>);
    let size = move || mask.get().length;
    let cell = move |event: &ev::PointerEvent| {
        let frame = picture.get_untracked()?.get_bounding_client_rect();
        let part =
            |at: i32, start: f64, length: f64| index_at((f64::from(at) - start) / length, size());
        let row = part(event.client_y(), frame.top(), frame.height())?;
        let column = part(event.client_x(), frame.left(), frame.width())?;
        Some((row, column))
    };
    let point = move |event: ev::PointerEvent| {
        let cell = cell(&event);
        if let Some((row, _)) = cell.filter(|_| cell != pointed.get_untracked()) {
            pointed.set(cell);
            on_point.run(row);
        }
    };
    let caption = move || {
        let (mask, language) = (mask.get(), language.get());
        if let Some((row, column)) = pointed.get() {
            let sees = !mask.is_masked(row, column);
            return mask::one_sees(&token_at.run(row), &token_at.run(column), sees, language);
        }
        match place.get().filter(|place| *place < mask.length) {
            Some(place) => mask::sees(
                &token_at.run(place),
                place,
                mask.seen_until(place),
                mask.length,
                language,
            ),
            None => words.get().inspect.mask_hint.to_owned(),
        }
    };
    let cross = move || {
        let row = pointed.get().map(|(row, _)| row).or_else(|| place.get())?;
        let size = size();
        let column = pointed.get().map_or(row, |(_, column)| column);
        (row < size && column < size).then(|| {
            view! {
                <rect class="cross" x="0" y=row.to_string() width=size.to_string() height="1" />
                <rect class="cross" x=column.to_string() y="0" width="1" height=size.to_string() />
            }
        })
    };
    view! {
        <figure class="mask">
            <div class="mask-frame">
                <span class="axis across" aria-hidden="true">{move || words.get().inspect.mask_seen}</span>
                <span class="axis down" aria-hidden="true">{move || words.get().inspect.mask_looks}</span>
                <div
                    class="cloth"
                    node_ref=picture
                    on:pointermove=point
                    on:pointerleave=move |_| pointed.set(None)
                >
                    <svg
                        viewBox=move || format!("0 0 {0} {0}", size().max(1))
                        preserveAspectRatio="none"
                        role="img"
                        aria-label=move || mask::describe(mask.get(), language.get())
                        data-testid="inspect-mask"
                        data-value=move || format!("[{},{}]", mask.get().context_length, mask.get().length)
                    >
                        <rect
                            class="context"
                            x="0"
                            y="0"
                            width=move || mask.get().context_length.to_string()
                            height=move || size().to_string()
                        />
                        <path class="answer" d=move || staircase(mask.get()) />
                        <path class="gaps" d=move || gaps(size()) />
                        {cross}
                    </svg>
                </div>
            </div>
            <figcaption>
                <p class="caption">{caption}</p>
                <MaskLegend />
            </figcaption>
        </figure>
    }
}

/// What the colours mean.
#[component]
fn MaskLegend() -> impl IntoView {
    let words = i18n::use_words();
    let meaning = move |class: &str, means: fn(&i18n::inspect::Words) -> &'static str| {
        view! {
            <li>
                <span class=format!("swatch {class}") aria-hidden="true"></span>
                {move || means(&words.get().inspect)}
            </li>
        }
    };
    view! {
        <ul class="token-legend">
            {meaning("context", |words| words.mask_context)}
            {meaning("answer", |words| words.mask_answer)}
            {meaning("unseen", |words| words.mask_unseen)}
        </ul>
    }
}

/// Which of `size` cells is at a part of the whole length.
fn index_at(part: f64, size: usize) -> Option<usize> {
    (0..size).find(|index| part >= 0.0 && part * (size as f64) < (index + 1) as f64)
}

/// The answer's part: each place sees itself and what came before it.
fn staircase(mask: AttentionMask) -> String {
    let start = mask.context_length;
    let steps = "h1v1".repeat(mask.length.saturating_sub(start));
    format!("M{start} {start}{steps}H{start}Z")
}

/// The lines between the cells of a small picture.
fn gaps(size: usize) -> String {
    if size > MOST_CELLS {
        return String::new();
    }
    let lines: Vec<_> = (1..size).map(|at| format!("M{at} 0V{size}M0 {at}H{size}")).collect();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_a_staircase_from_sop_on() {
        let mask = AttentionMask { context_length: 2, length: 4 };

        assert_eq!(staircase(mask), "M2 2h1v1h1v1H2Z");
    }

    #[test]
    fn a_pointer_is_in_one_cell_or_outside() {
        assert_eq!([0.0, 0.26, 0.999].map(|part| index_at(part, 4)), [Some(0), Some(1), Some(3)]);
        assert_eq!([-0.1, 1.0].map(|part| index_at(part, 4)), [None, None]);
    }

    #[test]
    fn a_large_picture_has_no_gaps() {
        assert_eq!(gaps(2), "M1 0V2M0 1H2");
        assert_eq!(gaps(500), "");
    }
}
