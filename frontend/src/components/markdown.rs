//! What a model wrote, as it meant it to look.

use leptos::prelude::*;

use super::copy_button::CopyButton;
use crate::{
    i18n,
    state::markdown::{Block, Inline, Lines, blocks, close_open},
};

#[component]
pub fn Markdown(
    #[prop(into)] text: Signal<String>,
    /// What a line's end means; by default what it means to a model.
    #[prop(default = Lines::Kept)]
    lines: Lines,
    /// Whether more of it comes.
    #[prop(into, optional)]
    is_unfinished: Option<Signal<bool>>,
) -> impl IntoView {
    let tree = Memo::new(move |_| {
        let is_unfinished = is_unfinished.is_some_and(|it| it.get());
        text.with(|text| {
            if is_unfinished { blocks(&close_open(text), lines) } else { blocks(text, lines) }
        })
    });
    // Of a reply that grows only the last block changes: the others keep their elements, selections included.
    let each = move |index: usize| {
        let block = Memo::new(move |_| tree.with(|tree| tree.get(index).cloned()));
        move || block.get().map(show_block)
    };
    view! {
        <div class="markdown">
            <For each=move || 0..tree.with(Vec::len) key=|&index| index children=each />
        </div>
    }
}

fn show_blocks(blocks: Vec<Block>) -> Vec<AnyView> {
    blocks.into_iter().map(show_block).collect()
}

fn show_block(block: Block) -> AnyView {
    match block {
        Block::Paragraph(content) => view! { <p>{show_inlines(content)}</p> }.into_any(),
        // The page has its own headings; those of a reply are not part of its outline.
        Block::Heading(level, content) => {
            view! { <p class=format!("heading h{level}")>{show_inlines(content)}</p> }.into_any()
        }
        Block::Code { language, text } => view! { <Code language text /> }.into_any(),
        Block::Quote(content) => {
            view! { <blockquote>{show_blocks(content)}</blockquote> }.into_any()
        }
        Block::List { start, items } => {
            let items =
                items.into_iter().map(|item| view! { <li>{show_blocks(item)}</li> }).collect_view();
            match start {
                Some(start) => view! { <ol start=start.to_string()>{items}</ol> }.into_any(),
                None => view! { <ul>{items}</ul> }.into_any(),
            }
        }
        Block::Table { head, rows } => show_table(head, rows),
        Block::Rule => view! { <hr /> }.into_any(),
    }
}

fn show_table(head: Vec<Vec<Inline>>, rows: Vec<Vec<Vec<Inline>>>) -> AnyView {
    let cell = |content| view! { <td>{show_inlines(content)}</td> };
    // A heading that says nothing is none.
    let head_cell = |content: Vec<Inline>| {
        if content.is_empty() {
            view! { <td></td> }.into_any()
        } else {
            view! { <th scope="col">{show_inlines(content)}</th> }.into_any()
        }
    };
    let has_head = head.iter().any(|cell| !cell.is_empty());
    let head = has_head.then(|| {
        let cells = head.into_iter().map(head_cell).collect_view();
        view! {
            <thead>
                <tr>{cells}</tr>
            </thead>
        }
    });
    let row = |row: Vec<Vec<Inline>>| {
        let cells = row.into_iter().map(cell).collect_view();
        view! { <tr>{cells}</tr> }
    };
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        // A keyboard can scroll it where it is wide.
        <div class="wide" tabindex="0">
            <table>
                {head} <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn show_inlines(inlines: Vec<Inline>) -> Vec<AnyView> {
    inlines.into_iter().map(show_inline).collect()
}

fn show_inline(inline: Inline) -> AnyView {
    match inline {
        Inline::Text(text) => text.into_any(),
        Inline::Code(text) => view! { <code>{text}</code> }.into_any(),
        Inline::Strong(content) => view! { <strong>{show_inlines(content)}</strong> }.into_any(),
        Inline::Emphasis(content) => view! { <em>{show_inlines(content)}</em> }.into_any(),
        Inline::Struck(content) => view! { <s>{show_inlines(content)}</s> }.into_any(),
        Inline::Link { href, content } => view! {
            <a href=href target="_blank" rel="noopener noreferrer">
                {show_inlines(content)}
            </a>
        }
        .into_any(),
        Inline::Break => view! { <br /> }.into_any(),
    }
}

/// Code, with a button that copies it.
#[component]
pub fn Code(
    /// Its name, where it has one.
    #[prop(into)]
    language: String,
    #[prop(into)] text: String,
) -> impl IntoView {
    let words = i18n::use_words();
    let copied = StoredValue::new(text.clone());
    view! {
        <div class="code">
            <div class="bar">
                <span class="hint">{language}</span>
                <CopyButton
                    text=Signal::derive(move || copied.get_value())
                    label=Signal::derive(move || words.get().chat.code)
                />
            </div>
            // No spaces of the template come between, since all are shown.
            <pre tabindex="0"><code>{text}</code></pre>
        </div>
    }
}
