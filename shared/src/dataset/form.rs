//! The names of the forms, and how one is recognised.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{DatasetError, table};
use crate::pair::Pair;

/// A way to write pairs into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Form {
    /// One JSON list of records.
    Json(Record),
    /// One JSON record a line.
    JsonLines(Record),
    /// A table with commas, its first line naming the columns.
    Csv,
    /// The same with tabs.
    Tsv,
}

/// What a JSON record looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// `question` and `answer`, or another pair of names for them.
    Weft,
    /// `instruction`, `input`, `output`.
    Alpaca,
    /// `conversations` of `from` and `value`.
    ShareGpt,
    /// OpenAI's `messages` of `role` and `content`.
    Messages,
}

/// How records follow each other in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Json,
    JsonLines,
    Csv,
    Tsv,
}

/// Every form with its full name; the short names of [`Form::from_str`] are beside it.
const NAMES: [(Form, &str, &[&str]); 10] = [
    (Form::JsonLines(Record::Weft), "weft-jsonl", &["weft", "jsonl"]),
    (Form::Json(Record::Weft), "weft-json", &["json"]),
    (Form::Json(Record::Alpaca), "alpaca-json", &["alpaca"]),
    (Form::JsonLines(Record::Alpaca), "alpaca-jsonl", &[]),
    (Form::Json(Record::ShareGpt), "sharegpt-json", &["sharegpt"]),
    (Form::JsonLines(Record::ShareGpt), "sharegpt-jsonl", &[]),
    (Form::JsonLines(Record::Messages), "messages-jsonl", &["messages", "openai"]),
    (Form::Json(Record::Messages), "messages-json", &[]),
    (Form::Csv, "csv", &[]),
    (Form::Tsv, "tsv", &[]),
];

impl Form {
    /// Every form, the one Weft prefers first.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(form, ..)| *form)
    }

    pub fn name(self) -> &'static str {
        // Every form is in the table.
        NAMES.iter().find(|(form, ..)| *form == self).map_or("", |(_, name, _)| name)
    }

    /// What of `pair` this form cannot hold.
    pub fn loses(self, pair: &Pair) -> Option<&'static str> {
        let tag_breaks = |tag: &String| tag.is_empty() || tag.contains(';') || tag.trim() != tag;
        match self {
            Self::Json(Record::Weft) | Self::JsonLines(Record::Weft) => None,
            Self::Csv | Self::Tsv => pair
                .tags
                .iter()
                .any(tag_breaks)
                .then_some("tags that hold `;` or begin or end with a space"),
            Self::Json(_) | Self::JsonLines(_) => (!pair.tags.is_empty()).then_some("tags"),
        }
    }

    pub(super) fn container(self) -> Container {
        match self {
            Self::Json(_) => Container::Json,
            Self::JsonLines(_) => Container::JsonLines,
            Self::Csv => Container::Csv,
            Self::Tsv => Container::Tsv,
        }
    }

    pub(super) fn record(self) -> Option<Record> {
        match self {
            Self::Json(record) | Self::JsonLines(record) => Some(record),
            Self::Csv | Self::Tsv => None,
        }
    }
}

impl Container {
    /// Finds out how the records of a file follow each other.
    pub(super) fn detect(text: &str) -> Result<Self, DatasetError> {
        let start = text.trim_start();
        if start.starts_with('[') {
            return Ok(Self::Json);
        }
        if start.starts_with('{') {
            let is_json = |text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            let over_lines =
                !is_json(start.lines().next().unwrap_or("")) && first_value_is_whole(start);
            return Ok(if over_lines { Self::Json } else { Self::JsonLines });
        }
        if table::has_header(text, b'\t') {
            Ok(Self::Tsv)
        } else if table::has_header(text, b',') {
            Ok(Self::Csv)
        } else if text.lines().any(|line| line.trim_start().starts_with('{')) {
            Ok(Self::JsonLines)
        } else {
            Err(DatasetError::UnknownForm)
        }
    }

    pub(super) fn form(self, record: Record) -> Form {
        match self {
            Self::Json => Form::Json(record),
            Self::JsonLines => Form::JsonLines(record),
            Self::Csv => Form::Csv,
            Self::Tsv => Form::Tsv,
        }
    }
}

fn first_value_is_whole(text: &str) -> bool {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    matches!(values.next(), Some(Ok(_)))
}

/// The text of a file, without its byte order mark.
pub(super) fn text_of(bytes: &[u8]) -> Result<&str, DatasetError> {
    let text = std::str::from_utf8(bytes).map_err(|error| DatasetError::NotUtf8 {
        valid: error.valid_up_to(),
        hint: match bytes {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "; it is UTF-16, save it as UTF-8",
            _ => "; save the file as UTF-8",
        },
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no form's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no form is called `{0}`; there are {names}", names = Form::all().map(Form::name).collect::<Vec<_>>().join(", "))]
pub struct UnknownForm(pub String);

impl FromStr for Form {
    type Err = UnknownForm;

    fn from_str(text: &str) -> Result<Self, UnknownForm> {
        let named =
            |(_, name, short): &&(Form, &str, &[&str])| *name == text || short.contains(&text);
        NAMES.iter().find(named).map(|(form, ..)| *form).ok_or_else(|| UnknownForm(text.to_owned()))
    }
}

impl TryFrom<String> for Form {
    type Error = UnknownForm;

    fn try_from(text: String) -> Result<Self, UnknownForm> {
        text.parse()
    }
}

impl From<Form> for String {
    fn from(form: Form) -> Self {
        form.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for form in Form::all() {
            assert_eq!(form.to_string().parse(), Ok(form));
        }
        assert_eq!("alpaca".parse(), Ok(Form::Json(Record::Alpaca)));
        assert!(
            "xml"
                .parse::<Form>()
                .unwrap_err()
                .to_string()
                .contains("weft-jsonl, weft-json, alpaca-json")
        );
    }

    #[test]
    fn the_container_is_recognised_by_its_content() {
        for (text, container) in [
            ("[{}]", Container::Json),
            ("{\n  \"question\": 1\n}\n", Container::Json),
            ("{\"question\": 1}\n{", Container::JsonLines),
            ("{\"question\": \n{\"question\": 1}", Container::JsonLines),
            ("oops\n{\"question\": 1}", Container::JsonLines),
            ("question,answer\na,b", Container::Csv),
            ("\"Prompt\",\"Response\"\na,b", Container::Csv),
            ("question\tanswer\na\tb", Container::Tsv),
        ] {
            assert_eq!(Container::detect(text).unwrap(), container, "{text}");
        }
        assert!(matches!(Container::detect("hello, world"), Err(DatasetError::UnknownForm)));
        assert!(matches!(Container::detect(""), Err(DatasetError::UnknownForm)));
    }

    #[test]
    fn utf_16_is_named() {
        let error = text_of(&[0xFF, 0xFE, b'a', 0]).unwrap_err();

        assert_eq!(error.to_string(), "not UTF-8 from byte 0 on; it is UTF-16, save it as UTF-8");
    }
}
