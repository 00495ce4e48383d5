//! Templates: `[a|b|]` is one of several texts, `{name}` a place that is filled.

use rand::{Rng, seq::IndexedRandom as _};

/// The template with one of the texts chosen in every bracket; brackets may stand in brackets.
pub(super) fn choose(template: &str, rng: &mut impl Rng) -> String {
    let mut chosen = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('[') {
        chosen += &rest[..open];
        let Some(length) = closing(&rest[open..]) else { break };
        let options = split(&rest[open + 1..open + length]);
        let option = options.choose(rng).copied().unwrap_or("");
        chosen += &choose(option, rng);
        rest = &rest[open + length + 1..];
    }
    chosen + rest
}

/// Where the bracket that `text` starts with is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, character)| {
        match character {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}

/// The texts of a bracket.
fn split(inside: &str) -> Vec<&str> {
    let (mut options, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, character) in inside.char_indices() {
        match character {
            '[' => depth += 1,
            ']' => depth -= 1,
            '|' if depth == 0 => {
                options.push(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    options.push(&inside[start..]);
    options
}

/// The template with its places filled; a place without a value stays.
pub(super) fn fill<V: AsRef<str>>(template: &str, values: &[(&str, V)]) -> String {
    let mut filled = template.to_owned();
    for (name, value) in values {
        filled = filled.replace(&format!("{{{name}}}"), value.as_ref());
    }
    filled
}

/// The names of the places in a template, in their order.
pub(super) fn places(template: &str) -> Vec<&str> {
    template.split('{').skip(1).filter_map(|it| it.split_once('}')).map(|it| it.0).collect()
}

/// A paragraph of a data file: an answer, and the ways to ask for it.
pub(super) struct Block<'a> {
    pub answer: &'a str,
    pub questions: Vec<&'a str>,
    /// How it is asked after the same was asked of something else.
    pub follow_ups: Vec<&'a str>,
}

/// The paragraphs of a data file: the first line is the answer, `& ` starts a follow-up, `#` a comment.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    text.split("\n\n")
        .filter_map(|paragraph| {
            let mut lines = paragraph.lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
            let answer = lines.next()?;
            let (follow_ups, questions): (Vec<&str>, Vec<&str>) =
                lines.partition(|it| it.starts_with("& "));
            let follow_ups = follow_ups.iter().map(|it| &it[2..]).collect();
            Some(Block { answer, questions, follow_ups })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn every_choice_is_made() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);

        let chosen: BTreeSet<_> = (0..99).map(|_| choose("[a|[b|]c|]-[x]", &mut rng)).collect();

        assert_eq!(chosen.into_iter().collect::<Vec<_>>(), ["-x", "a-x", "bc-x", "c-x"]);
    }

    #[test]
    fn places_are_filled_by_name() {
        assert_eq!(places("{a} of {b}"), ["a", "b"]);
        assert_eq!(fill("{a} of {b}, {c}", &[("a", "1"), ("b", "2")]), "1 of 2, {c}");
    }

    #[test]
    fn a_paragraph_is_an_answer_and_its_questions() {
        let blocks = blocks("# x\n\nyes\nis it\n& and now\n\nno\nisn't it\n");

        assert_eq!(blocks.len(), 2);
        assert_eq!((blocks[0].answer, blocks[0].questions.as_slice()), ("yes", &["is it"][..]));
        assert_eq!(blocks[0].follow_ups, ["and now"]);
    }
}
