//! Gives one answer to its reader, piece by piece, as the engine writes it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc::SyncSender},
};

use tokio::sync::mpsc;
use weft_shared::api::chat::Usage;

use super::{CompletionError, Piece, activity::Place, stop::StopTexts};
use crate::{
    engine::{Engine, Question},
    generation::Finish,
    lora::Adapter,
};

pub(super) struct Writer {
    pub(super) engine: Arc<Engine>,
    pub(super) adapter: Option<Arc<Adapter>>,
    pub(super) question: Question,
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
        let Self { engine, adapter, question, mut stop, place, begun, to } = self;
        let mut answer = engine.answer(&question, adapter.as_ref())?;
        place.count_prompt(answer.prompt_ids().len());
        // Whoever asked may be gone.
        let _ = begun.send(());

        let finish_reason = loop {
            if to.is_closed() {
                return Ok(());
            }
            if place.is_ending() {
                return Err(CompletionError::Ending);
            }
            let before = answer.ids().len();
            let piece = answer.next_text()?;
            place.count_written(answer.ids().len() - before);
            let (text, ended) = if let Some(piece) = piece {
                let passed = stop.push(&piece);
                (passed.text, passed.is_stopped.then_some("stop"))
            } else {
                let is_cut = answer.finish() == Some(Finish::Length);
                let reason = if is_cut { "length" } else { "stop" };
                (std::mem::take(&mut stop).finish(), Some(reason))
            };
            if !text.is_empty() && to.blocking_send(Ok(Piece::Text(text))).is_err() {
                return Ok(());
            }
            if let Some(reason) = ended {
                break reason;
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
