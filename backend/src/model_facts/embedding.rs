//! Why an embedding has more rows than there are tokens.

use super::text::grouped;
use crate::chatglm::{ChatGlmConfig, ModelRevision};

/// Pieces of text in both published vocabularies.
const TEXT: usize = 130_000;
/// `[MASK]`, `[gMASK]`, `[sMASK]`, `<unused_0>`, `<sop>`, `<eop>`, `<ENC>` and `<dBLOCK>`.
const SPECIAL: usize = 8;
/// A tab, and runs of 2 to 80 spaces.
const BLANKS: usize = 80;
const BYTES: usize = 256;
/// Before the text in `096f3de`.
const IMAGES: usize = 20_000;

/// The account of the rows; `tokens` as the vocabulary has them, or those of the published one where there is none.
pub(super) fn why(config: &ChatGlmConfig, tokens: Option<usize>) -> String {
    let rows = config.vocab_size;
    let (published_rows, images) = match config.revision {
        ModelRevision::V096f3de => (150_528, IMAGES),
        ModelRevision::Main => (130_528, 0),
    };
    let published_tokens = images + TEXT + SPECIAL + BLANKS + BYTES;
    let is_published = rows == published_rows && tokens.is_none_or(|it| it == published_tokens);
    if is_published {
        let images = match images {
            0 => String::new(),
            images => format!("{} image tokens, ", grouped(images as u64)),
        };
        let sum = match config.revision {
            ModelRevision::V096f3de => "150,528 = 147 x 1,024 is the next multiple of 1,024",
            ModelRevision::Main => {
                "130,528 = 150,528 - 20,000: the rows of revision 096f3de without its image tokens"
            }
        };
        return format!(
            "{} rows for {} tokens: {images}{} pieces of text, {SPECIAL} special tokens, {BLANKS} blanks (a tab, and \
             runs of 2 to 80 spaces) and {BYTES} bytes. No token names the other {} rows; {sum}.",
            grouped(rows as u64),
            grouped(published_tokens as u64),
            grouped(TEXT as u64),
            rows - published_tokens,
        );
    }
    match tokens {
        None => format!("{} rows.", grouped(rows as u64)),
        Some(tokens) => format!(
            "{} rows for {} tokens. No token names the other {} rows.",
            grouped(rows as u64),
            grouped(tokens as u64),
            grouped(rows.saturating_sub(tokens) as u64),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_rows_are_accounted_for() {
        let mut config = ChatGlmConfig::of_shape(28, 4096, 32, 150_528);
        let old = why(&config, None);
        assert!(old.starts_with("150,528 rows for 150,344 tokens: 20,000 image tokens, 130,000"));
        assert!(old.contains("the other 184 rows; 150,528 = 147 x 1,024"), "{old}");
        assert_eq!(why(&config, Some(150_344)), old);

        (config.vocab_size, config.revision) = (130_528, ModelRevision::Main);
        let new = why(&config, Some(130_344));
        assert!(
            new.starts_with("130,528 rows for 130,344 tokens: 130,000 pieces of text"),
            "{new}"
        );
        assert!(new.contains("the other 184 rows; 130,528 = 150,528 - 20,000"), "{new}");
    }

    #[test]
    fn of_other_vocabularies_only_the_numbers_are_said() {
        let config = ChatGlmConfig::of_shape(2, 16, 2, 320);

        assert_eq!(why(&config, None), "320 rows.");
        let counted = why(&config, Some(300));
        assert_eq!(counted, "320 rows for 300 tokens. No token names the other 20 rows.");
    }
}
