//! `weft dataset`: files of pairs, converted, checked and measured.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Subcommand;
use serde::Serialize;
use weft_shared::{
    dataset::{
        self, DatasetStats, Finding, Form, LengthStats, Problem, Read, check_fit, check_text,
    },
    sample::{DatasetDigest, DigestBuilder, Fit, SampleEncoder, SampleError},
};

use super::common::{EncodingArgs, ModelArgs};
use super::lines::print;
use crate::atomic;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write the pairs of a file in another form.
    ///
    /// Forms: weft-jsonl, weft-json, alpaca-json, alpaca-jsonl, sharegpt-json, sharegpt-jsonl, messages-jsonl,
    /// messages-json, csv, tsv; and weft, alpaca, sharegpt and messages for the first of each.
    Convert {
        #[command(flatten)]
        file: FileArgs,
        /// The form to write; found from --output's ending unless given.
        #[arg(long, value_name = "FORM")]
        to: Option<Form>,
        /// Where to write; standard output unless given.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// One pair for every answer of a conversation, not only for the last.
        #[arg(long)]
        every_answer: bool,
    },
    /// Tell what is wrong or doubtful: records that cannot be read, empty texts, duplicates, special tokens in the
    /// text, and with --model also texts that are too long.
    Check {
        #[command(flatten)]
        file: FileArgs,
        #[command(flatten)]
        model: Option<ModelArgs>,
        #[command(flatten)]
        encoding: EncodingArgs,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
        /// Fail if anything is found.
        #[arg(long)]
        strict: bool,
    },
    /// Tell how many tokens questions and answers have, and the digest of the encoded dataset.
    Stats {
        #[command(flatten)]
        file: FileArgs,
        #[command(flatten)]
        model: ModelArgs,
        #[command(flatten)]
        encoding: EncodingArgs,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct FileArgs {
    /// Pairs in any form.
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// The form of the file; found from its content unless given.
    #[arg(long, value_name = "FORM")]
    from: Option<Form>,
}

impl FileArgs {
    fn read(&self) -> anyhow::Result<Read> {
        let bytes =
            fs::read(&self.path).with_context(|| format!("cannot read {}", self.path.display()))?;
        dataset::read(&bytes, self.from).with_context(|| format!("{}", self.path.display()))
    }
}

pub(super) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Convert { file, to, output, every_answer } => {
            convert(&file, to, output.as_deref(), every_answer)
        }
        Command::Check { file, model, encoding, json, strict } => {
            check(&file, model.as_ref(), &encoding, json, strict)
        }
        Command::Stats { file, model, encoding, json } => stats(&file, &model, &encoding, json),
    }
}

fn convert(
    file: &FileArgs,
    to: Option<Form>,
    output: Option<&Path>,
    every_answer: bool,
) -> anyhow::Result<()> {
    let form = to
        .or_else(|| output.and_then(Path::extension)?.to_str()?.parse().ok())
        .context("which form to write? --to names it")?;
    let read = file.read()?;
    for problem in &read.problems {
        tracing::warn!("{}: {problem}", file.path.display());
    }
    let pairs = if every_answer {
        read.pairs.iter().flat_map(weft_shared::pair::Pair::every_answer).collect()
    } else {
        read.pairs
    };
    let mut losing = pairs.iter().filter_map(|pair| form.loses(pair));
    if let Some(what) = losing.next() {
        tracing::warn!("{form} cannot hold {what}: left out of {} pairs", losing.count() + 1);
    }

    let bytes = dataset::write(&pairs, form)?;
    match output {
        Some(path) => atomic::write_file(path, &bytes)?,
        None => print(&bytes)?,
    }
    tracing::info!("{} pairs from {} to {form}", pairs.len(), read.form);
    Ok(())
}

/// What `check` found.
#[derive(Serialize)]
struct Report {
    form: Form,
    pairs: usize,
    problems: Vec<Problem>,
    findings: Vec<FindingAt>,
}

/// A finding with the line that its pair starts on.
#[derive(Serialize)]
struct FindingAt {
    line: usize,
    #[serde(flatten)]
    finding: Finding,
}

fn check(
    file: &FileArgs,
    model: Option<&ModelArgs>,
    encoding: &EncodingArgs,
    json: bool,
    strict: bool,
) -> anyhow::Result<()> {
    let read = file.read()?;
    let mut findings = check_text(&read.pairs);
    if let Some(model) = model {
        for (pair, (question, answer)) in
            encode(&read, model, encoding)?.fits.into_iter().enumerate()
        {
            findings.extend(check_fit(question, answer).map(|kind| Finding { pair, kind }));
        }
    }
    findings.sort_by_key(|finding| finding.pair);
    let findings: Vec<_> = findings
        .into_iter()
        .map(|finding| FindingAt { line: read.lines[finding.pair], finding })
        .collect();

    let report =
        Report { form: read.form, pairs: read.pairs.len(), problems: read.problems, findings };
    print(&if json { serde_json::to_vec(&report)? } else { in_words(&report, &read.lines) })?;
    let found = report.problems.len() + report.findings.len();
    anyhow::ensure!(!strict || found == 0, "{found} things found");
    Ok(())
}

fn in_words(report: &Report, lines: &[usize]) -> Vec<u8> {
    use weft_shared::dataset::FindingKind;

    let problems = report.problems.iter().map(|problem| (problem.line, problem.reason.to_string()));
    let findings = report.findings.iter().map(|at| {
        // A person looks for a line, not for the number of a pair.
        let text = match at.finding.kind {
            FindingKind::Duplicate { of } => format!("the same as line {}", lines[of]),
            ref kind => kind.to_string(),
        };
        (at.line, text)
    });
    let mut found: Vec<_> = problems.chain(findings).collect();
    found.sort();
    let mut lines: Vec<String> =
        found.iter().map(|(line, text)| format!("line {line}: {text}")).collect();
    lines.push(format!(
        "{} pairs ({}), {} records that cannot be used, {} findings\n",
        report.pairs,
        report.form,
        report.problems.len(),
        report.findings.len()
    ));
    lines.join("\n").into_bytes()
}

/// How the pairs of a file fit, and what they are encoded.
struct Measured {
    fits: Vec<(Fit, Fit)>,
    /// Pairs that give a sample.
    samples: usize,
    digest: DatasetDigest,
}

fn encode(read: &Read, model: &ModelArgs, encoding: &EncodingArgs) -> anyhow::Result<Measured> {
    let model = model.open()?;
    let tokenizer = model.tokenizer()?;
    let encoder = SampleEncoder::new(&tokenizer, encoding.options(model.config()))?;
    let mut fits = Vec::new();
    let mut samples = 0;
    let mut digest = DigestBuilder::default();
    for pair in &read.pairs {
        match encoder.encode(pair) {
            Ok(encoded) => {
                samples += 1;
                digest.add(&encoded.sample);
                fits.push((encoded.question, encoded.answer));
            }
            Err(SampleError::TooLong { question, answer }) => fits.push((question, answer)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Measured { fits, samples, digest: digest.finish() })
}

/// What `stats` tells.
#[derive(Serialize)]
struct Summary {
    form: Form,
    #[serde(flatten)]
    stats: DatasetStats,
    /// Pairs that give a sample; fewer than all only with `--truncation drop`.
    samples: usize,
    digest: DatasetDigest,
}

fn stats(
    file: &FileArgs,
    model: &ModelArgs,
    encoding: &EncodingArgs,
    json: bool,
) -> anyhow::Result<()> {
    let read = file.read()?;
    for problem in &read.problems {
        tracing::warn!("{}: {problem}", file.path.display());
    }
    let measured = encode(&read, model, encoding)?;
    let summary = Summary {
        form: read.form,
        stats: DatasetStats::of(&measured.fits),
        samples: measured.samples,
        digest: measured.digest,
    };
    if json {
        return print(&serde_json::to_vec(&summary)?);
    }
    let Summary { form, stats, samples, digest } = summary;
    let row = |name: &str, length: LengthStats| {
        let LengthStats { total, mean, min, median, p90, p99, max } = length;
        format!("{name:<10}{min:>8}{median:>8}{mean:>8.1}{p90:>8}{p99:>8}{max:>8}{total:>12}\n")
    };
    let text = format!(
        "{} pairs ({form}), {samples} samples, digest {digest}\n\n\
         {:<10}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>12}\n{}{}\n\
         {} questions and {} answers are too long; {} answer tokens are over the limit\n",
        stats.pairs,
        "tokens",
        "min",
        "median",
        "mean",
        "90 %",
        "99 %",
        "max",
        "total",
        row("question", stats.question),
        row("answer", stats.answer),
        stats.long_questions,
        stats.long_answers,
        stats.answer_tokens_over,
    );
    print(text.as_bytes())
}
