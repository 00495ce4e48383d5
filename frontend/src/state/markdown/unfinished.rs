//! The last words of a reply that is still being written.

/// Ends what the last paragraph leaves open, so that `**bo` is shown bold at once and does not jump when its end comes.
pub fn close_open(markdown: &str) -> String {
    let is_fence = |line: &&str| line.trim_start().starts_with("```");
    if markdown.lines().filter(is_fence).count() % 2 == 1 {
        return markdown.to_owned();
    }
    let last = markdown.rsplit("\n\n").next().unwrap_or_default();
    let mut closed = markdown.to_owned();
    if last.matches('`').count() % 2 == 1 {
        closed.push('`');
    } else if is_bold_open(last) {
        // Stars at the very end begin or end something: more of them would do neither.
        closed.truncate(closed.trim_end().trim_end_matches('*').trim_end().len());
        if is_bold_open(closed.rsplit("\n\n").next().unwrap_or_default()) {
            closed += "**";
        }
    }
    closed
}

fn is_bold_open(paragraph: &str) -> bool {
    paragraph.matches("**").count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_closed() {
        for (written, shown) in [
            ("so **bo", "so **bo**"),
            ("so **bold** and", "so **bold** and"),
            ("so **", "so"),
            ("so **bold*", "so **bold**"),
            ("so **two words ", "so **two words**"),
            ("call `f(", "call `f(`"),
            ("**old\n\nnew", "**old\n\nnew"),
        ] {
            assert_eq!(close_open(written), shown, "{written}");
        }
    }

    #[test]
    fn code_is_left_as_it_is() {
        let code = "```py\nx = 2 ** 3 `";

        assert_eq!(close_open(code), code);
    }
}
