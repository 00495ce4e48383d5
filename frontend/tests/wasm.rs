//! The worker's part of the page, in a browser.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use weft_frontend::{
    remembered,
    worker::{Answer, Request, bench::Bench, mail},
};
use weft_shared::{pair::Pair, sample::SampleOptions};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn a_request_arrives_as_it_was_sent() {
    let pair = Pair::new("你好 🧵", "½");
    let request =
        Request::Sample { number: 7, pair, options: SampleOptions::default(), detailed: 3 };

    let (message, moved) = mail::seal(&request, None).unwrap();

    assert_eq!(mail::open(&message), Some((request, None)));
    assert_eq!(moved.length(), 0);
}

#[wasm_bindgen_test]
fn bytes_travel_beside_a_request() {
    let buffer = Uint8Array::from([1, 2, 3].as_slice()).buffer();

    let (message, moved) =
        mail::seal(&Request::Open { name: "a.model".into() }, Some(&buffer)).unwrap();

    let (_, arrived) = mail::open(&message).unwrap();
    assert_eq!(Uint8Array::new(&arrived.unwrap()).to_vec(), [1, 2, 3]);
    assert_eq!(moved.length(), 1);
}

#[wasm_bindgen_test]
fn what_is_no_request_is_not_opened() {
    assert_eq!(mail::open(&JsValue::from_str("hello")), None);
}

#[wasm_bindgen_test]
fn a_choice_is_remembered() {
    remembered::write("weft-test", "dark");

    assert_eq!(remembered::read("weft-test").as_deref(), Some("dark"));
    assert_eq!(remembered::read("weft-never-written"), None);
}

#[wasm_bindgen_test]
fn the_bench_refuses_what_is_no_vocabulary() {
    let answer =
        Bench::default().answer(Request::Open { name: "a.model".into() }, b"no vocabulary");

    assert!(matches!(answer, Answer::Refused { .. }), "{answer:?}");
}
