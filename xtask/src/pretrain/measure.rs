//! What the model answers to questions that it was not trained on, as `weft eval` counts it.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context as _;
use serde_json::Value;
use weft_shared::score::Score;

/// Right answers in each form of a prompt: as chat asks, and as pairs are trained.
pub(super) struct Measured {
    pub all: [Score; 2],
    pub families: BTreeMap<String, [Score; 2]>,
}

/// Asks every held-out question greedily.
pub(super) fn measure(weft: &Path, model: &Path, held_out: &Path) -> anyhow::Result<Measured> {
    let [bare, training] = ["chat", "training"].map(|form| evaluate(weft, model, form, held_out));
    let (bare, training) = (bare?, training?);
    let families = bare["families"].as_object().context("weft eval told no families")?;
    let families = families.iter().map(|(family, bare)| {
        Ok((family.clone(), [score(bare)?, score(&training["families"][family])?]))
    });
    Ok(Measured {
        all: [score(&bare["all"])?, score(&training["all"])?],
        families: families.collect::<anyhow::Result<_>>()?,
    })
}

/// The scores of the model in one form.
fn evaluate(weft: &Path, model: &Path, form: &str, data: &Path) -> anyhow::Result<Value> {
    let mut eval = Command::new(weft);
    eval.args(["eval", "--json", "--max-tokens", "100", "--template", form]);
    eval.arg("--model").arg(model).arg("--data").arg(data);
    let output = eval.stderr(Stdio::inherit()).output()?;
    anyhow::ensure!(output.status.success(), "weft eval ended with {}", output.status);
    let mut told: Value = serde_json::from_slice(&output.stdout)?;
    Ok(told["base"].take())
}

fn score(told: &Value) -> anyhow::Result<Score> {
    let number =
        |name: &str| told[name].as_u64().with_context(|| format!("a score has no {name:?}"));
    Ok(Score { right: number("right")? as usize, asked: number("asked")? as usize })
}
