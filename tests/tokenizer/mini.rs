//! The fixture vocabulary: small enough for the repository, with every kind of piece and rule.

use std::fs;

use weft_shared::tokenizer::{ChatGlmTokenizer, Revision, SpecialIds};

use crate::mini_vocabulary::mini_vocabulary;

fn mini() -> ChatGlmTokenizer {
    ChatGlmTokenizer::from_bytes(
        &fs::read(weft_tests::fixture("mini/checkpoint/ice_text.model")).unwrap(),
    )
    .unwrap()
}

#[test]
fn the_file_is_what_its_program_makes() {
    let file = fs::read(weft_tests::fixture("mini/checkpoint/ice_text.model")).unwrap();

    assert!(file == mini_vocabulary().unwrap(), "run the example make_mini_vocabulary");
}

#[test]
fn its_ids_are_those_of_the_mini_model() {
    let mini = mini();

    assert_eq!(mini.revision(), Revision::Main);
    assert_eq!(mini.vocab_size(), 320);
    assert_eq!(
        mini.special_ids(),
        SpecialIds { mask: 300, gmask: 301, sop: 304, eop: 305, pad: 3 }
    );
}

#[test]
fn a_greeting_has_pieces_of_its_own() {
    let encoding = mini().encode_with_special_tokens("问：你好\n答: hello");

    let tokens = ["▁", "问", ":", "你好", "<n>", "答", ":", "▁hello", "[gMASK]", "<sop>"];
    assert_eq!(encoding.tokens, tokens);
}

#[test]
fn everything_else_is_bytes() {
    let mini = mini();
    let encoding = mini.encode("帅👋");

    assert_eq!(encoding.tokens.len(), 1 + 3 + 4);
    assert_eq!(encoding.offsets[3], (0, 3));
    assert_eq!(encoding.offsets[7], (3, 7));
    assert_eq!(mini.decode(&encoding.ids), "帅👋");
}
