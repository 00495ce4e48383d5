//! A button that asks again before something is gone.

use leptos::{html, prelude::*};

#[component]
pub fn DeleteButton(
    test_id: &'static str,
    /// On the button, and on the one that confirms.
    #[prop(into)]
    label: Signal<&'static str>,
    /// What is asked.
    #[prop(into)]
    question: Signal<&'static str>,
    /// On the button that leaves all as it is.
    #[prop(into)]
    keep: Signal<&'static str>,
    #[prop(into)] on_delete: Callback<()>,
) -> impl IntoView {
    let is_asking = RwSignal::new(false);
    let harmless = NodeRef::<html::Button>::new();
    // The button that was pressed is gone: the keyboard goes on at the harmless answer.
    Effect::new(move || {
        if let Some(harmless) = harmless.get() {
            let _ = harmless.focus();
        }
    });
    view! {
        <Show
            when=move || is_asking.get()
            fallback=move || {
                view! {
                    <button class="quiet" type="button" data-testid=test_id on:click=move |_| is_asking.set(true)>
                        {label}
                    </button>
                }
            }
        >
            <span class="confirm" role="group" aria-label=question>
                <span>{question}</span>
                <button class="quiet danger" type="button" data-testid=format!("{test_id}-confirm") on:click=move |_| on_delete.run(())>
                    {label}
                </button>
                <button class="quiet" type="button" node_ref=harmless on:click=move |_| is_asking.set(false)>
                    {keep}
                </button>
            </span>
        </Show>
    }
}
