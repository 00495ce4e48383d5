//! Any bytes are a tokenizer or a clear error, and a tokenizer survives any text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use weft_shared::tokenizer::ChatGlmTokenizer;

fuzz_target!(|data: &[u8]| {
    let Ok(tokenizer) = ChatGlmTokenizer::from_bytes(data) else { return };
    let text = "[MASK] 你好\n\t  e\u{301}½\u{1}👋 <|blank_2|>▁";
    let ids = tokenizer.encode_ids_with_special_tokens(text);
    assert_eq!(tokenizer.encode_with_special_tokens(text).ids, ids);
    tokenizer.decode(&ids);
    let again = ChatGlmTokenizer::from_bytes(&tokenizer.to_bytes()).expect("what was written is read");
    assert_eq!(again.encode_ids_with_special_tokens(text), ids);
});
