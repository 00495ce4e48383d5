//! What holds for every text, every sequence of ids and every damaged file.

use std::sync::OnceLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::sentencepiece::SentencePieceModel;
use super::{ChatGlmTokenizer, Revision};

/// The fixture vocabulary, in the layout of `main`.
const MINI: &[u8] = include_bytes!("../../../tests/fixtures/mini/checkpoint/ice_text.model");

/// The fixture vocabulary in both layouts: `096f3de` has the text pieces alone in its file.
fn tokenizers() -> &'static [ChatGlmTokenizer; 2] {
    static TOKENIZERS: OnceLock<[ChatGlmTokenizer; 2]> = OnceLock::new();
    TOKENIZERS.get_or_init(|| {
        let mut model = SentencePieceModel::read(MINI).unwrap();
        let main = ChatGlmTokenizer::from_model(&model).unwrap();
        model.pieces.truncate(44);
        model.trainer.byte_fallback = false;
        let old = ChatGlmTokenizer::from_model(&model).unwrap();
        assert_eq!([main.revision(), old.revision()], [Revision::Main, Revision::V096f3de]);
        [main, old]
    })
}

/// Text of everything that a step treats in its own way.
fn text() -> impl Strategy<Value = String> {
    let odd = select(vec![
        " ",
        "  ",
        "   ",
        "\t",
        "\n",
        "\r\n",
        "\u{3000}",
        "\u{a0}",
        "\u{1}",
        "\u{1c}",
        "\u{200b}",
        "▁",
        "e\u{301}",
        "½",
        "…",
        "㍿",
        "Ａ",
        "①",
        "👋",
        "帅",
        "你好",
        "问：",
        "hello",
        "Round",
        "[MASK]",
        "[gMASK]",
        "<sop>",
        "</s>",
        "<eop>",
        "<pad>",
        "<unk>",
        "<n>",
        "<|tab|>",
        "<|blank_3|>",
        "<|blank_",
        "<0x41>",
        "<image_3>",
        " .",
        " ' ",
        " n't",
        "<",
    ]);
    let part = prop_oneof![
        4 => odd.prop_map(str::to_owned),
        1 => "\\PC{1,4}",
        1 => " {2,100}",
        1 => any::<char>().prop_map(String::from),
    ];
    vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn offsets_tile_the_text(text in text()) {
        for tokenizer in tokenizers() {
            for encoding in [tokenizer.encode(&text), tokenizer.encode_with_special_tokens(&text)] {
                prop_assert_eq!(encoding.ids.len(), encoding.offsets.len());
                prop_assert_eq!(encoding.ids.len(), encoding.tokens.len());
                let covered: String = encoding.offsets.iter().map(|&(start, end)| &text[start..end]).collect();
                prop_assert!(encoding.ids.is_empty() || covered == text, "{:?}", encoding.offsets);
            }
        }
    }

    #[test]
    fn the_quick_way_gives_the_same_ids(text in text()) {
        for tokenizer in tokenizers() {
            prop_assert_eq!(tokenizer.encode_ids(&text), tokenizer.encode(&text).ids);
            prop_assert_eq!(
                tokenizer.encode_ids_with_special_tokens(&text),
                tokenizer.encode_with_special_tokens(&text).ids
            );
        }
    }

    #[test]
    fn the_trace_ends_at_the_tokens(text in text()) {
        for tokenizer in tokenizers() {
            let trace = tokenizer.trace(&text);
            let last = trace.steps.last().unwrap();
            let pieces: String = last.parts.iter().map(|part| part.text.as_str()).collect();
            let bytes = tokenizer.decode(&trace.encoding.ids);
            prop_assert_eq!(&trace.encoding, &tokenizer.encode(&text));
            prop_assert!(last.parts.len() <= trace.encoding.ids.len(), "{pieces:?} {bytes:?}");
        }
    }

    #[test]
    fn a_stream_gives_what_decoding_at_once_gives(ids in vec(prop_oneof![0..320_u32, 20_000..20_390_u32, any::<u32>()], 0..40)) {
        for tokenizer in tokenizers() {
            let mut stream = tokenizer.decode_stream();
            let mut streamed: String = ids.iter().filter_map(|id| stream.push(*id)).collect();
            streamed.extend(stream.finish());
            prop_assert_eq!(streamed, tokenizer.decode(&ids));
        }
    }

    #[test]
    fn text_that_is_streamed_arrives_whole(text in text()) {
        for tokenizer in tokenizers() {
            let ids = tokenizer.encode_ids(&text);
            let mut stream = tokenizer.decode_stream();
            let mut streamed: String = ids.iter().filter_map(|id| stream.push(*id)).collect();
            streamed.extend(stream.finish());
            prop_assert_eq!(streamed, tokenizer.decode(&ids));
        }
    }

    #[test]
    fn what_is_written_is_read_back(text in text()) {
        for tokenizer in tokenizers() {
            for bytes in [tokenizer.to_bytes(), tokenizer.to_sentencepiece()] {
                let again = ChatGlmTokenizer::from_bytes(&bytes).unwrap();
                prop_assert_eq!(again.encode(&text), tokenizer.encode(&text));
                prop_assert_eq!(again.vocab_size(), tokenizer.vocab_size());
            }
        }
    }

    #[test]
    fn a_damaged_file_is_an_error_or_a_tokenizer(
        changes in vec((any::<Index>(), any::<u8>()), 1..8),
        length in any::<Index>(),
        text in text(),
    ) {
        for mut bytes in [MINI.to_vec(), tokenizers()[0].to_bytes()] {
            for (place, byte) in &changes {
                let place = place.index(bytes.len());
                bytes[place] = *byte;
            }
            if changes.len() > 4 {
                bytes.truncate(length.index(bytes.len()));
            }
            if let Ok(tokenizer) = ChatGlmTokenizer::from_bytes(&bytes) {
                tokenizer.decode(&tokenizer.encode(&text).ids);
            }
        }
    }

    #[test]
    fn any_bytes_are_an_error_or_a_tokenizer(bytes in vec(any::<u8>(), 0..200)) {
        let _ = ChatGlmTokenizer::from_bytes(&bytes);
    }
}
