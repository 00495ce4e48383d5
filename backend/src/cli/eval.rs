//! `weft eval`: how many questions are answered as wanted, before and after.

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc};

use serde_json::{Value, json};
use weft_shared::{
    pair::Pair,
    prompt::Templates,
    score::{Score, Scores},
};

use super::common::{ComputeArgs, ModelArgs, TemplateArg, read_pairs};
use crate::{
    chat::Chat,
    evaluation::{Answered, evaluate},
    generation::ChatMemory,
    lora::Adapter,
    model_dir::progress,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Questions with the answers wanted, in any form that `weft dataset` reads.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Answer with this adapter too, and show both.
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,
    /// How a question without history is put: as pairs are trained, or as the reference's chat does.
    #[arg(long, value_enum, default_value = "training")]
    template: TemplateArg,
    /// Ask the first so many questions only.
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
    /// Most tokens of an answer.
    #[arg(long, value_name = "N", default_value = "64")]
    max_tokens: NonZeroUsize,
    /// Tell each wrong answer beside the wanted one, on the error stream.
    #[arg(long)]
    show_wrong: bool,
    /// Print one JSON object instead.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    // What can be wrong is read first: a large model takes its time.
    let mut pairs = read_pairs(&args.data)?;
    pairs.truncate(args.limit.map_or(usize::MAX, NonZeroUsize::get));
    let dir = args.model.open()?;
    let tokenizer = dir.tokenizer()?;
    let (device, format) = args.compute.open()?;
    let adapter = match &args.adapter {
        Some(adapter) => Some(Arc::new(Adapter::read(adapter, dir.config(), &device)?)),
        None => None,
    };
    let model = dir.load_watched(format, &device, &progress::to_stderr())?;

    let templates = Templates::default();
    let memory = ChatMemory::new(&model);
    let base = Chat {
        model: &model,
        memory: &memory,
        adapter: None,
        tokenizer: &tokenizer,
        templates: &templates,
    };
    let mut columns = vec![("base", args.ask(base, &pairs)?)];
    if let Some(adapter) = &adapter {
        columns.push(("adapter", args.ask(Chat { adapter: Some(adapter), ..base }, &pairs)?));
    }
    if args.json {
        println!("{}", as_json(&columns));
    } else {
        show(&columns);
    }
    Ok(())
}

impl Args {
    fn ask(&self, chat: Chat, pairs: &[Pair]) -> anyhow::Result<Scores> {
        let tell = |answered: &Answered| {
            if self.show_wrong && !answered.is_right {
                let Pair { question, answer, .. } = answered.pair;
                tracing::info!("{question}\n  wanted {answer:?}\n  found  {:?}", answered.answer);
            }
        };
        Ok(evaluate(chat, pairs, self.template.into(), self.max_tokens.get(), tell)?)
    }
}

fn as_json(columns: &[(&str, Scores)]) -> Value {
    let score = |score: &Score| {
        let (low, high) = score.interval();
        json!({ "right": score.right, "asked": score.asked, "share": score.share(), "interval": [low, high] })
    };
    let column = |scores: &Scores| {
        let families: serde_json::Map<String, Value> =
            scores.families.iter().map(|(name, it)| (name.clone(), score(it))).collect();
        json!({ "all": score(&scores.all), "families": families })
    };
    columns.iter().map(|(name, scores)| ((*name).to_owned(), column(scores))).collect()
}

/// A line a family: right of asked, and where the share lies with 95 % confidence.
fn show(columns: &[(&str, Scores)]) {
    let Some((_, first)) = columns.first() else { return };
    let names = first.families.keys().map(String::as_str);
    let lines = names.map(|name| (name, Some(name))).chain([("all", None)]);
    for (title, family) in lines {
        print!("{title:<24}");
        for (column, scores) in columns {
            let score = family.map_or(scores.all, |name| scores.families[name]);
            let (low, high) = score.interval();
            print!(
                "  {column} {:>5}/{:<5} {:>5.1} % ({:.1} to {:.1})",
                score.right,
                score.asked,
                100.0 * score.share(),
                100.0 * low,
                100.0 * high
            );
        }
        println!();
    }
}
