//! What the model answers to questions that it was not trained on.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use anyhow::Context as _;
use weft_shared::pair::Pair;

/// Exact answers and questions, by family, in each form of a prompt.
pub(super) struct Measured {
    /// Family, exact answers to the bare question, exact answers in the training form, questions.
    pub families: Vec<(String, usize, usize, usize)>,
}

/// Asks every held-out question without history, greedily.
pub(super) fn measure(weft: &Command, model: &Path, held_out: &Path) -> anyhow::Result<Measured> {
    let lines = fs::read_to_string(held_out)
        .with_context(|| format!("cannot read {}", held_out.display()))?;
    let pairs = lines.lines().map(serde_json::from_str::<Pair>).collect::<Result<Vec<_>, _>>()?;
    let pairs: Vec<Pair> = pairs.into_iter().filter(|it| it.history.is_empty()).collect();
    let [bare, training] = ["chat", "training"].map(|form| answers(weft, model, form, &pairs));
    let (bare, training) = (bare?, training?);

    let mut families: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for ((pair, bare), training) in pairs.iter().zip(&bare).zip(&training) {
        let family = pair.tags.first().map_or("", String::as_str);
        let counts = families.entry(family).or_default();
        counts.0 += usize::from(*bare == pair.answer);
        counts.1 += usize::from(*training == pair.answer);
        counts.2 += 1;
    }
    let families = families
        .into_iter()
        .map(|(family, (bare, training, questions))| (family.to_owned(), bare, training, questions))
        .collect();
    Ok(Measured { families })
}

/// The answers to all questions, through the conversation on the terminal: an empty line starts a new one.
fn answers(
    weft: &Command,
    model: &Path,
    form: &str,
    pairs: &[Pair],
) -> anyhow::Result<Vec<String>> {
    let mut chat = Command::new(weft.get_program());
    chat.args(["chat", "--greedy", "--max-tokens", "80", "--template", form, "--model"]).arg(model);
    let mut child = chat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("the chat has no input")?;
    let asked: String = pairs.iter().flat_map(|pair| [pair.question.as_str(), "\n\n"]).collect();
    let writer = thread::spawn(move || stdin.write_all(asked.as_bytes()));
    let output = child.wait_with_output()?;
    anyhow::ensure!(output.status.success(), "the chat ended with {}", output.status);
    let _ = writer.join();
    let answers: Vec<String> =
        String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect();
    anyhow::ensure!(answers.len() == pairs.len(), "an answer has several lines");
    Ok(answers)
}
