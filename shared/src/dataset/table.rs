//! CSV and TSV: the first line names the columns, fields may be quoted and then hold anything.

use csv::{ReaderBuilder, StringRecord, WriterBuilder};
use serde_json::Value;

use super::fields::{self, ANSWER_NAMES, QUESTION_NAMES};
use super::line_counter::LineCounter;
use super::{DatasetError, RecordError, alpaca};
use crate::pair::Pair;

/// Between the tags of one field.
const TAG_SEPARATOR: &str = ";";

/// The pair of each row, with the line that the row starts on.
pub(super) fn pairs(
    text: &str,
    delimiter: u8,
) -> Result<impl Iterator<Item = (usize, Result<Pair, RecordError>)>, DatasetError> {
    let mut rows = Rows {
        text,
        delimiter,
        at: 0,
        lines: LineCounter::new(text),
        reader: reader(text, delimiter),
    };
    let header = rows.next().and_then(|(_, row)| row.ok()).unwrap_or_default();
    let columns = Columns::find(&header).ok_or_else(|| DatasetError::NoColumns(names(&header)))?;
    Ok(rows.map(move |(line, row)| (line, row.and_then(|row| columns.pair(&row)))))
}

/// Whether the first line names a question and an answer column.
pub(super) fn has_header(text: &str, delimiter: u8) -> bool {
    let mut header = StringRecord::new();
    reader(text, delimiter).read_record(&mut header).is_ok() && Columns::find(&header).is_some()
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

fn names(header: &StringRecord) -> String {
    header.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The rows of a table. A row with a quote that does not end where a field does is reported, and reading goes on at
/// the next line: such a quote would otherwise swallow the rows below it.
struct Rows<'a> {
    text: &'a str,
    delimiter: u8,
    reader: csv::Reader<&'a [u8]>,
    /// Byte of the text at which `reader` began.
    at: usize,
    lines: LineCounter<'a>,
}

impl Iterator for Rows<'_> {
    type Item = (usize, Result<StringRecord, RecordError>);

    fn next(&mut self) -> Option<Self::Item> {
        let from = self.at + self.reader.position().byte() as usize;
        let mut row = StringRecord::new();
        let read = self.reader.read_record(&mut row);
        let to = self.at + self.reader.position().byte() as usize;
        if matches!(read, Ok(false)) {
            return None;
        }

        let bytes = self.text.as_bytes();
        let blank = bytes[from..to].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let start = from + blank;
        let line = self.lines.line_of(start);

        let checked = read.map_err(|error| RecordError::Table(error.to_string()));
        let checked = checked.and_then(|_| check_quotes(&bytes[start..to], self.delimiter));
        if checked.is_err() {
            self.at = bytes[start..]
                .iter()
                .position(|&byte| byte == b'\n')
                .map_or(bytes.len(), |end| start + end + 1);
            self.reader = reader(&self.text[self.at..], self.delimiter);
        }
        Some((line, checked.map(|()| row)))
    }
}

/// Whether every quoted field of a row ends where a field may end.
fn check_quotes(row: &[u8], delimiter: u8) -> Result<(), RecordError> {
    enum Place {
        FieldStart,
        Unquoted,
        Quoted,
        AfterQuote,
    }
    let mut place = Place::FieldStart;
    for &byte in row {
        let is_end = byte == delimiter || matches!(byte, b'\r' | b'\n');
        place = match place {
            Place::FieldStart | Place::AfterQuote if byte == b'"' => Place::Quoted,
            Place::Quoted if byte == b'"' => Place::AfterQuote,
            Place::Quoted => Place::Quoted,
            _ if is_end => Place::FieldStart,
            Place::AfterQuote => return Err(RecordError::TextAfterQuote),
            Place::FieldStart | Place::Unquoted => Place::Unquoted,
        };
    }
    if matches!(place, Place::Quoted) { Err(RecordError::QuoteNotClosed) } else { Ok(()) }
}

/// Which column holds what.
struct Columns {
    count: usize,
    question: usize,
    answer: usize,
    /// Alpaca's second half of the question.
    input: Option<usize>,
    history: Option<usize>,
    system: Option<usize>,
    tags: Option<usize>,
}

impl Columns {
    fn find(header: &StringRecord) -> Option<Self> {
        let names: Vec<_> = header.iter().map(|name| name.trim().to_lowercase()).collect();
        let column = |wanted: &str| names.iter().position(|name| name == wanted);
        let question = QUESTION_NAMES.iter().find_map(|name| column(name))?;
        Some(Self {
            count: names.len(),
            question,
            answer: ANSWER_NAMES.iter().find_map(|name| column(name))?,
            input: column("input").filter(|_| names[question] == "instruction"),
            history: column("history"),
            system: column("system"),
            tags: column("tags"),
        })
    }

    fn pair(&self, row: &StringRecord) -> Result<Pair, RecordError> {
        if row.len() != self.count {
            return Err(RecordError::FieldCount { found: row.len(), wanted: self.count });
        }
        let text = |column: Option<usize>| column.and_then(|column| row.get(column)).unwrap_or("");
        let history = match text(self.history) {
            "" => Vec::new(),
            json => fields::history_of(
                &serde_json::from_str(json).unwrap_or(Value::String(json.to_owned())),
            )?,
        };
        Ok(Pair {
            question: alpaca::question(
                text(Some(self.question)).to_owned(),
                text(self.input).to_owned(),
            ),
            answer: text(Some(self.answer)).to_owned(),
            history,
            system: Some(text(self.system).to_owned()).filter(|system| !system.is_empty()),
            tags: text(self.tags)
                .split(TAG_SEPARATOR)
                .map(str::trim)
                .filter(|tag| !tag.is_empty())
                .map(str::to_owned)
                .collect(),
        })
    }
}

/// Writes a table; columns beyond question and answer only where some pair needs them.
pub(super) fn write(pairs: &[Pair], delimiter: u8) -> Result<Vec<u8>, csv::Error> {
    type Field = fn(&Pair) -> String;
    let optional: [(&str, Field); 3] = [
        ("history", |pair| match &pair.history[..] {
            [] => String::new(),
            history => fields::history_value(history).to_string(),
        }),
        ("system", |pair| pair.system.clone().unwrap_or_default()),
        ("tags", |pair| pair.tags.join(TAG_SEPARATOR)),
    ];
    let needed =
        optional.iter().filter(|(_, field)| pairs.iter().any(|pair| !field(pair).is_empty()));
    let needed: Vec<_> = needed.collect();

    let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    writer.write_record(
        ["question", "answer"].into_iter().chain(needed.iter().map(|(name, _)| *name)),
    )?;
    for pair in pairs {
        let fixed = [pair.question.clone(), pair.answer.clone()];
        writer
            .write_record(fixed.into_iter().chain(needed.iter().map(|(_, field)| field(pair))))?;
    }
    Ok(writer.into_inner().map_err(csv::IntoInnerError::into_error)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::Turn;

    #[test]
    fn quoted_fields_hold_anything() {
        let text = "question,answer\n\"a, \"\"b\"\"\nc\",d\n\ne,f\n";

        assert_eq!(
            read(text),
            [(2, Ok(Pair::new("a, \"b\"\nc", "d"))), (5, Ok(Pair::new("e", "f")))]
        );
    }

    #[test]
    fn lines_may_end_as_on_windows() {
        let text = "question,answer\r\na,b\r\n\r\nc,\"d\r\ne\"\r\nf,g";

        let wanted = [
            (2, Ok(Pair::new("a", "b"))),
            (4, Ok(Pair::new("c", "d\r\ne"))),
            (6, Ok(Pair::new("f", "g"))),
        ];
        assert_eq!(read(text), wanted);
    }

    #[test]
    fn a_broken_quote_does_not_swallow_the_rows_below() {
        let not_closed = "question,answer\na,\"b\nc,d\n";
        let closed_too_late = "question,answer\na,\"b\nc,d\ne,\"f\"\n";

        let good = (3, Ok(Pair::new("c", "d")));
        assert_eq!(read(not_closed), [(2, Err(RecordError::QuoteNotClosed)), good.clone()]);
        assert_eq!(
            read(closed_too_late),
            [(2, Err(RecordError::TextAfterQuote)), good, (4, Ok(Pair::new("e", "f")))]
        );
    }

    #[test]
    fn a_comma_outside_quotes_is_reported() {
        let text = "question,answer\na,b,c\nd,e\nf\n";

        let wrong = |found| Err(RecordError::FieldCount { found, wanted: 2 });
        assert_eq!(read(text), [(2, wrong(3)), (3, Ok(Pair::new("d", "e"))), (4, wrong(1))]);
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let text = "id, Instruction ,input,OUTPUT,tags,system,history\n\
                    1,a,b,c,x; y,s,\"[[\"\"q\"\",\"\"r\"\"]]\"\n";

        let pair = Pair {
            history: vec![Turn::new("q", "r")],
            system: Some("s".into()),
            tags: vec!["x".into(), "y".into()],
            ..Pair::new("a\nb", "c")
        };
        assert_eq!(read(text), [(2, Ok(pair))]);
    }

    #[test]
    fn a_table_without_the_columns_says_which_it_has() {
        let error = pairs("name,text\na,b\n", b',').err().unwrap();

        assert_eq!(error.to_string(), "no question and answer among the columns `name`, `text`");
    }

    fn read(text: &str) -> Vec<(usize, Result<Pair, RecordError>)> {
        pairs(text, b',').unwrap().collect()
    }
}
