//! Writes all answers of a server at once: one thread steps every chat that wants a token in one pass over the model.
//!
//! A chat joins between two steps, when its prompt is read, and leaves when it has ended or nobody listens any more. Tokens
//! go to whoever asked as fast as they are made: a slow reader has them waiting, and holds up nobody.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use super::Turns;
use crate::{
    chatglm::ChatGlm,
    generation::{Finish, Generation, GenerationError, Tokens, next_tokens},
    ops::MOST_CHATS,
};

/// How long chats have the device before a training run has its turn, from their first step on.
const SLICE: Duration = Duration::from_millis(20);

/// Hands answers to the thread that writes them.
#[derive(Debug)]
pub(super) struct Decoder {
    to: Sender<Chat>,
}

/// An answer that is being written, and who wants it.
struct Chat {
    generation: Generation,
    to: Sender<Written>,
}

/// What a step adds to an answer.
enum Written {
    Token(u32),
    /// The last one.
    End(Finish),
    Failed(GenerationError),
}

impl Decoder {
    /// Starts the thread, which ends when this is dropped and its last answer is written.
    pub(super) fn start(model: ChatGlm, turns: Arc<Turns>) -> io::Result<Self> {
        let (to, from) = channel();
        thread::Builder::new()
            .name("decoder".to_owned())
            .spawn(move || run(&model, &turns, &from))?;
        Ok(Self { to })
    }

    /// Has an answer written; dropped, what comes back ends the writing within a token.
    pub(super) fn write(&self, generation: Generation) -> impl Tokens + use<> {
        let (to, from) = channel();
        let prompt = generation.prompt().to_vec();
        // A thread that is no more lets go of `to`, and the answer says so.
        let _ = self.to.send(Chat { generation, to });
        Listener { from, prompt, answer: Vec::new(), end: None }
    }
}

fn run(model: &ChatGlm, turns: &Turns, from: &Receiver<Chat>) {
    let mut chats = Vec::new();
    loop {
        if chats.is_empty() {
            let Ok(chat) = from.recv() else { return };
            chats.push(chat);
        }
        let _turn = turns.take();
        let mut started: Option<Instant> = None;
        while !chats.is_empty() && started.is_none_or(|it| it.elapsed() < SLICE) {
            step(model, &mut chats);
            // Not before: the first token waits for what a GPU was given in the turn before, such as a step of training.
            started.get_or_insert_with(Instant::now);
            // One at a time, up to as many as fit a pass: its prompt takes a pass of its own, which the others wait for.
            if chats.len() < MOST_CHATS
                && let Ok(chat) = from.try_recv()
            {
                chats.push(chat);
            }
        }
    }
}

/// A token more for each chat.
fn step(model: &ChatGlm, chats: &mut Vec<Chat>) {
    let mut generations: Vec<_> = chats.iter_mut().map(|chat| &mut chat.generation).collect();
    let mut next = next_tokens(model, &mut generations).into_iter();
    chats.retain(|chat| {
        let written = match next.next() {
            Some(Ok(Some(token))) => Written::Token(token),
            Some(Ok(None)) => Written::End(chat.generation.finish().unwrap_or(Finish::Stop)),
            Some(Err(error)) => Written::Failed(error),
            None => Written::Failed(GenerationError::Broken),
        };
        let goes_on = matches!(written, Written::Token(_));
        // Whoever asked may be gone.
        chat.to.send(written).is_ok() && goes_on
    });
}

/// Hears what is written for one answer.
struct Listener {
    from: Receiver<Written>,
    prompt: Vec<u32>,
    answer: Vec<u32>,
    /// Why it ended, once it has.
    end: Option<Finish>,
}

impl Tokens for Listener {
    fn next_token(&mut self) -> Result<Option<u32>, GenerationError> {
        if self.end.is_some() {
            return Ok(None);
        }
        match self.from.recv() {
            Ok(Written::Token(token)) => {
                self.answer.push(token);
                Ok(Some(token))
            }
            Ok(Written::End(finish)) => {
                self.end = Some(finish);
                Ok(None)
            }
            Ok(Written::Failed(error)) => Err(error),
            Err(_) => Err(GenerationError::Broken),
        }
    }

    fn prompt(&self) -> &[u32] {
        &self.prompt
    }

    fn answer(&self) -> &[u32] {
        &self.answer
    }

    fn finish(&self) -> Option<Finish> {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};
    use weft_shared::tokenizer::SpecialIds;

    use super::*;
    use crate::{
        bench::Shape,
        generation::{ChatMemory, SamplingOptions},
    };

    const SPECIAL: SpecialIds = SpecialIds { mask: 91, gmask: 92, sop: 93, eop: 94, pad: 95 };

    fn model() -> ChatGlm {
        let shape = Shape { layers: 2, hidden: 32, heads: 2, vocab: 100 };
        shape.random(&Device::Cpu, DType::F32.into()).unwrap()
    }

    fn begin(model: &ChatGlm, tokens: u32) -> Generation {
        let prompt = (0..tokens).chain([SPECIAL.gmask, SPECIAL.sop]).collect();
        let sampling = SamplingOptions { seed: tokens.into(), ..SamplingOptions::default() };
        Generation::new(model, &ChatMemory::new(model), None, prompt, SPECIAL, sampling, 30)
            .unwrap()
    }

    fn read(mut tokens: impl Tokens) -> (Vec<u32>, Option<Finish>) {
        while tokens.next_token().unwrap().is_some() {}
        (tokens.answer().to_vec(), tokens.finish())
    }

    #[test]
    fn more_chats_than_fit_a_pass_are_each_written_as_alone() {
        let model = model();
        let decoder = Decoder::start(model.clone(), Arc::default()).unwrap();
        let lengths = || (0..MOST_CHATS as u32 + 6).map(|at| at % 80 + 1);

        let writing: Vec<_> = lengths().map(|it| decoder.write(begin(&model, it))).collect();

        for (length, written) in lengths().zip(writing) {
            assert_eq!(read(written), read(begin(&model, length).alone(&model)), "{length}");
        }
    }

    #[test]
    fn who_leaves_or_reads_nothing_holds_up_nobody() {
        let model = model();
        let decoder = Decoder::start(model.clone(), Arc::default()).unwrap();

        let unread = decoder.write(begin(&model, 9));
        drop(decoder.write(begin(&model, 5)));
        let other = decoder.write(begin(&model, 7));

        assert_eq!(read(other), read(begin(&model, 7).alone(&model)));
        drop(decoder);
        assert_eq!(read(unread), read(begin(&model, 9).alone(&model)), "what is begun is ended");
    }

    #[test]
    fn a_turn_of_somebody_else_is_waited_for() {
        let model = model();
        let turns = Arc::<Turns>::default();
        let turn = turns.take();
        let decoder = Decoder::start(model.clone(), turns.clone()).unwrap();
        let mut written = decoder.write(begin(&model, 3));
        // Weights are random: the first token may well be the answer's end.
        let wanted = begin(&model, 3).alone(&model).next_token().unwrap();

        thread::scope(|scope| {
            let first = scope.spawn(move || written.next_token().unwrap());
            thread::sleep(Duration::from_millis(30));
            assert!(!first.is_finished());
            drop(turn);
            assert_eq!(first.join().unwrap(), wanted);
        });
    }
}
