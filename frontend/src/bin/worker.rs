//! The worker: tokenization beside the page, so that it never holds up typing.
//!
//! Only the message loop; what is answered is decided in [`weft_frontend::worker::bench`].

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};
use weft_frontend::worker::{Answer, bench::Bench, mail};

fn main() {
    console_error_panic_hook::set_once();
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();

    let mut bench = Bench::default();
    let desk = scope.clone();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let Some((request, buffer)) = mail::open(&event.data()) else { return };
        let bytes = buffer.map(|buffer| Uint8Array::new(&buffer).to_vec()).unwrap_or_default();
        let started_ms = now_ms(&desk);
        let mut answer = bench.answer(request, &bytes);
        if let Answer::Sampled(sampled) = &mut answer {
            sampled.took_ms = now_ms(&desk) - started_ms;
        }
        post(&desk, &answer);
    });
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();

    // The page waits for this: what it posts before would be lost.
    post(&scope, &Answer::Ready);
}

fn post(scope: &DedicatedWorkerGlobalScope, answer: &Answer) {
    if let Ok(json) = serde_json::to_string(answer) {
        // Fails only for values that cannot be cloned, which a string is not.
        let _ = scope.post_message(&JsValue::from_str(&json));
    }
}

fn now_ms(scope: &DedicatedWorkerGlobalScope) -> f64 {
    scope.performance().map_or(0.0, |clock| clock.now())
}
