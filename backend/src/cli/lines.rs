//! One line in, one line out: what the commands for pipes have in common.

use std::io::{self, BufRead, BufReader, BufWriter, Write};

use anyhow::Context as _;
use serde::Serialize;

/// How many lines were answered, and how many could not be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answered {
    pub good: usize,
    pub bad: usize,
}

/// Answers each line of the input that is not blank with one line of JSON.
///
/// What cannot be answered is told on the error stream with its line number and leaves no line in the output.
/// A reader that goes away ends the work quietly.
pub(super) fn answer_lines<T: Serialize>(
    answer: impl FnMut(&str) -> Result<T, String>,
) -> anyhow::Result<Answered> {
    let result = answer_between(io::stdin().lock(), io::stdout().lock(), answer);
    unless_reader_left(result).map(Option::unwrap_or_default)
}

/// Writes to the output; a reader that goes away is no error.
pub(super) fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    let written = output.write_all(bytes).and_then(|()| output.flush());
    unless_reader_left(written.map_err(Failure::Output)).map(|_| ())
}

/// What ends the work early.
enum Failure {
    Input(io::Error),
    Output(io::Error),
}

fn unless_reader_left<T>(result: Result<T, Failure>) -> anyhow::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
        Err(Failure::Output(error)) => Err(error).context("cannot write the output"),
        Err(Failure::Input(error)) => Err(error).context("cannot read the input"),
    }
}

fn answer_between<T: Serialize>(
    input: impl io::Read,
    output: impl Write,
    mut answer: impl FnMut(&str) -> Result<T, String>,
) -> Result<Answered, Failure> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let mut output = BufWriter::with_capacity(1 << 16, output);
    let mut answered = Answered::default();
    let mut line = Vec::new();
    for number in 1.. {
        // Whoever waits for the answers so far before writing the next line gets them.
        if !input.buffer().contains(&b'\n') {
            output.flush().map_err(Failure::Output)?;
        }
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(Failure::Input)? == 0 {
            break;
        }
        let told = std::str::from_utf8(&line).map_err(|_| "not UTF-8".to_owned());
        let told = match told.map(|text| text.trim_start_matches('\u{feff}').trim()) {
            Ok("") => continue,
            Ok(text) => answer(text),
            Err(reason) => Err(reason),
        };
        match told {
            Ok(value) => {
                answered.good += 1;
                serde_json::to_writer(&mut output, &value)
                    .map_err(|error| Failure::Output(error.into()))?;
                output.write_all(b"\n").map_err(Failure::Output)?;
            }
            Err(reason) => {
                answered.bad += 1;
                tracing::warn!("line {number}: {reason}");
            }
        }
    }
    output.flush().map_err(Failure::Output)?;
    Ok(answered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_lines_leave_no_trace_in_the_output() {
        let mut output = Vec::new();

        let input = &b"\xef\xbb\xbf1\n\n x\r\n\xff\n3"[..];
        let answered = answer_between(input, &mut output, |line| {
            line.parse::<u32>().map_err(|e| e.to_string())
        });

        assert_eq!(String::from_utf8(output).unwrap(), "1\n3\n");
        assert_eq!(answered.ok().unwrap(), Answered { good: 2, bad: 2 });
    }

    #[test]
    fn a_reader_that_left_ends_the_work_quietly() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let result = answer_between(&b"1\n"[..], Gone, |line| Ok(line.to_owned()));

        assert_eq!(unless_reader_left(result).unwrap(), None);
    }
}
