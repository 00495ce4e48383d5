//! A text to type, in which the part that a token stands for is marked.

use leptos::{html, prelude::*};

use crate::state::inspect::byte_of_utf16;

#[component]
pub fn TextField(
    /// Of the element, for its label.
    id: &'static str,
    test_id: &'static str,
    #[prop(into)] label: Signal<&'static str>,
    #[prop(into)] placeholder: Signal<&'static str>,
    #[prop(into)] text: Signal<String>,
    /// Bytes to mark.
    #[prop(into)]
    marked: Signal<Option<(usize, usize)>>,
    #[prop(into)] on_edit: Callback<String>,
    /// The byte at which the caret is.
    #[prop(into)]
    on_caret: Callback<usize>,
    /// What stands beside the label.
    children: Children,
) -> impl IntoView {
    let input = NodeRef::<html::Textarea>::new();
    let mirror = NodeRef::<html::Div>::new();
    let follow_scroll = move |_| {
        if let (Some(input), Some(mirror)) = (input.get_untracked(), mirror.get_untracked()) {
            mirror.set_scroll_top(input.scroll_top());
        }
    };
    let caret = move || {
        let unit = input.get_untracked().and_then(|input| input.selection_start().ok().flatten());
        if let Some(unit) = unit {
            on_caret.run(text.with_untracked(|text| byte_of_utf16(text, unit as usize)));
        }
    };
    let parts = move || {
        let (start, end) = marked.get()?;
        text.with(|text| {
            let part = |range: std::ops::Range<usize>| text.get(range).map(str::to_owned);
            Some((part(0..start)?, part(start..end)?))
        })
    };
    let shown = move || {
        parts().map(|(before, part)| view! { {before} <mark class:point=part.is_empty()>{part.clone()}</mark> })
    };
    view! {
        <div class="field">
            <div class="bar">
                <label for=id>{label}</label>
                {children()}
            </div>
            <div class="paper">
                // The same text in the same lines, lying under the field: only the mark is to be seen.
                <div class="mirror" aria-hidden="true" node_ref=mirror>
                    {shown}
                </div>
                <textarea
                    id=id
                    data-testid=test_id
                    rows="2"
                    spellcheck="false"
                    autocapitalize="off"
                    autocomplete="off"
                    placeholder=placeholder
                    node_ref=input
                    prop:value=text
                    on:input:target=move |event| on_edit.run(event.target().value())
                    on:keyup=move |_| caret()
                    on:click=move |_| caret()
                    on:scroll=follow_scroll
                ></textarea>
            </div>
        </div>
    }
}
