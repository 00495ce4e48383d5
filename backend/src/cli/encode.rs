//! `weft encode`: pairs to training samples.

use serde::Serialize;
use weft_shared::{
    dataset,
    sample::{PositionIds, SampleEncoder},
};

use super::common::{EncodingArgs, ModelArgs};
use super::lines::answer_lines;

/// Reads pairs, one JSON object a line (`question` and `answer`, or any form that `weft dataset` reads), and
/// writes `{"input_ids", "labels", "position_ids", "context_length"}` lines.
///
/// `labels` are -100 where nothing is learned. `position_ids` are two lists, or one list for a model with
/// one-dimensional positions.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its `config.json` and vocabulary are read; weights are not needed.
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    encoding: EncodingArgs,
    /// Write the attention mask too: a list of rows, true where a token must not be seen, as in the original code.
    #[arg(long)]
    expand_mask: bool,
}

#[derive(Serialize)]
struct Line {
    input_ids: Vec<u32>,
    labels: Vec<i64>,
    position_ids: PositionIds,
    context_length: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    attention_mask: Option<Vec<Vec<bool>>>,
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let model = args.model.open()?;
    let tokenizer = model.tokenizer()?;
    let encoder = SampleEncoder::new(&tokenizer, args.encoding.options(model.config()))?;
    let mut cut = 0;
    let answered = answer_lines(|line| {
        let pair = dataset::pair_from_json_line(line).map_err(|error| error.to_string())?;
        let encoded = encoder.encode(&pair).map_err(|error| error.to_string())?;
        cut += usize::from(encoded.is_cut());
        let sample = encoded.sample;
        let attention_mask = args.expand_mask.then(|| sample.attention_mask().rows());
        Ok(Line {
            input_ids: sample.input_ids,
            labels: sample.labels,
            position_ids: sample.position_ids,
            context_length: sample.context_length,
            attention_mask,
        })
    })?;
    if cut > 0 {
        tracing::warn!("{cut} of {} pairs are cut; `weft dataset check` names them", answered.good);
    }
    anyhow::ensure!(answered.good > 0, "no usable pair");
    Ok(())
}
