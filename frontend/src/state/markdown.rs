//! Markdown as a tree of what the page shows. Raw HTML is text, images are their descriptions, and a link leads only to
//! the web or to mail: what a model writes cannot do more than be read.

mod reader;
mod unfinished;

use pulldown_cmark::{Options, Parser};

use self::reader::Reader;
pub use self::unfinished::close_open;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    Paragraph(Vec<Inline>),
    /// 1 to 6.
    Heading(u8, Vec<Inline>),
    Code {
        language: String,
        text: String,
    },
    Quote(Vec<Block>),
    /// Numbered from `start`, or not numbered.
    List {
        start: Option<u64>,
        items: Vec<Vec<Block>>,
    },
    /// Rows of cells; every row is as long as the head.
    Table {
        head: Vec<Vec<Inline>>,
        rows: Vec<Vec<Vec<Inline>>>,
    },
    Rule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    Text(String),
    Code(String),
    Strong(Vec<Inline>),
    Emphasis(Vec<Inline>),
    Struck(Vec<Inline>),
    Link { href: String, content: Vec<Inline> },
    Break,
}

/// What the end of a line within a paragraph means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Models end lines where they mean to.
    Kept,
    /// People wrap lines in files.
    Flowing,
}

/// Reads a text, also one that is not complete: what is open at its end is closed there.
pub fn blocks(markdown: &str, lines: Lines) -> Vec<Block> {
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES;
    Reader::new(Parser::new_ext(markdown, options), lines).blocks()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Inline {
        Inline::Text(text.into())
    }

    fn paragraph(inlines: &[Inline]) -> Block {
        Block::Paragraph(inlines.to_vec())
    }

    fn written(markdown: &str) -> Vec<Block> {
        blocks(markdown, Lines::Kept)
    }

    #[test]
    fn blocks_of_each_kind_are_read() {
        let markdown = "# A\n\none *two*\n\n```rust\nfn f() {}\n```\n\n1. x\n2. y\n\n> q\n\n---";

        let wanted = vec![
            Block::Heading(1, vec![text("A")]),
            paragraph(&[text("one "), Inline::Emphasis(vec![text("two")])]),
            Block::Code { language: "rust".into(), text: "fn f() {}\n".into() },
            Block::List {
                start: Some(1),
                items: vec![vec![paragraph(&[text("x")])], vec![paragraph(&[text("y")])]],
            },
            Block::Quote(vec![paragraph(&[text("q")])]),
            Block::Rule,
        ];
        assert_eq!(written(markdown), wanted);
    }

    #[test]
    fn a_table_has_a_head_and_rows() {
        let table = written("| a | b |\n| --- | --- |\n| 1 | **2** |\n| 3 |");

        let cell = |inline: Inline| vec![inline];
        assert_eq!(
            table,
            [Block::Table {
                head: vec![cell(text("a")), cell(text("b"))],
                rows: vec![
                    vec![cell(text("1")), cell(Inline::Strong(vec![text("2")]))],
                    vec![cell(text("3")), vec![]],
                ],
            }]
        );
    }

    #[test]
    fn html_is_text() {
        assert_eq!(
            written("<script>alert(1)</script>"),
            [paragraph(&[text("<script>alert(1)</script>")])]
        );
        assert_eq!(written("a <b>c"), [paragraph(&[text("a "), text("<b>"), text("c")])]);
    }

    #[test]
    fn a_link_leads_to_the_web_or_nowhere() {
        let of = |markdown| match written(markdown).remove(0) {
            Block::Paragraph(mut inlines) => inlines.remove(0),
            other => panic!("{other:?}"),
        };

        assert!(matches!(of("[a](https://example.org)"), Inline::Link { .. }));
        assert!(matches!(of("<someone@example.org>"), Inline::Link { .. }));
        for harmful in ["[a](javascript:x)", "[a](file:///etc)", "![a](https://example.org/i.png)"]
        {
            assert_eq!(of(harmful), Inline::Emphasis(vec![text("a")]), "{harmful}");
        }
    }

    #[test]
    fn an_answer_that_is_not_complete_is_shown_as_far_as_it_goes() {
        let open = written("so:\n\n```py\nprint(");

        assert_eq!(open[1], Block::Code { language: "py".into(), text: "print(".into() });
    }

    #[test]
    fn wrapped_lines_flow_together_in_a_file_and_not_in_a_reply() {
        let words = "a\nb";

        assert_eq!(written(words), [paragraph(&[text("a"), Inline::Break, text("b")])]);
        assert_eq!(blocks(words, Lines::Flowing), [paragraph(&[text("a"), text(" "), text("b")])]);
        assert_eq!(blocks("甲\n乙", Lines::Flowing), [paragraph(&[text("甲"), text("乙")])]);
    }

    #[test]
    fn nesting_without_end_is_cut_short() {
        fn depth(blocks: &[Block]) -> usize {
            match blocks {
                [Block::Quote(inner)] => 1 + depth(inner),
                _ => 0,
            }
        }

        let quotes = written(&format!("{} deep", ">".repeat(5000)));
        let emphasis = written(&format!("{}deep", "*a **b ".repeat(5000)));

        assert!((10..100).contains(&depth(&quotes)), "{}", depth(&quotes));
        assert!(!emphasis.is_empty());
    }
}
