//! Where rewritten text goes: into a string alone, or into one that remembers where each character came from.

/// Receives the output of a step that rewrites text, in order.
pub(super) trait Sink {
    /// Appends text that starts at byte `from` of the source and is the same there.
    fn copy(&mut self, text: &str, from: usize);

    /// Appends text that stands for what starts at byte `from` of the source.
    fn put(&mut self, text: &str, from: usize);

    /// Removes `ending` from the end, as often as it is there.
    fn trim(&mut self, ending: &str);
}

impl Sink for String {
    #[inline]
    fn copy(&mut self, text: &str, _from: usize) {
        self.push_str(text);
    }

    #[inline]
    fn put(&mut self, text: &str, _from: usize) {
        self.push_str(text);
    }

    fn trim(&mut self, ending: &str) {
        self.truncate(self.trim_end_matches(ending).len());
    }
}

/// Text whose characters know where in the source they come from.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Aligned {
    pub(super) text: String,
    /// For each character, the byte of the source at which what it stands for starts; never decreasing.
    pub(super) starts: Vec<usize>,
}

impl Sink for Aligned {
    fn copy(&mut self, text: &str, from: usize) {
        self.text.push_str(text);
        self.starts.extend(text.char_indices().map(|(at, _)| from + at));
    }

    fn put(&mut self, text: &str, from: usize) {
        self.text.push_str(text);
        self.starts.extend(text.chars().map(|_| from));
    }

    fn trim(&mut self, ending: &str) {
        Sink::trim(&mut self.text, ending);
        self.starts.truncate(self.text.chars().count());
    }
}
