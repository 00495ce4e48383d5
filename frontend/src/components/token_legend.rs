//! What the looks of the chips on show mean; those that do not occur are left out.

use leptos::prelude::*;

use crate::{i18n, state::chip::Chip};

#[component]
pub fn TokenLegend(#[prop(into)] chips: Signal<Vec<Chip>>) -> impl IntoView {
    let words = i18n::use_words();
    let occurs = move |class: &str| {
        chips.with(|chips| {
            chips
                .iter()
                .any(|chip| chip.class() == class || (class == "cut" && chip.place.is_none()))
        })
    };
    let entries = move || {
        let legend = &words.get().inspect.legend;
        [
            ("space", "·", legend.space),
            ("byte", "F0", legend.byte),
            ("special", "sop", legend.special),
            ("inserted", "▁", legend.inserted),
            ("unknown", "?", legend.unknown),
            ("cut", "ab", legend.cut),
        ]
        .into_iter()
        .filter(|(class, ..)| occurs(class))
        .map(|(class, sample, meaning)| {
            view! {
                <li>
                    <span class=format!("chip {class} hue-0") aria-hidden="true">
                        {sample}
                    </span>
                    {meaning}
                </li>
            }
        })
        .collect_view()
    };
    view! { <ul class="token-legend">{entries}</ul> }
}
