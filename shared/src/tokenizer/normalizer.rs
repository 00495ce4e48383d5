//! SentencePiece's normalizer: character rules, then spaces.
//!
//! As `Normalizer::Normalize` of SentencePiece 0.2: spaces at both ends go and runs of them become one, a space is
//! added in front, and each space becomes `▁`. Pieces that the vocabulary's author defined are left as they are.

use super::TokenizerError;
use super::charsmap::CharacterMap;
use super::sentencepiece::{NormalizerSpec, TrainerSpec};
use super::sink::Sink;
use super::trie::{NO_PIECE, Trie};

/// Stands for a space inside pieces: U+2581.
pub(super) const SPACE_SYMBOL: &str = "\u{2581}";

/// Rewrites text as a vocabulary's pieces were trained on.
#[derive(Clone, Debug)]
pub(super) struct Normalizer {
    rules: CharacterMap,
    /// Pieces that are copied as they are.
    symbols: Trie,
    /// Bytes at which such a piece may start.
    symbol_starts: [bool; 256],
    add_dummy_prefix: bool,
    remove_extra_whitespaces: bool,
    whitespace_as_suffix: bool,
    /// What a space becomes.
    space: &'static str,
}

impl Normalizer {
    /// The normalizer of a vocabulary; `symbols` are its user-defined pieces.
    pub(super) fn new(
        spec: &NormalizerSpec<'_>,
        trainer: &TrainerSpec<'_>,
        symbols: &[&str],
    ) -> Result<Self, TokenizerError> {
        let mut symbol_starts = [false; 256];
        for symbol in symbols {
            symbol_starts[usize::from(symbol.as_bytes()[0])] = true;
        }
        Ok(Self {
            rules: CharacterMap::new(spec.precompiled_charsmap)?,
            symbols: Trie::new(symbols.iter().map(|symbol| (*symbol, 0, 0.0)).collect())?,
            symbol_starts,
            add_dummy_prefix: spec.add_dummy_prefix,
            remove_extra_whitespaces: spec.remove_extra_whitespaces,
            whitespace_as_suffix: trainer.whitespace_as_suffix,
            space: if spec.escape_whitespaces { SPACE_SYMBOL } else { " " },
        })
    }

    /// Rewrites `text`.
    pub(super) fn normalize(&self, text: &str, out: &mut impl Sink) {
        let mut at = if self.remove_extra_whitespaces { self.leading_spaces(text) } else { 0 };
        if at == text.len() {
            return;
        }
        let mut last = at;
        if self.add_dummy_prefix && !self.whitespace_as_suffix {
            out.put(self.space, at);
        }
        let mut after_space = self.remove_extra_whitespaces;
        while at < text.len() {
            let end = self.untouched(text, at);
            if end > at {
                out.copy(&text[at..end], at);
                (last, at, after_space) = (text.floor_char_boundary(end - 1), end, false);
                continue;
            }
            let (length, replacement) = self.prefix(&text[at..]);
            let replacement =
                if after_space { replacement.trim_start_matches(' ') } else { replacement };
            for (number, word) in replacement.split(' ').enumerate() {
                if number > 0 {
                    out.put(self.space, at);
                }
                out.put(word, at);
            }
            if !replacement.is_empty() {
                last = at;
                after_space = self.remove_extra_whitespaces && replacement.ends_with(' ');
            }
            at += length;
        }
        if self.remove_extra_whitespaces {
            out.trim(self.space);
        }
        if self.add_dummy_prefix && self.whitespace_as_suffix {
            out.put(self.space, last);
        }
    }

    /// `text` after the character rules alone.
    pub(super) fn apply_rules(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while at < text.len() {
            let (length, replacement) = self.prefix(&text[at..]);
            out.push_str(replacement);
            at += length;
        }
        out
    }

    /// Bytes at the start of `text` that become spaces.
    fn leading_spaces(&self, text: &str) -> usize {
        let mut at = 0;
        while at < text.len() {
            let (length, replacement) = self.prefix(&text[at..]);
            if replacement != " " {
                break;
            }
            at += length;
        }
        at
    }

    /// The end of the run of characters from `at` on that neither a rule nor a piece changes.
    fn untouched(&self, text: &str, mut at: usize) -> usize {
        let bytes = text.as_bytes();
        while let Some(&byte) = bytes.get(at) {
            if byte == b' ' || self.symbol_starts[usize::from(byte)] {
                break;
            }
            if byte < 128 {
                if !self.rules.leaves_ascii(byte)
                    || bytes.get(at + 1).is_some_and(|next| *next >= 128)
                {
                    // A letter before an accent, or before a character that is none.
                    if self.rules.rule(&text[at..]).is_some() {
                        break;
                    }
                }
                at += 1;
            } else {
                let Some(character) = text[at..].chars().next().filter(|c| self.rules.leaves(*c))
                else {
                    break;
                };
                at += character.len_utf8();
            }
        }
        at
    }

    /// What the start of a text, which is not empty, becomes: its length in bytes, and the replacement.
    fn prefix<'a>(&'a self, text: &'a str) -> (usize, &'a str) {
        if let Some(length) = self.symbol(text) {
            return (length, &text[..length]);
        }
        self.rules.rule(text).unwrap_or_else(|| {
            let length = text.chars().next().map_or(0, char::len_utf8);
            (length, &text[..length])
        })
    }

    /// Length of the longest user-defined piece that `text` starts with.
    fn symbol(&self, text: &str) -> Option<usize> {
        if !self.symbol_starts[usize::from(*text.as_bytes().first()?)] {
            return None;
        }
        let mut node = self.symbols.root();
        let mut longest = None;
        for (at, byte) in text.bytes().enumerate() {
            let Some((_, next)) = self.symbols.step(node, byte) else { break };
            if next.score > NO_PIECE {
                longest = Some(at + 1);
            }
            node = next;
        }
        longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::sink::Aligned;

    fn normalizer() -> Normalizer {
        Normalizer::new(&NormalizerSpec::default(), &TrainerSpec::default(), &["<n>", "<n><n>"])
            .unwrap()
    }

    fn normalized(text: &str) -> String {
        let mut out = String::new();
        normalizer().normalize(text, &mut out);
        out
    }

    #[test]
    fn a_word_starts_with_its_space() {
        assert_eq!(normalized("  hello   world "), "▁hello▁world");
        assert_eq!(normalized("你好"), "▁你好");
        assert_eq!(normalized("   "), "");
    }

    #[test]
    fn a_defined_piece_is_not_touched_and_ends_a_run_of_spaces() {
        assert_eq!(normalized("a <n> <n><n> b"), "▁a▁<n>▁<n><n>▁b");
    }

    #[test]
    fn each_character_knows_where_it_came_from() {
        let mut out = Aligned::default();
        normalizer().normalize("  a  b ", &mut out);

        assert_eq!(out, Aligned { text: "▁a▁b".into(), starts: vec![2, 2, 3, 5] });
    }

    #[test]
    fn a_suffix_stands_where_the_last_character_stood() {
        let trainer = TrainerSpec { whitespace_as_suffix: true, ..TrainerSpec::default() };
        let normalizer = Normalizer::new(&NormalizerSpec::default(), &trainer, &[]).unwrap();
        let mut out = Aligned::default();
        normalizer.normalize("a bc", &mut out);

        assert_eq!(out, Aligned { text: "a▁bc▁".into(), starts: vec![0, 1, 2, 3, 3] });
    }
}
