//! The Unigram model: of all ways to cut a text into pieces, the most probable one.
//!
//! As `unigram::Model::EncodeOptimized` of SentencePiece 0.2.3, down to the rounding: scores are added in 32-bit
//! floats, and of two ways with one score the one found first stays. Releases up to 0.2.1 score user-defined pieces
//! otherwise and compare in 64 bits; beside them 2 of the 458 reference lines would come out differently.

use super::TokenizerError;
use super::sentencepiece::PieceKind;
use super::trie::{NO_PIECE, Trie};
use super::vocabulary::{Vocabulary, in_text};

/// What a character without a piece costs, beyond the least probable piece.
const UNKNOWN_PENALTY: f32 = 10.0;
/// Sums beyond this are set back to zero, since only differences count.
const LARGEST_SUM: f32 = 100_000.0;

/// One piece of a segmentation: bytes of the text, and the piece's number or [`UNKNOWN`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) piece: u32,
}

/// The piece of a character that has none.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Scores of all pieces, by text.
#[derive(Clone, Debug)]
pub(super) struct Unigram {
    trie: Trie,
    /// Score of a character without a piece.
    unknown_score: f32,
}

/// The best way to reach a byte of the text.
#[derive(Clone, Copy)]
struct Best {
    /// Sum of the scores of the pieces up to here.
    score: f32,
    /// Where the last piece starts, or [`UNREACHED`].
    start: u32,
    /// Trie node of the last piece, or [`UNKNOWN`].
    node: u32,
}

const UNREACHED: u32 = u32::MAX;

impl Unigram {
    /// The model of a vocabulary's normal and user-defined pieces.
    pub(super) fn new(vocabulary: &Vocabulary) -> Result<Self, TokenizerError> {
        let pieces = (0_u32..)
            .zip(vocabulary.pieces())
            .filter(|(_, piece)| in_text(piece.kind))
            .map(|(id, piece)| match piece.kind {
                PieceKind::UserDefined => (piece.text, id, user_defined_score(piece.text.len())),
                _ => (piece.text, id, piece.score),
            })
            .collect();
        let least_score = vocabulary
            .pieces()
            .filter(|piece| piece.kind == PieceKind::Normal)
            .map(|piece| piece.score)
            .fold(f32::MAX, f32::min);
        Ok(Self { trie: Trie::new(pieces)?, unknown_score: least_score - UNKNOWN_PENALTY })
    }

    /// Number of the piece that `text` is.
    pub(super) fn get(&self, text: &str) -> Option<u32> {
        self.trie.get(text)
    }

    /// The most probable segmentation of normalized text; its steps follow each other without gaps.
    pub(super) fn segment(&self, text: &str) -> Vec<Step> {
        let best = self.best_ways(text.as_bytes());
        let mut steps = Vec::with_capacity(text.len() / 3 + 1);
        let mut end = text.len();
        while end > 0 {
            let Best { start, node, .. } = best[end];
            let piece = if node == UNKNOWN { UNKNOWN } else { self.trie.id(node as usize) };
            steps.push(Step { start, end: end as u32, piece });
            end = start as usize;
        }
        steps.reverse();
        steps
    }

    /// For each byte of the text, the best way to it, if pieces end there.
    fn best_ways(&self, text: &[u8]) -> Vec<Best> {
        let mut best = vec![Best { score: 0.0, start: UNREACHED, node: UNKNOWN }; text.len() + 1];
        let mut farthest = 0;
        let mut start = 0;
        while start < text.len() {
            if best[start].score.abs() > LARGEST_SUM {
                set_back(&mut best[start..=farthest]);
            }
            let score_here = best[start].score;
            let character = character_length(text[start]).min(text.len() - start);
            let mut character_has_piece = false;
            let mut node = self.trie.root();
            for (end, &byte) in (start + 1..).zip(&text[start..]) {
                let Some((index, next)) = self.trie.step(node, byte) else { break };
                node = next;
                if node.score > NO_PIECE {
                    farthest = farthest.max(end);
                    improve(&mut best[end], node.score + score_here, start, index as u32);
                    character_has_piece |= end - start == character;
                }
            }
            if !character_has_piece {
                let end = start + character;
                farthest = farthest.max(end);
                improve(&mut best[end], self.unknown_score + score_here, start, UNKNOWN);
            }
            start += character;
        }
        best
    }
}

#[inline]
fn improve(best: &mut Best, score: f32, start: usize, node: u32) {
    if best.start == UNREACHED || score > best.score {
        *best = Best { score, start: start as u32, node };
    }
}

/// Takes the first score from all that are reached.
fn set_back(best: &mut [Best]) {
    let offset = best[0].score;
    for (number, best) in best.iter_mut().enumerate() {
        if number == 0 || best.start != UNREACHED {
            best.score -= offset;
        }
    }
}

/// More than any normal piece has, and more the longer the piece is.
fn user_defined_score(length: usize) -> f32 {
    // In 64 bits first, as SentencePiece computes it.
    (0.1_f64 * (length as f64 - 1.0)) as f32
}

/// Bytes of the character that starts with `byte`.
fn character_length(byte: u8) -> usize {
    match byte {
        0..0xc0 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
    }
}
