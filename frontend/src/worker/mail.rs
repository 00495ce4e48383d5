//! The form of a request on its way to the worker: JSON, and beside it a buffer that is moved and not copied.

use js_sys::{Array, ArrayBuffer};
use wasm_bindgen::{JsCast, JsValue};

use super::Request;

/// A request and its buffer as one message; the second value lists what is moved.
pub fn seal(request: &Request, buffer: Option<&ArrayBuffer>) -> Option<(Array, Array)> {
    let json = serde_json::to_string(request).ok()?;
    let message = Array::of1(&JsValue::from_str(&json));
    let moved = Array::new();
    if let Some(buffer) = buffer {
        message.push(buffer);
        moved.push(buffer);
    }
    Some((message, moved))
}

/// Reads what [`seal`] made.
pub fn open(message: &JsValue) -> Option<(Request, Option<ArrayBuffer>)> {
    let message = message.dyn_ref::<Array>()?;
    let request = serde_json::from_str(&message.get(0).as_string()?).ok()?;
    Some((request, message.get(1).dyn_into().ok()))
}
