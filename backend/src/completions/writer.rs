//! Writes one answer, a slice at a time, so that several are written fairly.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc::SyncSender},
    time::{Duration, Instant},
};

use tokio::sync::mpsc;
use weft_shared::api::chat::Usage;

use super::{CompletionError, Piece, activity::Place, request::Asked, stop::StopTexts};
use crate::{
    chat::{Chat, Template},
    engine::Engine,
    generation::Finish,
    lora::Adapter,
};

/// How long an answer has the device before others have their turn; at least one token.
const SLICE: Duration = Duration::from_millis(20);

pub(super) struct Writer {
    pub(super) engine: Arc<Engine>,
    pub(super) adapter: Option<Arc<Adapter>>,
    pub(super) template: Template,
    pub(super) asked: Asked,
    pub(super) stop: StopTexts,
    pub(super) place: Place,
    /// Told when the request is found to be one that can be answered.
    pub(super) begun: SyncSender<()>,
    pub(super) to: mpsc::Sender<Result<Piece, CompletionError>>,
}

impl Writer {
    /// Writes to the end, or until nobody reads.
    pub(super) fn write(self) {
        let to = self.to.clone();
        let error = match catch_unwind(AssertUnwindSafe(|| self.write_pieces())) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            // What it was has been printed by the panic.
            Err(_) => CompletionError::Broken,
        };
        // Whoever asked may be gone.
        let _ = to.blocking_send(Err(error));
    }

    fn write_pieces(self) -> Result<(), CompletionError> {
        let Self { engine, adapter, template, asked, mut stop, place, begun, to } = self;
        let chat = Chat {
            model: engine.model(),
            adapter: adapter.as_deref(),
            tokenizer: engine.tokenizer(),
            templates: engine.templates(),
        };
        let Asked { history, question, sampling, max_tokens } = asked;
        let mut answer = chat.answer(&history, &question, template, sampling, max_tokens)?;
        place.count_prompt(answer.prompt_ids().len());
        // Whoever asked may be gone.
        let _ = begun.send(());

        let finish_reason = 'answer: loop {
            let mut text = String::new();
            let mut ended = None;
            let turn = engine.turns().take();
            let started = Instant::now();
            while ended.is_none() && started.elapsed() < SLICE {
                if to.is_closed() {
                    return Ok(());
                }
                if place.is_ending() {
                    return Err(CompletionError::Ending);
                }
                let before = answer.ids().len();
                let piece = answer.next_text()?;
                place.count_written(answer.ids().len() - before);
                let Some(piece) = piece else {
                    ended = Some(match answer.finish() {
                        Some(Finish::Length) => "length",
                        _ => "stop",
                    });
                    break;
                };
                let passed = stop.push(&piece);
                text += &passed.text;
                if passed.is_stopped {
                    ended = Some("stop");
                    stop = StopTexts::default();
                }
            }
            // A slow reader holds up nobody else.
            drop(turn);
            if ended.is_some() {
                text += &std::mem::take(&mut stop).finish();
            }
            if !text.is_empty() && to.blocking_send(Ok(Piece::Text(text))).is_err() {
                return Ok(());
            }
            if let Some(reason) = ended {
                break 'answer reason;
            }
        };
        let (prompt_tokens, completion_tokens) = (answer.prompt_ids().len(), answer.ids().len());
        let usage = Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens + completion_tokens,
        };
        // Whoever asked may be gone.
        let _ = to.blocking_send(Ok(Piece::End { finish_reason, usage }));
        Ok(())
    }
}
