//! Writes character rules in the form that [`charsmap`](super::charsmap) reads, for a vocabulary of one's own.

use std::collections::BTreeMap;

use super::TokenizerError;
use super::trie::Trie;

/// Trie cells come in blocks of this many, which SentencePiece insists on.
const BLOCK: usize = 256;
/// A cell that no byte leads to, since UTF-8 never has this one.
const NO_CELL: u32 = 0xff;
/// The largest distance that a cell says without shifting.
const FARTHEST: u32 = 1 << 21;

/// The `precompiled_charsmap` of `rules`: what is rewritten, and to what.
///
/// Of several rules for one text the last holds; an empty text or one with a zero byte cannot be rewritten.
pub fn compile_charsmap<'a>(
    rules: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<u8>, TokenizerError> {
    let rules: BTreeMap<_, _> =
        rules.into_iter().filter(|(from, _)| !from.is_empty() && !from.contains('\0')).collect();
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    // A key's value hangs on a zero byte behind it.
    let keys: Vec<_> = rules.keys().map(|from| format!("{from}\0")).collect();
    let mut replacements = String::new();
    let mut places = Vec::with_capacity(keys.len());
    for (key, to) in keys.iter().zip(rules.values()) {
        places.push((key.as_str(), replacements.len() as u32, 0.0));
        replacements.push_str(to);
        replacements.push('\0');
    }
    let cells = cells(&Trie::new(places)?)?;
    let length = (cells.len() * 4) as u32;
    let cells = cells.iter().flat_map(|cell| cell.to_le_bytes());
    Ok(length.to_le_bytes().into_iter().chain(cells).chain(replacements.into_bytes()).collect())
}

/// The cells of a Darts-clone trie, which says distances where ours says places.
fn cells(trie: &Trie) -> Result<Vec<u32>, TokenizerError> {
    let mut cells = vec![NO_CELL; trie.len().next_multiple_of(BLOCK)];
    let mut waiting = vec![(0, trie.root(), 0_u32)];
    while let Some((index, node, label)) = waiting.pop() {
        let children = (0..u8::MAX).filter_map(|byte| {
            trie.step(node, byte).map(|(child, next)| (child, next, u32::from(byte)))
        });
        let children: Vec<_> = children.collect();
        let Some(&(first, _, first_label)) = children.first() else {
            cells[index] = 0x8000_0000 | trie.id(index);
            continue;
        };
        let distance = index as u32 ^ first as u32 ^ first_label;
        if distance >= FARTHEST {
            return Err(TokenizerError::TooLarge { found: trie.len(), most: FARTHEST as usize });
        }
        cells[index] = distance << 10 | u32::from(first_label == 0) << 8 | label;
        waiting.extend(children);
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::charsmap::CharacterMap;

    fn map() -> CharacterMap {
        let rules = [
            ("Ａ", "A"),
            ("½", "1⁄2"),
            ("e\u{301}", "é"),
            ("\u{1}", ""),
            ("\u{3000}", " "),
            ("e\u{301}\u{302}", "x"),
        ];
        CharacterMap::new(&compile_charsmap(rules).unwrap()).unwrap()
    }

    #[test]
    fn the_longest_rule_at_the_start_holds() {
        let map = map();

        assert_eq!(map.rule("Ａb"), Some((3, "A")));
        assert_eq!(map.rule("½"), Some((2, "1⁄2")));
        assert_eq!(map.rule("e\u{301}\u{303}"), Some((3, "é")));
        assert_eq!(map.rule("e\u{301}\u{302}"), Some((5, "x")));
        assert_eq!(map.rule("\u{1}a"), Some((1, "")));
        assert_eq!(map.rule("e"), None);
        assert_eq!(map.rule(""), None);
    }

    #[test]
    fn it_is_known_where_no_rule_can_start() {
        let map = map();

        assert!(map.leaves('你') && !map.leaves('Ａ') && !map.leaves('e'));
        assert!(map.leaves_ascii(b'e') && !map.leaves_ascii(1));
    }

    #[test]
    fn no_rules_are_no_bytes() {
        assert_eq!(compile_charsmap([("", "x")]), Ok(Vec::new()));
    }
}
