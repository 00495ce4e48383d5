//! The text to take apart, and examples to start from.

use leptos::prelude::*;

use crate::i18n;

/// Each shows something of its own: words, code with its white space, bytes of rare characters, special tokens.
const EXAMPLES: [&str; 5] = [
    "AI探险家帅不帅?",
    "Weft 织进新的知识，not from scratch.",
    "def weave(threads):\n    for warp in threads:\n        yield warp\t# over, under",
    "𠮷野家 🧵 ½ ﬁ ①",
    "问:1+1=?\n答: [gMASK]<sop>2<eop>",
];

#[component]
pub fn TextInput(
    #[prop(into)] text: Signal<String>,
    #[prop(into)] on_edit: Callback<String>,
) -> impl IntoView {
    let words = i18n::use_words();
    view! {
        <section class="source">
            <div class="bar">
                <h2>
                    <label for="question">{move || words.get().inspect.text}</label>
                </h2>
                <button
                    class="quiet"
                    type="button"
                    disabled=move || text.with(String::is_empty)
                    on:click=move |_| on_edit.run(String::new())
                >
                    {move || words.get().inspect.clear}
                </button>
            </div>
            <textarea
                id="question"
                data-testid="inspect-question"
                rows="4"
                spellcheck="false"
                autocapitalize="off"
                autocomplete="off"
                placeholder=move || words.get().inspect.placeholder
                prop:value=text
                on:input:target=move |event| on_edit.run(event.target().value())
            ></textarea>
            <div class="examples" role="group" aria-label=move || words.get().inspect.examples>
                {EXAMPLES
                    .map(|example| {
                        view! {
                            <button class="example" type="button" on:click=move |_| on_edit.run(example.to_owned())>
                                {example.lines().next()}
                            </button>
                        }
                    })}
            </div>
        </section>
    }
}
