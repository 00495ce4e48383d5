//! One reply, while it is written and after.

use weft_shared::api::{chat::Usage, conversation::Reply};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveReply {
    pub reply: Reply,
    pub state: ReplyState,
    pub usage: Option<Usage>,
    /// From the question to the end.
    pub took_ms: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ReplyState {
    Streaming,
    #[default]
    Done,
    /// By the person.
    Stopped,
    Failed(Failure),
}

/// Why a reply was not written to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server did not answer, or went away in the middle.
    Away,
    /// The server has no model, or no adapter, of this name any more.
    NoModel,
    /// What was said is longer than the model can read.
    TooLong,
    /// Anything else, in the server's words.
    Refused(String),
}

impl Failure {
    /// From the words of the server, and its code for programs.
    pub fn of_refusal(code: Option<&str>, message: String) -> Self {
        match code {
            Some("model_not_found") => Self::NoModel,
            Some("context_length_exceeded") => Self::TooLong,
            _ => Self::Refused(message),
        }
    }
}

impl ReplyState {
    /// For tests and styles.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Streaming => "streaming",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed(_) => "failed",
        }
    }
}

impl LiveReply {
    /// One that is about to be written.
    pub(super) fn begun(model: String, seed: u64) -> Self {
        let reply = Reply { model, seed: Some(seed), ..Reply::default() };
        Self { reply, state: ReplyState::Streaming, ..Self::default() }
    }

    /// One that was kept.
    pub(super) fn kept(reply: Reply) -> Self {
        let was_stopped = reply.finish_reason.as_deref() == Some("cancelled");
        let state = if was_stopped { ReplyState::Stopped } else { ReplyState::Done };
        Self { reply, state, ..Self::default() }
    }

    pub(super) fn end(&mut self, state: ReplyState, took_ms: Option<f64>) {
        if state == ReplyState::Stopped {
            self.reply.finish_reason = Some("cancelled".to_owned());
        }
        self.took_ms = took_ms;
        self.state = state;
    }

    /// Whether the reply was ended by the longest that was asked for.
    pub fn is_cut(&self) -> bool {
        self.reply.finish_reason.as_deref() == Some("length")
    }

    /// Once it is known.
    pub fn tokens_per_second(&self) -> Option<f64> {
        let (usage, took_ms) = (self.usage?, self.took_ms?);
        (took_ms > 0.0).then(|| usage.completion_tokens as f64 * 1000.0 / took_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_known_once_tokens_and_time_are() {
        let usage = Usage { completion_tokens: 30, ..Usage::default() };
        let mut reply = LiveReply { usage: Some(usage), ..LiveReply::default() };
        assert_eq!(reply.tokens_per_second(), None);

        reply.end(ReplyState::Done, Some(1500.0));

        assert_eq!(reply.tokens_per_second(), Some(20.0));
    }

    #[test]
    fn refusals_that_a_person_can_mend_are_known_by_their_code() {
        let of = |code| Failure::of_refusal(code, "words".into());

        assert_eq!(of(Some("model_not_found")), Failure::NoModel);
        assert_eq!(of(Some("context_length_exceeded")), Failure::TooLong);
        assert_eq!(of(None), Failure::Refused("words".into()));
    }
}
