//! Server-sent events out of bytes, wherever the network cut them.
//!
//! Source: the WHATWG HTML standard, "Server-sent events"; only `data` is read.

/// What has arrived of an event that is not complete.
#[derive(Clone, Debug, Default)]
pub struct EventReader {
    line: Vec<u8>,
    data: Option<String>,
}

impl EventReader {
    /// The data of each event that these bytes complete. A character may be cut in the middle.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        for &byte in bytes {
            if byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                self.end_line(line.strip_suffix(b"\r").unwrap_or(&line), &mut events);
            } else {
                self.line.push(byte);
            }
        }
        events
    }

    fn end_line(&mut self, line: &[u8], events: &mut Vec<String>) {
        if line.is_empty() {
            events.extend(self.data.take());
            return;
        }
        let Some(text) = line.strip_prefix(b"data:") else { return };
        let text = String::from_utf8_lossy(text.strip_prefix(b" ").unwrap_or(text));
        match &mut self.data {
            Some(data) => {
                data.push('\n');
                data.push_str(&text);
            }
            None => self.data = Some(text.into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read_alike_wherever_it_is_cut() {
        let stream =
            ": wait\n\ndata: {\"a\":\"你\"}\r\n\r\nid: 7\ndata: one\ndata: two\n\n".as_bytes();
        let wanted = ["{\"a\":\"你\"}", "one\ntwo"];

        for cut in 0..=stream.len() {
            let mut reader = EventReader::default();
            let mut events = reader.push(&stream[..cut]);
            events.extend(reader.push(&stream[cut..]));
            assert_eq!(events, wanted, "cut at {cut}");
        }
    }

    #[test]
    fn an_event_that_is_not_complete_is_not_given() {
        let mut reader = EventReader::default();

        assert_eq!(reader.push(b"data: a\n"), Vec::<String>::new());
        assert_eq!(reader.push(b"\n"), ["a"]);
    }
}
