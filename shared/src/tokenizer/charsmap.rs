//! SentencePiece's `precompiled_charsmap`: which characters are rewritten, and to what.
//!
//! The bytes are a 32-bit length, a double-array trie of that many bytes (Darts-clone's layout), and the replacements,
//! each ended by a zero byte. A key of the trie may be several characters (a letter and its accents).

use super::TokenizerError;

/// Rules that rewrite the start of a text.
#[derive(Clone, Debug, Default)]
pub(super) struct CharacterMap {
    units: Vec<u32>,
    replacements: String,
    /// Characters of the basic plane at which no rule starts, one bit each.
    untouched: Vec<u64>,
    /// ASCII characters that stand for themselves before another ASCII character.
    untouched_ascii: u128,
}

impl CharacterMap {
    /// Reads the rules; no bytes are no rules.
    pub(super) fn new(bytes: &[u8]) -> Result<Self, TokenizerError> {
        let mut map = Self::default();
        if !bytes.is_empty() {
            (map.units, map.replacements) = read(bytes)?;
        }
        map.untouched = vec![u64::MAX; 0x1_0000 / 64];
        for code in map.first_characters() {
            map.untouched[code / 64] &= !(1 << (code % 64));
        }
        map.untouched_ascii = (0..128)
            .filter(|&byte| map.stands_before_ascii(byte))
            .fold(0, |set, byte| set | 1 << byte);
        Ok(map)
    }

    /// The longest rule that `text` starts with: length of what it covers, and what that becomes.
    pub(super) fn rule(&self, text: &str) -> Option<(usize, &str)> {
        let mut children = self.root()?;
        let mut longest = None;
        for (at, byte) in text.bytes().enumerate() {
            let Some((unit, next)) = self.child(children, byte) else { break };
            children = next;
            if unit.has_leaf() {
                longest = self.units.get(children).map(|leaf| (at + 1, Unit(*leaf).value()));
            }
        }
        let (length, value) = longest?;
        let replacement = self.replacements.get(value..).filter(|rest| !rest.is_empty())?;
        let end = replacement.find('\0').unwrap_or(replacement.len());
        text.is_char_boundary(length).then_some((length, &replacement[..end]))
    }

    /// Whether no rule starts with `character`, whatever follows.
    pub(super) fn leaves(&self, character: char) -> bool {
        let code = character as usize;
        self.untouched.get(code / 64).is_some_and(|word| word >> (code % 64) & 1 == 1)
    }

    /// Whether `byte` stands for itself when an ASCII character or nothing follows.
    #[inline]
    pub(super) fn leaves_ascii(&self, byte: u8) -> bool {
        byte < 128 && self.untouched_ascii >> byte & 1 == 1
    }

    /// Characters of the basic plane that a rule starts with.
    fn first_characters(&self) -> Vec<usize> {
        let mut found = Vec::new();
        let Some(root) = self.root() else { return found };
        for first in 0..0xf0 {
            let Some((_, children)) = self.child(root, first) else { continue };
            // The bits of the first byte, and how many bytes follow it (RFC 3629).
            let (bits, following) = match first {
                0..0x80 => (first, 0),
                0x80..0xe0 => (first & 0x1f, 1),
                _ => (first & 0x0f, 2),
            };
            let mut characters = vec![(usize::from(bits), children)];
            for _ in 0..following {
                let longer = |(code, children)| {
                    (0x80..0xc0).filter_map(move |byte| {
                        let (_, children) = self.child(children, byte)?;
                        Some((code << 6 | usize::from(byte & 0x3f), children))
                    })
                };
                characters = characters.into_iter().flat_map(longer).collect();
            }
            found.extend(characters.into_iter().map(|(code, _)| code));
        }
        found
    }

    fn stands_before_ascii(&self, byte: u8) -> bool {
        let Some((unit, children)) = self.root().and_then(|root| self.child(root, byte)) else {
            return true;
        };
        !unit.has_leaf() && (0..128).all(|next| self.child(children, next).is_none())
    }

    /// Where the first byte of a rule is looked up.
    fn root(&self) -> Option<usize> {
        self.units.first().map(|unit| Unit(*unit).offset())
    }

    /// The node that `byte` leads to from those at `children`, and where its own children are.
    fn child(&self, children: usize, byte: u8) -> Option<(Unit, usize)> {
        let node = children ^ usize::from(byte);
        let unit = Unit(*self.units.get(node)?);
        (unit.label() == u32::from(byte)).then_some((unit, node ^ unit.offset()))
    }
}

/// One cell of a Darts-clone trie.
#[derive(Clone, Copy)]
struct Unit(u32);

impl Unit {
    fn has_leaf(self) -> bool {
        self.0 >> 8 & 1 == 1
    }

    fn value(self) -> usize {
        (self.0 & 0x7fff_ffff) as usize
    }

    /// The byte that leads here; a leaf has a bit that no byte has.
    fn label(self) -> u32 {
        self.0 & 0x8000_00ff
    }

    fn offset(self) -> usize {
        ((self.0 >> 10) << ((self.0 & 0x200) >> 6)) as usize
    }
}

fn read(bytes: &[u8]) -> Result<(Vec<u32>, String), TokenizerError> {
    let wrong = |wanted, found| TokenizerError::CharacterMap { wanted, found };
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return Err(wrong("its length in 4 bytes", format!("{} bytes", bytes.len())));
    };
    let length = u32::from_le_bytes(*length) as usize;
    let Some((trie, replacements)) = rest.split_at_checked(length) else {
        return Err(wrong(
            "a trie as long as it says",
            format!("{} of {length} bytes", rest.len()),
        ));
    };
    let (units, []) = trie.as_chunks::<4>() else {
        return Err(wrong("whole trie cells of 4 bytes", format!("{length} bytes")));
    };
    let replacements = std::str::from_utf8(replacements)
        .map_err(|error| wrong("replacements in UTF-8", error.to_string()))?;
    Ok((units.iter().map(|unit| u32::from_le_bytes(*unit)).collect(), replacements.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_rules_every_character_stays() {
        let map = CharacterMap::new(&[]).unwrap();

        assert_eq!(map.rule("Ａ"), None);
        assert!(map.leaves('Ａ') && map.leaves_ascii(b'a'));
    }

    #[test]
    fn a_short_map_is_refused_with_its_length() {
        let error = CharacterMap::new(&[16, 0, 0, 0, 1, 2]).unwrap_err();

        assert_eq!(
            error.to_string(),
            "character map: wanted a trie as long as it says, found 2 of 16 bytes"
        );
    }
}
