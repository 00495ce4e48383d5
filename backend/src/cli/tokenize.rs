//! `weft tokenize`: texts to token ids and back.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use weft_shared::tokenizer::Encoding;

use super::lines::answer_lines;
use crate::{hub, model_dir};

/// Reads `{"text": …}` lines and writes `{"ids", "tokens", "offsets", "decoded"}` lines.
///
/// `offsets` are the bytes of the text that each token covers; `decoded` is what the ids read as.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A vocabulary such as `ice_text.model`, or a model as in the other commands: a folder, a hub id or `embedded`.
    #[arg(long, value_name = "PATH")]
    tokenizer: PathBuf,
    /// Add the tokens that a sequence ends with, [gMASK] and <sop>.
    #[arg(long)]
    with_special: bool,
}

#[derive(Deserialize)]
struct Line {
    text: String,
}

#[derive(Serialize)]
struct Tokens {
    #[serde(flatten)]
    encoding: Encoding,
    decoded: String,
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let tokenizer = if args.tokenizer.exists() {
        model_dir::tokenizer(&args.tokenizer)?
    } else {
        model_dir::tokenizer(&hub::resolve(&args.tokenizer.to_string_lossy())?)?
    };
    let answered = answer_lines(|line| {
        let Line { text } = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let encoding = if args.with_special {
            tokenizer.encode_with_special_tokens(&text)
        } else {
            tokenizer.encode(&text)
        };
        let decoded = tokenizer.decode(&encoding.ids);
        Ok(Tokens { encoding, decoded })
    })?;
    anyhow::ensure!(answered.good > 0 || answered.bad == 0, "no line has a `text`");
    Ok(())
}
