//! A double-array trie over the bytes of the pieces.
//!
//! The node that byte `b` leads to from a node with base `B` is `B ^ b`, and it holds `b` as its label if it is really
//! there. No two nodes share a base, so the label alone decides. (Aoe, "An Efficient Digital Search Algorithm by
//! Using a Double-Array Structure", 1989; the exclusive or is Yata's, in Darts-clone.)

use super::TokenizerError;

/// The most nodes that a 24-bit base reaches.
const MOST_NODES: usize = 1 << 24;
/// A byte that UTF-8 never contains: the label of nodes that are not there.
const NO_LABEL: u32 = 0xff;
/// Nodes are laid out in blocks of one base's reach.
const BLOCK: usize = 256;
/// Blocks behind the last one that are still searched for room.
const OPEN_BLOCKS: usize = 4;

/// The score of a node at which no piece ends.
pub(super) const NO_PIECE: f32 = f32::NEG_INFINITY;

/// One node: where its children are, by which byte it is reached, and the score of the piece that ends here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// Base of the children in the upper 24 bits, label in the lower 8.
    link: u32,
    /// The piece's score, or [`NO_PIECE`].
    pub(super) score: f32,
}

/// Finds which pieces a text starts with.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    /// Id of the piece that ends at each node.
    ids: Vec<u32>,
}

impl Trie {
    /// The trie of `pieces`: text, id and score.
    pub(super) fn new(mut pieces: Vec<(&str, u32, f32)>) -> Result<Self, TokenizerError> {
        pieces.sort_unstable_by_key(|(text, id, _)| (*text, *id));
        if let Some([one, other]) = pieces.array_windows().find(|[one, other]| one.0 == other.0) {
            let (id, found) = (other.1 as usize, format!("{:?}, as piece {}", one.0, one.1));
            return Err(TokenizerError::Piece { id, wanted: "a text of its own", found });
        }
        let mut builder = Builder::default();
        builder.grow()?;
        set(&mut builder.taken, 0);
        // The base of nodes without children, at which therefore nothing may be found.
        set(&mut builder.bases, 0);
        // Not recursive, since a damaged file may hold a very long piece.
        let mut waiting = vec![Branch { pieces: &pieces, depth: 0, node: 0 }];
        while let Some(branch) = waiting.pop() {
            builder.place(branch, &mut waiting)?;
        }
        Ok(Self { nodes: builder.nodes, ids: builder.ids })
    }

    /// The root: no byte read yet.
    pub(super) fn root(&self) -> Node {
        self.nodes.first().copied().unwrap_or(Node { link: NO_LABEL, score: NO_PIECE })
    }

    /// The node that `byte` leads to from `node`, and its index.
    #[inline]
    pub(super) fn step(&self, node: Node, byte: u8) -> Option<(usize, Node)> {
        let index = (node.link >> 8) as usize ^ usize::from(byte);
        let next = *self.nodes.get(index)?;
        (next.link & 0xff == u32::from(byte)).then_some((index, next))
    }

    /// How many nodes there is room for.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Id of the piece that ends at node `index`.
    #[inline]
    pub(super) fn id(&self, index: usize) -> u32 {
        self.ids[index]
    }

    /// Id of the piece that `text` is.
    pub(super) fn get(&self, text: &str) -> Option<u32> {
        let mut found = (0, self.root());
        for byte in text.bytes() {
            found = self.step(found.1, byte)?;
        }
        (found.1.score > NO_PIECE).then(|| self.ids[found.0])
    }
}

/// Places nodes into the first blocks with room for all of a node's children.
#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    ids: Vec<u32>,
    /// Which nodes are taken, one bit each.
    taken: Vec<u64>,
    /// Which bases are used, one bit each.
    bases: Vec<u64>,
}

/// Pieces that share their first `depth` bytes, which lead to `node`.
#[derive(Clone, Copy)]
struct Branch<'a> {
    pieces: &'a [(&'a str, u32, f32)],
    depth: usize,
    node: usize,
}

impl Builder {
    /// Places the children of a branch's node, and leaves their branches in `waiting`.
    fn place<'a>(
        &mut self,
        branch: Branch<'a>,
        waiting: &mut Vec<Branch<'a>>,
    ) -> Result<(), TokenizerError> {
        let Branch { mut pieces, depth, node } = branch;
        if let Some(((text, id, score), longer)) = pieces.split_first()
            && text.len() == depth
        {
            self.nodes[node].score = *score;
            self.ids[node] = *id;
            pieces = longer;
        }
        let label = |piece: &(&str, u32, f32)| piece.0.as_bytes()[depth];
        let groups = pieces.chunk_by(|a, b| label(a) == label(b));
        let Some(first) = pieces.first().map(label) else { return Ok(()) };
        let base = self.room(first, groups.clone().map(|group| label(&group[0])))?;
        set(&mut self.bases, base);
        self.nodes[node].link = (base as u32) << 8 | self.nodes[node].link & 0xff;
        for group in groups {
            let label = label(&group[0]);
            let child = base ^ usize::from(label);
            set(&mut self.taken, child);
            self.nodes[child].link = u32::from(label);
            waiting.push(Branch { pieces: group, depth: depth + 1, node: child });
        }
        Ok(())
    }

    /// A base that is unused and whose children's places are free.
    fn room(
        &mut self,
        first: u8,
        labels: impl Iterator<Item = u8> + Clone,
    ) -> Result<usize, TokenizerError> {
        let start = (self.nodes.len() / BLOCK).saturating_sub(OPEN_BLOCKS) * BLOCK;
        for word in start / 64..self.taken.len() {
            let mut free = !self.taken[word];
            while free != 0 {
                let place = word * 64 + free.trailing_zeros() as usize;
                free &= free - 1;
                let base = place ^ usize::from(first);
                if !get(&self.bases, base)
                    && labels.clone().all(|label| !get(&self.taken, base ^ usize::from(label)))
                {
                    return Ok(base);
                }
            }
        }
        let base = self.nodes.len();
        self.grow()?;
        Ok(base)
    }

    fn grow(&mut self) -> Result<(), TokenizerError> {
        let length = self.nodes.len() + BLOCK;
        if length > MOST_NODES {
            return Err(TokenizerError::TooLarge { found: length, most: MOST_NODES });
        }
        self.nodes.resize(length, Node { link: NO_LABEL, score: NO_PIECE });
        self.ids.resize(length, 0);
        self.taken.resize(length / 64, 0);
        self.bases.resize(length / 64, 0);
        Ok(())
    }
}

fn get(bits: &[u64], index: usize) -> bool {
    bits[index / 64] >> (index % 64) & 1 == 1
}

fn set(bits: &mut [u64], index: usize) {
    bits[index / 64] |= 1 << (index % 64);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(trie: &Trie, text: &str) -> Vec<(usize, u32)> {
        let mut found = Vec::new();
        let mut node = trie.root();
        for (at, byte) in text.bytes().enumerate() {
            let Some((index, next)) = trie.step(node, byte) else { break };
            if next.score > NO_PIECE {
                found.push((at + 1, trie.id(index)));
            }
            node = next;
        }
        found
    }

    #[test]
    fn every_piece_at_the_start_of_a_text_is_found() {
        let trie = Trie::new(vec![
            ("你好", 2, -1.0),
            ("你", 1, -2.0),
            ("你好吗", 3, -3.0),
            ("好", 4, -4.0),
        ])
        .unwrap();

        assert_eq!(prefixes(&trie, "你好吗?"), [(3, 1), (6, 2), (9, 3)]);
        assert_eq!(prefixes(&trie, "好"), [(3, 4)]);
        assert_eq!(prefixes(&trie, "吗"), []);
        assert_eq!(prefixes(&trie, "\0\u{7f}"), []);
    }

    #[test]
    fn a_piece_is_found_whole_or_not_at_all() {
        let trie = Trie::new(vec![("ab", 0, 0.0), ("abcd", 1, 0.0)]).unwrap();

        assert_eq!(trie.get("ab"), Some(0));
        assert_eq!(trie.get("abc"), None);
        assert_eq!(trie.get("abcd"), Some(1));
        assert_eq!(trie.get(""), None);
    }

    #[test]
    fn a_piece_without_longer_ones_leads_nowhere() {
        let all: Vec<String> = (1..128_u8).map(|byte| char::from(byte).to_string()).collect();
        let trie = Trie::new(all.iter().map(|text| (text.as_str(), 0, 0.0)).collect()).unwrap();

        for text in &all {
            assert!(
                all.iter().all(|next| trie.get(&format!("{text}{next}")).is_none()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn two_pieces_of_one_text_are_refused() {
        let error = Trie::new(vec![("b", 0, 0.0), ("a", 1, 0.0), ("b", 7, 0.0)]).unwrap_err();

        assert_eq!(error.to_string(), "piece 7: wanted a text of its own, found \"b\", as piece 0");
    }

    #[test]
    fn an_empty_trie_finds_nothing() {
        assert_eq!(prefixes(&Trie::new(Vec::new()).unwrap(), "a"), []);
    }
}
