//! A conversation: questions, replies that are being written, and what is said again when the next question is asked.

mod reply;

use weft_shared::{
    api::{
        chat::{Message, Role, Usage},
        conversation::{ChatTurn, ConversationContent, Reply},
    },
    pair,
};

pub use self::reply::{Failure, LiveReply, ReplyState};

/// Characters of the first question that become the title.
const TITLE: usize = 40;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversation {
    /// Given by the person; otherwise it is the first question.
    pub title: Option<String>,
    pub turns: Vec<Turn>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    /// Tells it apart from every other turn, also from those that were in its place before.
    pub asked: u64,
    pub question: String,
    /// One, or several side by side.
    pub replies: Vec<LiveReply>,
}

/// Where a reply is. What comes late for a turn that is gone finds no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub turn: usize,
    pub asked: u64,
    pub reply: usize,
}

impl Conversation {
    /// Asks one question of each model. The places are of the replies that are to be written.
    pub fn ask(
        &mut self,
        asked: u64,
        question: String,
        models: &[String],
        seed: u64,
    ) -> Vec<Place> {
        let turn = self.turns.len();
        let replies = models.iter().map(|model| LiveReply::begun(model.clone(), seed)).collect();
        self.turns.push(Turn { asked, question, replies });
        (0..models.len()).map(|reply| Place { turn, asked, reply }).collect()
    }

    /// Takes a turn and all behind it out.
    pub fn cut(&mut self, turn: usize) {
        self.turns.truncate(turn);
    }

    /// What a model is sent so that it answers at `place`: of each earlier turn its own reply, else the first.
    pub fn messages(&self, place: Place) -> Vec<Message> {
        let message = |role, content: String| Message { role, content };
        let said = self.history(place).into_iter();
        let mut messages: Vec<Message> = said
            .flat_map(|turn| {
                [message(Role::User, turn.question), message(Role::Assistant, turn.answer)]
            })
            .collect();
        let question = self.turns.get(place.turn).map(|turn| turn.question.clone());
        messages.extend(question.map(|question| message(Role::User, question)));
        messages
    }

    /// What was said before a turn, as the model of a reply heard it. Questions without an answer are left out: two
    /// would follow each other.
    pub fn history(&self, place: Place) -> Vec<pair::Turn> {
        let model = self.get(place).map(|it| it.reply.model.as_str()).unwrap_or_default();
        let heard = |turn: &Turn| {
            let own = turn.replies.iter().find(|it| it.reply.model == model);
            let said = own.or(turn.replies.first()).filter(|it| !it.reply.text.is_empty())?;
            Some(pair::Turn::new(turn.question.clone(), said.reply.text.clone()))
        };
        self.turns.iter().take(place.turn).filter_map(heard).collect()
    }

    pub fn get(&self, place: Place) -> Option<&LiveReply> {
        let turn = self.turns.get(place.turn).filter(|turn| turn.asked == place.asked)?;
        turn.replies.get(place.reply)
    }

    /// The reply at a place, as long as it is being written.
    fn writing(&mut self, place: Place) -> Option<&mut LiveReply> {
        let turn = self.turns.get_mut(place.turn).filter(|turn| turn.asked == place.asked)?;
        let reply = turn.replies.get_mut(place.reply)?;
        (reply.state == ReplyState::Streaming).then_some(reply)
    }

    pub fn append(&mut self, place: Place, text: &str) {
        if let Some(reply) = self.writing(place) {
            reply.reply.text += text;
        }
    }

    pub fn count(&mut self, place: Place, usage: Usage) {
        if let Some(reply) = self.writing(place) {
            reply.usage = Some(usage);
        }
    }

    /// Why the model ended: `stop` or `length`.
    pub fn note_finish(&mut self, place: Place, reason: String) {
        if let Some(reply) = self.writing(place) {
            reply.reply.finish_reason = Some(reason);
        }
    }

    /// Nothing more comes. Says whether that was news.
    pub fn end(&mut self, place: Place, state: ReplyState, took_ms: f64) -> bool {
        let writing = self.writing(place);
        writing.map(|reply| reply.end(state, Some(took_ms))).is_some()
    }

    /// Nothing more is waited for. Says whether something was.
    pub fn stop(&mut self) -> bool {
        let replies = self.turns.iter_mut().flat_map(|turn| &mut turn.replies);
        let mut is_news = false;
        for reply in replies.filter(|it| it.state == ReplyState::Streaming) {
            reply.end(ReplyState::Stopped, None);
            is_news = true;
        }
        is_news
    }

    pub fn is_writing(&self) -> bool {
        let mut replies = self.turns.iter().flat_map(|turn| &turn.replies);
        replies.any(|reply| reply.state == ReplyState::Streaming)
    }

    /// Whether the last reply came to its end, and not to a failure.
    pub fn is_answered(&self) -> bool {
        let mut last = self.turns.iter().rev().take(1).flat_map(|turn| &turn.replies);
        last.any(|it| matches!(it.state, ReplyState::Done | ReplyState::Stopped))
    }

    /// The model that answered last.
    pub fn last_model(&self) -> Option<&str> {
        Some(self.turns.last()?.replies.last()?.reply.model.as_str())
    }

    /// What is kept of it: turns with a reply that has words.
    pub fn content(&self) -> ConversationContent {
        let kept = |turn: &Turn| {
            let replies: Vec<Reply> = turn
                .replies
                .iter()
                .filter(|it| !it.reply.text.is_empty())
                .map(|it| it.reply.clone())
                .collect();
            (!replies.is_empty()).then(|| ChatTurn { question: turn.question.clone(), replies })
        };
        ConversationContent {
            title: self.title(),
            turns: self.turns.iter().filter_map(kept).collect(),
        }
    }

    /// Its own, or the begin of the first question.
    pub fn title(&self) -> String {
        let first = || {
            let question = self.turns.first().map(|turn| turn.question.trim()).unwrap_or_default();
            let line = question.lines().next().unwrap_or_default();
            let short: String = line.chars().take(TITLE).collect();
            if short.len() < line.len() { format!("{short}…") } else { short }
        };
        self.title.clone().unwrap_or_else(first)
    }

    /// One that was kept; `asked` as in [`Turn`].
    pub fn from_content(content: ConversationContent, asked: u64) -> Self {
        let turn = |turn: ChatTurn| Turn {
            asked,
            question: turn.question,
            replies: turn.replies.into_iter().map(LiveReply::kept).collect(),
        };
        Self { title: Some(content.title), turns: content.turns.into_iter().map(turn).collect() }
    }
}

/// The adapter in a model's name: empty for the base; `None` where the name is of another base.
pub fn adapter_of<'a>(model: &'a str, base: &str) -> Option<&'a str> {
    let rest = model.strip_prefix(base)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix(':') }
}

/// A dataset's name that is not taken: the wanted one, or that with a number behind it.
pub fn free_name<'a>(wanted: &str, taken: impl Iterator<Item = &'a str>) -> String {
    let taken: Vec<&str> = taken.collect();
    let numbered = (2..).map(|number| format!("{wanted} {number}"));
    let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
    names.find(|name| !taken.contains(&name.as_str())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn ask(conversation: &mut Conversation, asked: u64, question: &str) -> Place {
        conversation.ask(asked, question.into(), &models(&["base"]), 7)[0]
    }

    /// A conversation in which each reply of the first turn has been written.
    fn answered() -> Conversation {
        let mut conversation = Conversation::default();
        for place in conversation.ask(1, "q".into(), &models(&["base", "base:a"]), 7) {
            let text = if place.reply == 0 { "from base" } else { "from a" };
            conversation.append(place, text);
            conversation.end(place, ReplyState::Done, 10.0);
        }
        conversation
    }

    #[test]
    fn each_model_hears_its_own_replies_again() {
        let mut conversation = answered();

        let places = conversation.ask(2, "r".into(), &models(&["base", "base:a", "base:b"]), 8);

        let heard = |place| conversation.messages(place)[1].content.clone();
        assert_eq!(
            places.into_iter().map(heard).collect::<Vec<_>>(),
            ["from base", "from a", "from base"]
        );
    }

    #[test]
    fn a_question_that_got_no_answer_is_not_said_again() {
        let mut conversation = Conversation::default();
        let place = ask(&mut conversation, 1, "lost");
        conversation.end(place, ReplyState::Failed(Failure::Away), 1.0);
        assert!(!conversation.is_answered());

        let place = ask(&mut conversation, 2, "again");

        let said = conversation.messages(place);
        assert_eq!(said.len(), 1);
        assert_eq!((said[0].role, said[0].content.as_str()), (Role::User, "again"));
    }

    #[test]
    fn what_comes_after_a_stop_is_not_added() {
        let mut conversation = Conversation::default();
        let place = ask(&mut conversation, 1, "q");
        conversation.append(place, "so");

        assert!(conversation.stop());
        conversation.append(place, " late");

        let reply = conversation.get(place).unwrap();
        assert_eq!(reply.reply.text, "so");
        assert_eq!(reply.reply.finish_reason.as_deref(), Some("cancelled"));
        assert!(!conversation.is_writing());
        assert!(!conversation.stop());
    }

    #[test]
    fn what_comes_late_for_a_turn_that_was_asked_again_is_dropped() {
        let mut conversation = Conversation::default();
        let old = ask(&mut conversation, 1, "q");
        conversation.cut(0);
        let new = ask(&mut conversation, 2, "better q");

        conversation.append(old, "late");
        let is_news = conversation.end(old, ReplyState::Stopped, 1.0);

        assert!(!is_news);
        assert_eq!(conversation.get(new).unwrap().reply.text, "");
        assert!(conversation.is_writing());
    }

    #[test]
    fn a_kept_conversation_comes_back() {
        let conversation = answered();

        let again = Conversation::from_content(conversation.content(), 9);

        assert_eq!(again.content(), conversation.content());
        assert_eq!(again.title(), "q");
        assert_eq!(again.last_model(), Some("base:a"));
    }

    #[test]
    fn a_title_is_the_begin_of_the_first_question() {
        let mut conversation = Conversation::default();
        ask(&mut conversation, 1, &format!("{}\nmore", "长".repeat(50)));

        assert_eq!(conversation.title(), format!("{}…", "长".repeat(40)));
    }

    #[test]
    fn a_models_name_says_its_adapter() {
        assert_eq!(adapter_of("glm:tea", "glm"), Some("tea"));
        assert_eq!(adapter_of("glm", "glm"), Some(""));
        assert_eq!(adapter_of("glm-6b:tea", "glm"), None);
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        assert_eq!(free_name("Chat", ["Tea"].into_iter()), "Chat");
        assert_eq!(free_name("Chat", ["Chat", "Chat 2"].into_iter()), "Chat 3");
    }
}
