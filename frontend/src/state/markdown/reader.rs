//! From the parser's events, which nest by begin and end, to a tree.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};

use super::{Block, Inline, Lines};

/// What nests deeper is shown as plain text: the tree is walked by recursion, and a page's stack is small.
const DEEPEST: usize = 24;

pub(super) struct Reader<'a> {
    events: Parser<'a>,
    lines: Lines,
    depth: usize,
    /// Whether the last text ended in a script that puts no spaces between words.
    is_unspaced: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(events: Parser<'a>, lines: Lines) -> Self {
        Self { events, lines, depth: 0, is_unspaced: false }
    }

    /// Until the end of what has begun.
    pub(super) fn blocks(&mut self) -> Vec<Block> {
        if self.depth >= DEEPEST {
            return vec![Block::Paragraph(vec![Inline::Text(self.text())])];
        }
        self.depth += 1;
        let mut blocks = Vec::new();
        // Items of a tight list hold text without a paragraph around it.
        let mut loose = Vec::new();
        while let Some(event) = self.events.next() {
            let block = match event {
                Event::End(_) => break,
                Event::Start(tag) => match self.block(tag) {
                    Ok(block) => block,
                    Err(tag) => {
                        loose.extend(self.inline(Event::Start(tag)));
                        continue;
                    }
                },
                Event::Rule => Block::Rule,
                inline => {
                    loose.extend(self.inline(inline));
                    continue;
                }
            };
            flush(&mut loose, &mut blocks);
            blocks.push(block);
        }
        flush(&mut loose, &mut blocks);
        self.depth -= 1;
        blocks
    }

    /// The block that a tag begins; the tag itself where it begins none.
    fn block(&mut self, tag: Tag<'a>) -> Result<Block, Tag<'a>> {
        Ok(match tag {
            Tag::Paragraph => Block::Paragraph(self.inlines()),
            Tag::Heading { level, .. } => Block::Heading(level as u8, self.inlines()),
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(language) => language.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                Block::Code { language, text: self.text() }
            }
            Tag::BlockQuote(_) => Block::Quote(self.blocks()),
            Tag::List(start) => Block::List { start, items: self.each(Self::blocks) },
            Tag::HtmlBlock => {
                Block::Paragraph(vec![Inline::Text(self.text().trim_end().to_owned())])
            }
            Tag::Table(_) => {
                let mut rows = self.each(|reader| reader.each(Self::inlines));
                let head = if rows.is_empty() { Vec::new() } else { rows.remove(0) };
                Block::Table { head, rows }
            }
            other => return Err(other),
        })
    }

    /// Each part of what has begun: items of a list, rows of a table, cells of a row.
    fn each<T>(&mut self, read: impl Fn(&mut Self) -> T) -> Vec<T> {
        let mut parts = Vec::new();
        while let Some(Event::Start(_)) = self.events.next() {
            parts.push(read(self));
        }
        parts
    }

    fn inlines(&mut self) -> Vec<Inline> {
        if self.depth >= DEEPEST {
            return vec![Inline::Text(self.text())];
        }
        self.depth += 1;
        let mut inlines = Vec::new();
        while let Some(event) = self.events.next() {
            if let Event::End(_) = event {
                break;
            }
            inlines.extend(self.inline(event));
        }
        self.depth -= 1;
        inlines
    }

    fn inline(&mut self, event: Event<'a>) -> Option<Inline> {
        Some(match event {
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                self.is_unspaced = text.chars().next_back().is_some_and(is_unspaced);
                Inline::Text(text.to_string())
            }
            Event::Code(text) => Inline::Code(text.to_string()),
            Event::HardBreak => Inline::Break,
            Event::SoftBreak if self.lines == Lines::Kept => Inline::Break,
            Event::SoftBreak if self.is_unspaced => return None,
            Event::SoftBreak => Inline::Text(" ".to_owned()),
            Event::Start(Tag::Strong) => Inline::Strong(self.inlines()),
            Event::Start(Tag::Strikethrough) => Inline::Struck(self.inlines()),
            Event::Start(Tag::Link { dest_url, link_type, .. }) => {
                let href = match link_type {
                    pulldown_cmark::LinkType::Email => format!("mailto:{dest_url}"),
                    _ => dest_url.to_string(),
                };
                let content = self.inlines();
                if is_safe(&href) {
                    Inline::Link { href, content }
                } else {
                    Inline::Emphasis(content)
                }
            }
            // Emphasis, and images by their descriptions.
            Event::Start(_) => Inline::Emphasis(self.inlines()),
            _ => return None,
        })
    }

    /// All text until the end of what has begun, however it nests.
    fn text(&mut self) -> String {
        let mut text = String::new();
        let mut open = 1;
        for event in self.events.by_ref() {
            match event {
                Event::Start(_) => open += 1,
                Event::End(_) => open -= 1,
                Event::Text(more)
                | Event::Html(more)
                | Event::InlineHtml(more)
                | Event::Code(more) => text += &more,
                Event::SoftBreak | Event::HardBreak => text.push('\n'),
                _ => {}
            }
            if open == 0 {
                break;
            }
        }
        text
    }
}

fn flush(loose: &mut Vec<Inline>, blocks: &mut Vec<Block>) {
    if !loose.is_empty() {
        blocks.push(Block::Paragraph(std::mem::take(loose)));
    }
}

/// Chinese and Japanese characters and their punctuation.
fn is_unspaced(character: char) -> bool {
    matches!(character, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}')
}

/// Neither a script nor a file of this machine.
fn is_safe(href: &str) -> bool {
    let href = href.to_ascii_lowercase();
    ["http://", "https://", "mailto:"].iter().any(|scheme| href.starts_with(scheme))
}
