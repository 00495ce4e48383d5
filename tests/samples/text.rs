//! Samples and prompts of the reference data, from their texts.

use weft_shared::pair::{Pair, Turn};
use weft_shared::prompt::Templates;
use weft_shared::sample::{Encoded, SampleEncoder, SampleError, SampleOptions, Truncation};
use weft_shared::tokenizer::ChatGlmTokenizer;

use super::{published, tokenizers};

#[test]
fn samples_are_encoded_as_the_original_does() {
    for (tokenizer, golden) in published() {
        let encoder = SampleEncoder::new(&tokenizer, SampleOptions::default()).unwrap();
        for wanted in &golden.samples {
            let encoded = encoder.encode(&Pair::new(&wanted.question, &wanted.answer)).unwrap();

            assert_eq!(encoded.sample.input_ids, wanted.input_ids);
            assert_eq!(encoded.sample.labels, wanted.labels);
            assert_eq!(encoded.sample.position_ids, wanted.position_ids);
            assert_eq!(encoded.sample.context_length, wanted.context_len);
            assert!(!encoded.is_cut());
        }
    }
}

#[test]
fn chat_prompts_are_the_original_ones() {
    for (tokenizer, golden) in published() {
        for wanted in &golden.generate {
            let prompt = Templates::default().chat_prompt(&wanted.history, &wanted.query);

            assert_eq!(prompt, wanted.prompt);
            assert_eq!(tokenizer.encode_ids_with_special_tokens(&prompt), wanted.prompt_ids);
        }
    }
}

#[test]
fn a_pair_with_history_is_trained_on_what_chat_sends() {
    for tokenizer in tokenizers() {
        let history = vec![Turn::new("你好", "你好!"), Turn::new("who?", "me")];
        let pair = Pair { history: history.clone(), ..Pair::new("1+1 = ?", "2") };

        let sample = encode(&tokenizer, &pair, Truncation::Drop).unwrap().sample;

        let prompt = Templates::default().chat_prompt(&history, "1+1 = ?");
        let prompt = tokenizer.encode_ids_with_special_tokens(&prompt);
        assert_eq!(sample.input_ids[..prompt.len()], prompt);
        assert_eq!(sample.learned(), sample.len() - prompt.len());
    }
}

#[test]
fn truncation_never_cuts_the_separator() {
    for tokenizer in tokenizers() {
        let alone = Pair::new("你好 who ".repeat(200), "me ".repeat(600));
        let in_a_conversation = Pair { history: vec![Turn::new("谁?", "我.")], ..alone.clone() };
        let separator = tokenizer.encode_ids_with_special_tokens("\n答: ");
        // A text of its own begins with a space token; inside a conversation there is none.
        let chat_separator = &tokenizer.encode_ids_with_special_tokens("\n答：")[1..];
        for (pair, ending) in [(&alone, &separator[..]), (&in_a_conversation, chat_separator)] {
            for truncation in [Truncation::End, Truncation::Front] {
                let encoded = encode(&tokenizer, pair, truncation).unwrap();

                let prompt = encoded.sample.len() - encoded.sample.learned();
                assert_eq!(prompt, 200 + 2);
                assert_eq!(encoded.sample.input_ids[prompt - ending.len()..prompt], *ending);
                assert_eq!(encoded.sample.learned(), 500 + 1);
                assert!(encoded.question.is_cut() && encoded.answer.is_cut());
            }
            let dropped = encode(&tokenizer, pair, Truncation::Drop);
            assert!(matches!(dropped, Err(SampleError::TooLong { .. })));
        }
    }
}

#[test]
fn options_that_leave_no_room_are_refused() {
    let tokenizer = &tokenizers()[0];
    let no_question = SampleOptions { max_source_length: 1, ..SampleOptions::default() };
    let no_answer = SampleOptions { max_target_length: 0, ..SampleOptions::default() };

    assert!(matches!(
        SampleEncoder::new(tokenizer, no_question).err().unwrap(),
        SampleError::NoRoomForQuestion { max_source_length: 1, .. }
    ));
    assert_eq!(
        SampleEncoder::new(tokenizer, no_answer).err().unwrap(),
        SampleError::NoRoomForAnswer
    );
}

fn encode(
    tokenizer: &ChatGlmTokenizer,
    pair: &Pair,
    truncation: Truncation,
) -> Result<Encoded, SampleError> {
    let options = SampleOptions { truncation, ..SampleOptions::default() };
    SampleEncoder::new(tokenizer, options).unwrap().encode(pair)
}
