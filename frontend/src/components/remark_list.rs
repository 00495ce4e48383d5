//! What a person should notice about a sample, and what to do about it.

use leptos::prelude::*;

use crate::{
    i18n::{self, remark::explain},
    state::inspect::Remark,
};

#[component]
pub fn RemarkList(#[prop(into)] remarks: Signal<Vec<Remark>>) -> impl IntoView {
    let language = i18n::use_language();
    let items = move || {
        let item = |remark: Remark| {
            let class = if remark.is_refusal() { "refusal" } else { "" };
            view! { <li class=class>{explain(&remark, language.get())}</li> }
        };
        remarks.get().into_iter().map(item).collect_view()
    };
    view! {
        <div aria-live="polite" data-testid="inspect-remarks">
            <Show when=move || remarks.with(|remarks| !remarks.is_empty())>
                <ul class="remarks">{items}</ul>
            </Show>
        </div>
    }
}
