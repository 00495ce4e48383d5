//! `weft chat`: one answer, or a conversation in the terminal.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    path::PathBuf,
    sync::Arc,
};

use serde_json::json;
use weft_shared::{pair::Turn, prompt::Templates};

use super::{
    common::{ComputeArgs, ModelArgs, TemplateArg},
    sampling::SamplingArgs,
};
use crate::{
    chat::{Answer, Chat},
    generation::{ChatMemory, Finish, GenerationError},
    lora::Adapter,
    model_dir::progress,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Answer with this adapter.
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,
    /// Answer this and end; without it, a conversation on the terminal.
    #[arg(long)]
    prompt: Option<String>,
    /// How a question without history is put: as the reference's chat does, or as pairs are trained.
    #[arg(long, value_enum, default_value = "chat")]
    template: TemplateArg,
    /// Most tokens of an answer.
    #[arg(long, default_value_t = 512)]
    max_tokens: usize,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Print one JSON object with text, ids and counts.
    #[arg(long)]
    json: bool,
}

impl Args {
    fn answer<'a>(
        &self,
        chat: Chat<'a>,
        history: &[Turn],
        question: &str,
    ) -> Result<Answer<'a>, GenerationError> {
        let sampling = self.sampling.options();
        chat.answer(history, question, self.template.into(), sampling, self.max_tokens)
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let dir = args.model.open()?;
    let tokenizer = dir.tokenizer()?;
    let (device, format) = args.compute.open()?;
    let model = dir.load_watched(format, &device, &progress::to_stderr())?;
    let adapter = match &args.adapter {
        Some(dir) => Some(Arc::new(Adapter::read(dir, model.config(), model.device())?)),
        None => None,
    };
    let templates = Templates::default();
    let memory = ChatMemory::new(&model);
    let chat = Chat {
        model: &model,
        memory: &memory,
        adapter: adapter.as_ref(),
        tokenizer: &tokenizer,
        templates: &templates,
    };

    let Some(prompt) = &args.prompt else { return converse(&args, chat) };
    let mut answer = args.answer(chat, &[], prompt)?;
    let text = write_out(&mut answer, !args.json)?;
    if args.json {
        let printed = json!({
            "text": text,
            "ids": answer.ids(),
            "prompt_ids": answer.prompt_ids(),
            "prompt_tokens": answer.prompt_ids().len(),
            "completion_tokens": answer.ids().len(),
            "finish_reason": match answer.finish() {
                Some(Finish::Length) => "length",
                _ => "stop",
            },
        });
        println!("{printed}");
    } else {
        println!();
    }
    Ok(())
}

/// Reads a question a line until the input ends; an empty line starts a new conversation.
fn converse(args: &Args, chat: Chat) -> anyhow::Result<()> {
    let mut history = Vec::new();
    let mut lines = io::stdin().lock().lines();
    loop {
        if io::stdin().is_terminal() {
            print!("> ");
            io::stdout().flush()?;
        }
        let Some(question) = lines.next().transpose()? else { return Ok(()) };
        if question.trim().is_empty() {
            history.clear();
            continue;
        }
        let mut answer = args.answer(chat, &history, &question)?;
        let text = write_out(&mut answer, true)?;
        println!();
        history.push(Turn::new(question, text));
    }
}

/// The whole answer; shown while it is written if `show`.
fn write_out(answer: &mut Answer, show: bool) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut screen = io::stdout().lock();
    while let Some(piece) = answer.next_text()? {
        if show {
            screen.write_all(piece.as_bytes())?;
            screen.flush()?;
        }
        text += &piece;
    }
    Ok(text)
}
