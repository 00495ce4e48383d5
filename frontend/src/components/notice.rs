//! Something that went wrong, and what to do next.

use leptos::prelude::*;

#[component]
pub fn Notice(
    #[prop(into)] what: Signal<String>,
    /// Where the first sentence does not say so already.
    #[prop(into, optional)]
    next: Option<Signal<String>>,
) -> impl IntoView {
    view! {
        <div class="notice" role="alert">
            <p>{what}</p>
            {next.map(|next| view! { <p class="next">{next}</p> })}
        </div>
    }
}
