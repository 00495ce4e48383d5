//! What went wrong, in the form of RFC 9457.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::job::CheckFinding;

/// The body of every answer that is a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Tells kinds of problems apart: a path, not a page to open. For example `/problems/not-found`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind, in words: the same for each problem of it.
    pub title: String,
    /// The status of the answer, for example 404.
    pub status: u16,
    /// This very problem, in words, and what to do next.
    pub detail: String,
    /// Where a run was refused: what the check found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<CheckFinding>,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.title, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_has_the_names_of_the_standard() {
        let problem = Problem {
            kind: "/problems/not-found".into(),
            title: "Not found".into(),
            status: 404,
            detail: "no such page".into(),
            findings: Vec::new(),
        };

        let json = serde_json::to_string(&problem).unwrap();

        assert_eq!(
            json,
            r#"{"type":"/problems/not-found","title":"Not found","status":404,"detail":"no such page"}"#
        );
    }
}
