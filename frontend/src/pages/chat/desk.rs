//! The conversation at work: its state, the server that answers, and what is kept. One for all visits of the page, so
//! that a reply goes on being written, and is still there, when a person looks at another page.

mod keeping;
mod saving;

use std::{collections::HashMap, rc::Rc};

use futures_util::lock::Mutex;
use leptos::{html, prelude::*, task::spawn_local};
use web_sys::AbortController;
use weft_shared::api::{conversation::ConversationSummary, dataset::DatasetSummary};

use crate::{
    api::{self, CallError, chat::ChatError},
    remembered,
    server::{Server, use_server},
    state::{
        chat::{Conversation, Failure, Place, ReplyState},
        chat_settings::ChatSettings,
    },
};

const REMEMBERED_AS: &str = "weft-chat-settings";
/// Small enough for a number of JavaScript, and for a person to write down.
const SEEDS: f64 = 4_294_967_296.0;

/// Copies are of the same desk.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    pub(super) server: Server,
    pub(super) conversation: RwSignal<Conversation>,
    pub(super) conversations: RwSignal<Vec<ConversationSummary>>,
    pub(super) datasets: RwSignal<Vec<DatasetSummary>>,
    pub(super) settings: RwSignal<ChatSettings>,
    /// The adapter that answers; empty for the base.
    pub(super) adapter: RwSignal<String>,
    pub(super) is_compared: RwSignal<bool>,
    pub(super) draft: RwSignal<String>,
    pub(super) field: NodeRef<html::Textarea>,
    pub(super) trouble: RwSignal<Option<CallError>>,
    /// The reply that is being saved.
    pub(super) saving: RwSignal<Option<Place>>,
    /// Whether its pair is on its way.
    pub(super) is_saving: RwSignal<bool>,
    /// The reply that was saved last, and the dataset that it went to.
    pub(super) saved: RwSignal<Option<(Place, String)>>,
    /// Counts the conversations that were open since the page was loaded.
    opened: RwSignal<u64>,
    /// Under which id each of them is kept.
    kept_as: RwSignal<HashMap<u64, i64>>,
    /// One change of what is kept at a time, so that none of them is kept twice.
    keeping: StoredValue<Rc<Mutex<()>>, LocalStorage>,
    /// Counts the questions.
    asked: StoredValue<u64>,
    stops: StoredValue<Vec<AbortController>, LocalStorage>,
}

/// Puts the desk into the context.
pub(crate) fn provide() {
    let desk = Desk {
        server: use_server(),
        conversation: RwSignal::default(),
        conversations: RwSignal::default(),
        datasets: RwSignal::default(),
        settings: RwSignal::new(remembered::read_json(REMEMBERED_AS).unwrap_or_default()),
        adapter: RwSignal::default(),
        is_compared: RwSignal::new(false),
        draft: RwSignal::default(),
        field: NodeRef::new(),
        trouble: RwSignal::default(),
        saving: RwSignal::default(),
        is_saving: RwSignal::new(false),
        saved: RwSignal::default(),
        opened: RwSignal::new(0),
        kept_as: RwSignal::default(),
        keeping: StoredValue::new_local(Rc::default()),
        asked: StoredValue::new(0),
        stops: StoredValue::new_local(Vec::new()),
    };
    provide_context(desk);
    Effect::watch(
        move || desk.settings.get(),
        |settings, _, _| remembered::write_json(REMEMBERED_AS, settings),
        false,
    );
}

impl Desk {
    /// The person comes to the page, perhaps from a link to an adapter.
    pub(super) fn enter(adapter: Option<String>) -> Self {
        let desk: Self = expect_context();
        desk.trouble.set(None);
        desk.server.refresh_adapters();
        desk.refresh_conversations();
        if let Some(adapter) = adapter {
            // What another model said would be read by this one as its own words.
            let is_others = desk.conversation.with_untracked(|it| {
                it.last_model().is_some_and(|model| !model.ends_with(&format!(":{adapter}")))
            });
            if is_others {
                desk.new_conversation();
            }
            desk.adapter.set(adapter);
        }
        desk
    }

    /// Sends the draft.
    pub(super) fn send(self) {
        let question = self.draft.get_untracked().trim().to_owned();
        if question.is_empty() || self.conversation.with_untracked(Conversation::is_writing) {
            return;
        }
        self.with_models(move |models| {
            self.draft.set(String::new());
            self.ask(question, &models, self.given_seed());
        });
    }

    /// Asks the last question again, with another seed.
    pub(super) fn again(self, turn: usize) {
        let question =
            self.conversation.with_untracked(|it| Some(it.turns.get(turn)?.question.clone()));
        let Some(question) = question else { return };
        self.with_models(move |models| {
            self.conversation.update(|it| it.cut(turn));
            self.ask(question, &models, random_seed());
        });
    }

    /// Asks a changed question in the place of an earlier one, and of all that was said after it.
    pub(super) fn ask_instead(self, turn: usize, question: String) {
        self.with_models(move |models| {
            self.stop();
            self.conversation.update(|it| it.cut(turn));
            self.ask(question, &models, self.given_seed());
        });
    }

    /// Does something with the names of the models that are to answer, once the base's is known.
    fn with_models(self, then: impl FnOnce(Vec<String>) + 'static) {
        self.trouble.set(None);
        if let Some(base) =
            self.server.model.with_untracked(|it| it.as_ref().map(|it| it.name.clone()))
        {
            return then(self.models(base));
        }
        spawn_local(async move {
            match self.server.refresh_model().await {
                Ok(model) => then(self.models(model.name)),
                Err(error) => self.trouble.set(Some(error)),
            }
        });
    }

    /// `BASE`, or `BASE:ADAPTER`, or both.
    fn models(self, base: String) -> Vec<String> {
        let adapter = self.adapter.get_untracked();
        if adapter.is_empty() {
            return vec![base];
        }
        let adapted = format!("{base}:{adapter}");
        if self.is_compared.get_untracked() { vec![base, adapted] } else { vec![adapted] }
    }

    fn given_seed(self) -> u64 {
        self.settings.with_untracked(|it| it.seed).unwrap_or_else(random_seed)
    }

    fn ask(self, question: String, models: &[String], seed: u64) {
        self.saving.set(None);
        self.asked.update_value(|asked| *asked += 1);
        let asked = self.asked.get_value();
        let places = self.conversation.try_update(|it| it.ask(asked, question, models, seed));
        for place in places.unwrap_or_default() {
            self.write(place, seed);
        }
    }

    /// Ends what is being written, and keeps what came of it.
    pub(super) fn stop(self) {
        self.abort();
        if self.conversation.try_update(Conversation::stop) == Some(true) {
            self.keep();
        }
    }

    fn abort(self) {
        for stop in self.stops.try_update_value(std::mem::take).unwrap_or_default() {
            stop.abort();
        }
    }

    /// Lets one reply come.
    fn write(self, place: Place, seed: u64) {
        let Ok(stop) = AbortController::new() else { return };
        let signal = stop.signal();
        self.stops.update_value(|stops| stops.push(stop));
        let request = self.conversation.with_untracked(|it| {
            let model = it.get(place).map(|it| it.reply.model.clone()).unwrap_or_default();
            self.settings
                .with_untracked(|settings| settings.request(model, it.messages(place), seed))
        });
        spawn_local(async move {
            let started_ms = js_sys::Date::now();
            let ended = api::chat::stream(&request, &signal, |chunk| {
                self.conversation.update(|it| {
                    for choice in chunk.choices {
                        it.append(place, &choice.delta.content.unwrap_or_default());
                        if let Some(reason) = choice.finish_reason {
                            it.note_finish(place, reason);
                        }
                    }
                    if let Some(usage) = chunk.usage {
                        it.count(place, usage);
                    }
                });
            })
            .await;
            let state = match ended {
                Ok(()) => ReplyState::Done,
                Err(ChatError::Stopped) => ReplyState::Stopped,
                Err(ChatError::Unreachable) => ReplyState::Failed(Failure::Away),
                Err(ChatError::Refused { message, code }) => {
                    ReplyState::Failed(Failure::of_refusal(code.as_deref(), message))
                }
            };
            let took_ms = js_sys::Date::now() - started_ms;
            let is_whole = self
                .conversation
                .try_update(|it| it.end(place, state, took_ms) && !it.is_writing());
            if is_whole == Some(true) {
                self.stops.update_value(Vec::clear);
                self.keep();
            }
        });
    }

    /// Does something with the server, and says so where it fails.
    fn tell(self, work: impl Future<Output = Result<(), CallError>> + 'static) {
        self.trouble.set(None);
        spawn_local(async move {
            if let Err(error) = work.await {
                self.trouble.set(Some(error));
            }
        });
    }
}

fn random_seed() -> u64 {
    #[expect(clippy::cast_sign_loss, reason = "random gives 0 to below 1")]
    let seed = (js_sys::Math::random() * SEEDS) as u64;
    seed
}
