//! A JSON list of records, read so that a damaged record does not take the others with it.
//!
//! Records that follow each other without a list (a file of pretty-printed objects) are read in the same way.
//! After damage, reading goes on at the next place where a whole record begins: an object that can be read, has the
//! fields of some record, and stands where a list could have one.

use serde_json::{Deserializer, Value};

use super::line_counter::LineCounter;
use super::{RecordError, record};

/// Each value, with the line that it starts on.
pub(super) fn values(text: &str) -> Values<'_> {
    Values { text, at: 0, lines: LineCounter::new(text), open: false }
}

pub(super) struct Values<'a> {
    text: &'a str,
    /// Byte that comes next.
    at: usize,
    lines: LineCounter<'a>,
    /// Whether the list's closing bracket is still due.
    open: bool,
}

impl Iterator for Values<'_> {
    type Item = (usize, Result<Value, RecordError>);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_between();
        if self.at == self.text.len() {
            return self.end();
        }
        let line = self.lines.line_of(self.at);
        match first_value(&self.text[self.at..]) {
            Ok((value, length)) => {
                self.at += length;
                Some((line, Ok(value)))
            }
            Err(error) => {
                let place = match error.line() {
                    1 => String::new(),
                    below => format!(" (line {})", line + below - 1),
                };
                self.at = self.next_record();
                Some((line, Err(RecordError::NotJson(reason(&error) + &place))))
            }
        }
    }
}

impl Values<'_> {
    /// Skips what may stand between records. Brackets are among it, so that lists that follow each other are read as
    /// one.
    fn skip_between(&mut self) {
        for byte in &self.text.as_bytes()[self.at..] {
            match byte {
                b'[' => self.open = true,
                b']' => self.open = false,
                b',' | b' ' | b'\t' | b'\n' | b'\r' => {}
                _ => break,
            }
            self.at += 1;
        }
    }

    fn end(&mut self) -> Option<<Self as Iterator>::Item> {
        let not_closed = std::mem::take(&mut self.open);
        not_closed.then(|| {
            (self.lines.line_of(self.text.trim_end().len()), Err(RecordError::ListNotClosed))
        })
    }

    /// The next byte after a damaged record from which a whole record can be read.
    fn next_record(&mut self) -> usize {
        let mut from = self.at + 1;
        while let Some(brace) = self.text.as_bytes()[from..].iter().position(|&byte| byte == b'{') {
            let place = from + brace;
            if may_begin_record(&self.text[..place]) && is_record(&self.text[place..]) {
                return place;
            }
            from = place + 1;
        }
        // What ends in damage has been reported; that its list is not closed says nothing more.
        self.open = false;
        self.text.len()
    }
}

/// Whether a list could have a record after `before`.
fn may_begin_record(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '\t', '\r']);
    before.is_empty() || before.ends_with(['\n', ',', '[', '}'])
}

fn is_record(text: &str) -> bool {
    first_value(text).is_ok_and(|(value, _)| {
        value.as_object().is_some_and(|map| record::shape_of(map).is_some())
    })
}

/// The value that `text` begins with, and its length in bytes.
fn first_value(text: &str) -> serde_json::Result<(Value, usize)> {
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    match values.next() {
        Some(value) => value.map(|value| (value, values.byte_offset())),
        None => serde_json::from_str(text).map(|value| (value, text.len())),
    }
}

/// What is wrong, without the place: that is counted from where the parser started.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_has_the_line_it_starts_on() {
        let text =
            "[\n  {\"question\": \"a\",\n   \"answer\": \"b\"},\n\n  {\"n\": 2}, {\"n\": 3}\n]\n";

        assert_eq!(lines(text), [(2, true), (5, true), (5, true)]);
    }

    #[test]
    fn a_damaged_record_does_not_take_the_others_with_it() {
        let good = r#"{"question": "a", "answer": "{\"b\"}"}"#;
        for damaged in [
            r#"{"question": "a", "answer": "b}"#,
            r#"{"question": "a" "answer": "b"}"#,
            r#"{"question": a}"#,
            r#"{"question": "a", "answer": "b""#,
            r#"{"question": "a", "history": [["x", "y"]}"#,
            r#"{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt, "value": "b"}]}"#,
            "oops",
        ] {
            let on_lines = format!("[\n{good},\n{damaged},\n{good}\n]");
            let pretty = format!("[\n  {good},\n  {damaged},\n  {good}\n]");

            assert_eq!(lines(&on_lines), [(2, true), (3, false), (4, true)], "{damaged}");
            assert_eq!(lines(&pretty), [(2, true), (3, false), (4, true)], "{damaged}");
        }
    }

    #[test]
    fn damage_names_its_line_where_that_is_another() {
        let (_, error) = values("[{\n\n\"question\" 1}]").next().unwrap();

        assert_eq!(error.unwrap_err().to_string(), "not JSON: expected `:` (line 3)");
    }

    #[test]
    fn a_list_that_is_not_closed_is_reported_once() {
        assert_eq!(lines("[{\"n\": 1},\n{\"n\": 2},\n"), [(1, true), (2, true), (2, false)]);
        assert_eq!(lines("[{\"n\": 1},\n{\"n\": "), [(1, true), (2, false)]);
        assert_eq!(lines("[{\"n\": 1}]\n{\"n\": 2}"), [(1, true), (2, true)]);
    }

    fn lines(text: &str) -> Vec<(usize, bool)> {
        values(text).map(|(line, value)| (line, value.is_ok())).collect()
    }
}
