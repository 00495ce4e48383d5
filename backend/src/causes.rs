//! An error with all that is behind it, in one line.

use std::error::Error;

/// The error's words, then those of each cause. A cause that the words before end with already is not said again.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the file")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("no such file")]
    struct Inner;

    #[derive(Debug, thiserror::Error)]
    #[error("loading failed: {0}")]
    struct Quoting(#[source] Inner);

    #[test]
    fn causes_follow_in_their_order_and_once() {
        assert_eq!(with_causes(&Outer(Inner)), "cannot read the file: no such file");
        assert_eq!(with_causes(&Quoting(Inner)), "loading failed: no such file");
    }
}
