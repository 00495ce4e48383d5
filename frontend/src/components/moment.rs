//! A point in time, as people of the page's language write it.

use js_sys::{Date, Object};

use crate::i18n::Language;

/// From milliseconds since 1970, in the browser's time zone.
pub fn moment(ms: u64, language: Language) -> String {
    let date = Date::new(&(ms as f64).into());
    String::from(date.to_locale_string(language.tag(), &Object::new()))
}
