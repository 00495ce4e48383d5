//! The same answers in the browser and on the server: each test runs on both.
#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

use wasm_bindgen_test::wasm_bindgen_test;
use weft_shared::{
    dataset,
    pair::Pair,
    tokenizer::{ChatGlmTokenizer, Piece, PieceKind, SentencePieceModel},
};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test(unsupported = test)]
fn tokens_tile_the_text_on_both_sides() {
    let text = "你好 你\n🧵";

    let encoding = tokenizer().encode(text);

    let ends = encoding.offsets.iter().map(|&(_, end)| end);
    let starts = encoding.offsets.iter().map(|&(start, _)| start);
    assert!(starts.eq(std::iter::once(0).chain(ends).take(encoding.offsets.len())));
    assert_eq!(encoding.offsets.last().map(|&(_, end)| end), Some(text.len()));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_vocabulary_travels_in_its_own_form() {
    let sent = tokenizer();

    let arrived = ChatGlmTokenizer::from_bytes(&sent.to_bytes()).unwrap();

    assert_eq!(arrived.vocab_size(), sent.vocab_size());
    assert_eq!(arrived.encode("你好 你\n🧵"), sent.encode("你好 你\n🧵"));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_file_of_pairs_is_read_alike_on_both_sides() {
    let file = "{\"question\": \"你好\", \"answer\": \"你好!\"}\n{\"question\": 1}\n";

    let read = dataset::read(file.as_bytes(), None).unwrap();

    assert_eq!(read.pairs, [Pair::new("你好", "你好!")]);
    assert_eq!(read.problems.len(), 1);
    assert_eq!(read.problems[0].line, 2);
}

/// A vocabulary of a few pieces, in the form of the revision `096f3de`.
fn tokenizer() -> ChatGlmTokenizer {
    let normal = ["▁", "你", "好", "▁你", "▁你好"];
    let normal = normal.iter().zip(1u8..);
    let normal = normal.map(|(&text, rank)| Piece {
        text,
        score: -f32::from(rank),
        kind: PieceKind::Normal,
    });
    let unknown = Piece { text: "<unk>", score: 0.0, kind: PieceKind::Unknown };
    let new_line = Piece { text: "<n>", score: 0.0, kind: PieceKind::UserDefined };
    let padding = Piece { text: "<pad>", score: 0.0, kind: PieceKind::Control };
    let pieces = [unknown, new_line, padding].into_iter().chain(normal).collect();
    ChatGlmTokenizer::from_model(&SentencePieceModel { pieces, ..SentencePieceModel::default() })
        .unwrap()
}
