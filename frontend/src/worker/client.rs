//! The page's end of the worker.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use futures_channel::oneshot;
use js_sys::{Array, ArrayBuffer};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{MessageEvent, Worker};

use super::{Answer, Request, mail};

/// A message, and what it hands over with it.
type Message = (Array, Array);

/// A running worker; clones talk to the same one. It answers one request after the other, in their order.
#[derive(Clone)]
pub struct Client {
    worker: Worker,
    /// What was posted before the worker listened; `None` from then on.
    waiting: Rc<RefCell<Option<Vec<Message>>>>,
    /// Who asked, oldest first.
    asking: Rc<RefCell<VecDeque<oneshot::Sender<Answer>>>>,
}

impl Client {
    /// Starts the worker that `index.html` names. `None` where the browser will not.
    pub fn start() -> Option<Self> {
        let worker = Worker::new(&script()?).ok()?;
        let client = Self {
            worker: worker.clone(),
            waiting: Rc::new(RefCell::new(Some(Vec::new()))),
            asking: Rc::default(),
        };

        let listener = client.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let answer = event.data().as_string().and_then(|json| serde_json::from_str(&json).ok());
            match answer {
                Some(Answer::Ready) => listener.send_waiting(),
                Some(answer) => listener.hand_over(answer),
                None => {}
            }
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        // The worker lives as long as the page.
        on_message.forget();
        Some(client)
    }

    /// What the worker makes of a request; the buffer is moved and empty afterwards. `None` where the worker broke.
    pub async fn ask(&self, request: &Request, buffer: Option<&ArrayBuffer>) -> Option<Answer> {
        let letter = mail::seal(request, buffer)?;
        let (sender, answer) = oneshot::channel();
        self.asking.borrow_mut().push_back(sender);
        let held_back = match self.waiting.borrow_mut().as_mut() {
            Some(waiting) => {
                waiting.push(letter);
                None
            }
            None => Some(letter),
        };
        if let Some(letter) = held_back {
            self.post(&letter);
        }
        answer.await.ok()
    }

    fn hand_over(&self, answer: Answer) {
        let asking = self.asking.borrow_mut().pop_front();
        if let Some(asking) = asking {
            // Whoever asked may have left the page.
            let _ = asking.send(answer);
        }
    }

    fn send_waiting(&self) {
        for letter in self.waiting.borrow_mut().take().unwrap_or_default() {
            self.post(&letter);
        }
    }

    fn post(&self, (message, moved): &(Array, Array)) {
        // Fails only for values that cannot be cloned, and neither JSON nor buffers are such.
        let _ = self.worker.post_message_with_transfer(message, moved);
    }
}

fn script() -> Option<String> {
    let meta = web_sys::window()?.document()?.query_selector("meta[name=weft-worker]").ok()??;
    meta.get_attribute("content")
}
