//! Bytes to line numbers, going forwards.

/// Counts each newline of a text once.
pub(super) struct LineCounter<'a> {
    text: &'a str,
    /// Line of byte `counted`, from 1.
    line: usize,
    counted: usize,
}

impl<'a> LineCounter<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, line: 1, counted: 0 }
    }

    /// The line of a byte at or after the last one asked for.
    pub(super) fn line_of(&mut self, byte: usize) -> usize {
        let byte = byte.max(self.counted);
        self.line += self.text[self.counted..byte].matches('\n').count();
        self.counted = byte;
        self.line
    }
}
