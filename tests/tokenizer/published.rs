//! Every line of the reference data: what the original Python tokenizer of each revision computes.

use std::fs;

use serde::Deserialize;
use weft_shared::tokenizer::{ChatGlmTokenizer, Revision};

/// One text and what became of it.
#[derive(Deserialize)]
struct Line {
    text: String,
    ids: Vec<u32>,
    ids_with_special: Vec<u32>,
    decoded: String,
}

#[test]
fn revision_096f3de_is_exact() {
    is_exact("096f3de", Revision::V096f3de);
}

#[test]
fn revision_main_is_exact() {
    is_exact("main", Revision::Main);
}

fn is_exact(name: &str, revision: Revision) {
    let Some(reference) = weft_tests::reference() else { return };
    let checkpoint = reference.join(format!("tiny_{name}/checkpoint"));
    let model = fs::read(checkpoint.join("ice_text.model")).unwrap();
    let published = ChatGlmTokenizer::from_bytes(&model).unwrap();
    let config = fs::read(checkpoint.join("tokenizer_config.json")).unwrap();
    let lines = fs::read_to_string(reference.join(format!("tokenizer_{name}.jsonl"))).unwrap();
    let lines: Vec<Line> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 400, "{} lines", lines.len());
    assert_eq!(published.revision(), revision);
    assert!(
        published.to_sentencepiece() == model,
        "the file that is written is not the one that was read"
    );

    for tokenizer in [
        published.with_config(&config).unwrap(),
        ChatGlmTokenizer::from_bytes(&published.to_bytes()).unwrap(),
        published,
    ] {
        for line in &lines {
            check(&tokenizer, line);
        }
    }
}

fn check(tokenizer: &ChatGlmTokenizer, line: &Line) {
    let text = line.text.as_str();
    assert_eq!(tokenizer.encode_ids(text), line.ids, "{text:?}");
    assert_eq!(tokenizer.encode_ids_with_special_tokens(text), line.ids_with_special, "{text:?}");
    assert_eq!(tokenizer.decode(&line.ids), line.decoded, "{text:?}");

    for (encoding, ids) in [
        (tokenizer.encode(text), &line.ids),
        (tokenizer.encode_with_special_tokens(text), &line.ids_with_special),
    ] {
        assert_eq!(&encoding.ids, ids, "{text:?}");
        let pieces: Vec<_> = ids.iter().map(|id| tokenizer.piece(*id).unwrap()).collect();
        assert_eq!(encoding.tokens, pieces, "{text:?}");
        assert_tiles(&encoding.offsets, text);
    }

    let mut stream = tokenizer.decode_stream();
    let mut streamed: String = line.ids.iter().filter_map(|id| stream.push(*id)).collect();
    streamed.extend(stream.finish());
    assert_eq!(streamed, line.decoded, "{text:?}");
}

fn assert_tiles(offsets: &[(usize, usize)], text: &str) {
    if offsets.is_empty() {
        return;
    }
    let starts = offsets.iter().map(|(start, _)| *start);
    let mut ends = offsets.iter().map(|(_, end)| *end);
    assert!(
        starts.clone().eq(std::iter::once(0).chain(ends.clone().take(offsets.len() - 1))),
        "{text:?}: {offsets:?}"
    );
    assert_eq!(ends.next_back(), Some(text.len()), "{text:?}");
    assert!(starts.chain([text.len()]).is_sorted(), "{text:?}");
}
