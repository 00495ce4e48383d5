//! A token as it is shown: its part of the text made visible, and what kind of token it is.

use weft_shared::sample::{Part as Origin, SourcedToken};

use crate::worker::Sampled;

/// How many colours tokens have; a token has the same one wherever it stands.
const HUES: u32 = 6;

/// What kind of token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Part of a word, or several.
    Text,
    /// White space only: how many characters of it.
    Space(usize),
    Tab,
    NewLine,
    /// One byte of a character that the vocabulary has no token for.
    Byte {
        value: u8,
        of: Option<char>,
        place: usize,
        places: usize,
    },
    /// Gives a sequence its structure; written out in the text, it is taken for the token itself.
    Special,
    /// Nothing in the vocabulary fits.
    Unknown,
    /// Put in by the tokenizer: stands for no part of the text.
    Inserted,
    /// One of several tokens that together stand for one part of the text, `㍿` for example.
    Part {
        of: String,
    },
}

/// A token as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// Its place among those on show.
    pub index: usize,
    /// Its index in the sample; `None` where truncation cut it, or where there is no sample.
    pub place: Option<usize>,
    pub origin: Origin,
    pub id: u32,
    /// As the vocabulary writes it.
    pub piece: String,
    /// The bytes that it covers of a text that a person wrote.
    pub span: Option<(usize, usize)>,
    pub kind: Kind,
    /// Its part of the text, white space and bytes made visible.
    pub shown: String,
    /// Ends with a line end: what follows starts a new line.
    pub breaks_line: bool,
}

impl Chip {
    /// Which of the colours it has.
    pub fn hue(&self) -> u32 {
        // Neighbouring ids often stand for kindred pieces: a multiplication spreads them.
        (self.id.wrapping_mul(2_654_435_761) >> 16) % HUES
    }

    /// The name of its kind, for style sheets.
    pub fn class(&self) -> &'static str {
        match self.kind {
            Kind::Text | Kind::Part { .. } => "text",
            Kind::Space(_) | Kind::Tab | Kind::NewLine => "space",
            Kind::Byte { .. } => "byte",
            Kind::Special => "special",
            Kind::Unknown => "unknown",
            Kind::Inserted => "inserted",
        }
    }
}

/// The chips of a pair that was taken apart.
pub fn chips(sampled: &Sampled) -> Vec<Chip> {
    (0..sampled.tokens.len()).map(|index| chip(index, &sampled.tokens, &sampled.text)).collect()
}

fn chip(index: usize, tokens: &[SourcedToken], text: &str) -> Chip {
    let token = &tokens[index];
    let source = text.get(token.start..token.end).unwrap_or_default();
    let kind = kind(index, tokens, text, source);
    let shown = match &kind {
        Kind::Byte { value, .. } => format!("{value:02X}"),
        Kind::Inserted | Kind::Part { .. } => token.piece.clone(),
        // What stands for no text at all: `[gMASK]`, `<sop>` and `<eop>` of the sample itself.
        Kind::Special if source.is_empty() => token.piece.clone(),
        _ => visible(source),
    };
    Chip {
        index,
        place: token.place,
        origin: token.part,
        id: token.id,
        piece: token.piece.clone(),
        span: whole_span(index, tokens),
        breaks_line: source.ends_with('\n'),
        kind,
        shown,
    }
}

fn kind(index: usize, tokens: &[SourcedToken], text: &str, source: &str) -> Kind {
    let token = &tokens[index];
    if let Some(value) = byte_of(&token.piece) {
        return byte(value, index, tokens);
    }
    match token.piece.as_str() {
        "<n>" => return Kind::NewLine,
        "<|tab|>" => return Kind::Tab,
        "<unk>" => return Kind::Unknown,
        piece if is_special(piece) => return Kind::Special,
        _ if is_inserted(token) => return Kind::Inserted,
        _ => {}
    }
    if let Some(of) = shared_part(index, tokens, text) {
        Kind::Part { of }
    } else if source.chars().all(char::is_whitespace) {
        Kind::Space(source.chars().count())
    } else {
        Kind::Text
    }
}

fn is_inserted(token: &SourcedToken) -> bool {
    token.piece == "▁" && token.start == token.end
}

/// The part of the text that a token shares with its neighbours; of those, the last has its bytes.
fn shared_part(index: usize, tokens: &[SourcedToken], text: &str) -> Option<String> {
    let start = tokens[index].start;
    let stands_for_text = |other: &SourcedToken| !is_inserted(other) && !is_special(&other.piece);
    let shares = |other: &&SourcedToken| other.start == start && stands_for_text(other);
    let before = index.checked_sub(1).and_then(|before| tokens.get(before));
    let apart = |other: Option<&SourcedToken>| other.is_none_or(|other| !shares(&other));
    if apart(before) && apart(tokens.get(index + 1)) {
        return None;
    }
    let end = tokens[index..].iter().take_while(shares).map(|token| token.end).max()?;
    text.get(start..end).map(str::to_owned)
}

/// The bytes of a token, or of all the tokens that together stand for one part of the text.
fn whole_span(index: usize, tokens: &[SourcedToken]) -> Option<(usize, usize)> {
    let token = &tokens[index];
    let (start, end) = token.span?;
    if start < end || is_inserted(token) {
        return Some((start, end));
    }
    let alike = tokens[index..]
        .iter()
        .take_while(|other| other.part == token.part && other.start == token.start);
    let end = alike.filter_map(|other| other.span).map(|(_, end)| end).max()?;
    Some((start, end))
}

/// The byte that a piece such as `<0xE4>` stands for.
fn byte_of(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    u8::from_str_radix(digits, 16).ok()
}

/// A byte, and the character that it makes with the bytes around it.
fn byte(value: u8, index: usize, tokens: &[SourcedToken]) -> Kind {
    let byte_at = |index: usize| tokens.get(index).and_then(|token| byte_of(&token.piece));
    let is_first =
        |index: &usize| byte_at(*index).is_some_and(|byte| byte & 0b1100_0000 != 0b1000_0000);
    let first = (0..=index).rev().find(is_first).unwrap_or(index);
    let bytes: Vec<u8> = (first..first + 4).map_while(byte_at).collect();
    let valid =
        bytes.utf8_chunks().next().map(|chunk| chunk.valid().to_owned()).unwrap_or_default();
    let of = valid.chars().next();
    Kind::Byte { value, of, place: index - first + 1, places: of.map_or(1, char::len_utf8) }
}

fn is_special(piece: &str) -> bool {
    let is_marked = |open, close| piece.starts_with(open) && piece.ends_with(close);
    matches!(piece, "<sop>" | "<eop>" | "<pad>" | "<s>" | "</s>" | "<ENC>" | "<dBLOCK>" | "<eot>")
        || matches!(piece, "[MASK]" | "[gMASK]" | "[sMASK]")
        || is_marked("<image_", ">")
}

/// A part of the text with its white space made visible.
fn visible(source: &str) -> String {
    source
        .chars()
        .filter(|&character| character != '\r')
        .map(|character| match character {
            ' ' | '\u{a0}' => '·',
            '\u{3000}' => '□',
            '\t' => '⇥',
            '\n' => '⏎',
            other if other.is_control() => '␦',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_shows_its_part_of_the_text() {
        let chip = only("hello world", token("▁world", 5, 11));

        assert_eq!((chip.shown.as_str(), chip.kind), ("·world", Kind::Text));
    }

    #[test]
    fn white_space_is_visible_and_counted() {
        let chip = only("a    b", token("<|blank_4|>", 1, 5));
        assert_eq!((chip.shown.as_str(), chip.kind), ("····", Kind::Space(4)));

        let chip = only("a\nb", token("<n>", 1, 2));
        assert_eq!((chip.shown.as_str(), chip.breaks_line, chip.kind), ("⏎", true, Kind::NewLine));

        let chip = only("a\tb", token("<|tab|>", 1, 2));
        assert_eq!((chip.shown.as_str(), chip.kind), ("⇥", Kind::Tab));
    }

    #[test]
    fn a_byte_knows_its_character() {
        let bytes = ["<0xF0>", "<0x9F>", "<0xA7>", "<0xB5>"].map(|piece| token(piece, 1, 1));
        let chips = all("a🧵", [vec![token("▁a", 0, 1)], bytes.to_vec()].concat());

        assert_eq!(chips[2].shown, "9F");
        assert_eq!(chips[2].kind, Kind::Byte { value: 0x9f, of: Some('🧵'), place: 2, places: 4 });
        assert_eq!(chips[4].kind, Kind::Byte { value: 0xb5, of: Some('🧵'), place: 4, places: 4 });
    }

    #[test]
    fn tokens_that_share_a_part_of_the_text_say_so() {
        let chips = all("㍿", vec![token("▁", 0, 0), token("株式", 0, 0), token("会社", 0, 3)]);

        let shown: Vec<_> = chips.iter().map(|chip| chip.shown.as_str()).collect();
        assert_eq!(shown, ["▁", "株式", "会社"]);
        assert_eq!(chips[0].kind, Kind::Inserted);
        assert_eq!(chips[1].kind, Kind::Part { of: "㍿".into() });
        assert_eq!(chips[2].kind, Kind::Part { of: "㍿".into() });
    }

    #[test]
    fn special_tokens_are_told_from_text_that_looks_alike() {
        assert_eq!(only("[gMASK]", token("[gMASK]", 0, 7)).kind, Kind::Special);
        assert_eq!(only("<image_7>", token("<image_7>", 0, 9)).kind, Kind::Special);
        assert_eq!(only("<b>", token("<b>", 0, 3)).kind, Kind::Text);
    }

    #[test]
    fn a_token_without_a_part_of_the_text_was_inserted() {
        let chip = only("字", token("▁", 0, 0));

        assert_eq!((chip.shown.as_str(), chip.kind), ("▁", Kind::Inserted));
    }

    #[test]
    fn the_same_token_has_the_same_colour() {
        let one = only("aa", token("a", 0, 1));
        let two = only("aa", token("a", 1, 2));

        assert_eq!(one.hue(), two.hue());
        assert!(one.hue() < HUES);
    }

    #[test]
    fn structure_stands_for_no_text_and_shares_none() {
        let mut tokens = vec![token("[gMASK]", 0, 0), token("<sop>", 0, 0), token("▁a", 0, 1)];
        tokens[0].part = Origin::Opening;
        let chips = all("a", tokens);

        let shown: Vec<_> = chips.iter().map(|chip| chip.shown.as_str()).collect();
        assert_eq!(shown, ["[gMASK]", "<sop>", "a"]);
        assert_eq!((&chips[0].kind, &chips[2].kind), (&Kind::Special, &Kind::Text));
    }

    #[test]
    fn a_byte_covers_its_whole_character() {
        let mut tokens: Vec<_> = [0, 0, 0, 4].map(|end| token("<0x9F>", 0, end)).to_vec();
        for token in &mut tokens {
            token.span = Some((token.start, token.end));
        }

        assert!(all("🧵", tokens).iter().all(|chip| chip.span == Some((0, 4))));
    }

    fn token(piece: &str, start: usize, end: usize) -> SourcedToken {
        let place = Some(0);
        let part = Origin::Question;
        SourcedToken { id: 7, piece: piece.into(), start, end, part, span: None, place }
    }

    fn only(text: &str, token: SourcedToken) -> Chip {
        all(text, vec![token]).remove(0)
    }

    fn all(text: &str, tokens: Vec<SourcedToken>) -> Vec<Chip> {
        let empty = Sampled::empty(1, weft_shared::pair::Pair::default());
        chips(&Sampled { text: text.into(), tokens, ..empty })
    }
}
