//! `owner/name` or `owner/name@revision`: how a hub names a model.

use std::{fmt, str::FromStr};

use super::HubError;

/// The published model.
pub const DEFAULT_REPO: &str = "THUDM/chatglm-6b";

/// The commit of [`DEFAULT_REPO`] that the tutorial trains: 20,000 image tokens, vocabulary 150,528.
///
/// The repository's later commits have another vocabulary, so an adapter of one does not fit the other.
pub const DEFAULT_REVISION: &str = "096f3de6b4959ce38bef7bb05f3129c931a3084e";

/// A repository at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelId {
    /// `owner/name`
    pub repo: String,
    /// A branch, tag or commit.
    pub revision: String,
}

impl FromStr for ModelId {
    type Err = HubError;

    /// Without a revision it is [`DEFAULT_REVISION`] of [`DEFAULT_REPO`], `main` of others.
    fn from_str(text: &str) -> Result<Self, HubError> {
        let no_id = || HubError::NoModel { found: text.to_owned() };
        let (repo, revision) = match text.split_once('@') {
            Some((repo, revision)) => (repo, Some(revision)),
            None => (text, None),
        };
        let (owner, name) = repo.split_once('/').ok_or_else(no_id)?;
        let plain = |part: &str| {
            let allowed = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
            part.starts_with(|it: char| it.is_ascii_alphanumeric()) && part.chars().all(allowed)
        };
        let pinned = if repo == DEFAULT_REPO { DEFAULT_REVISION } else { "main" };
        let revision = revision.unwrap_or(pinned);
        let revision_parts_are_plain = revision.split('/').all(plain);
        if !plain(owner) || !plain(name) || !revision_parts_are_plain {
            return Err(no_id());
        }
        Ok(Self { repo: repo.to_owned(), revision: revision.to_owned() })
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repo, self.revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_a_revision_of_its_own_or_the_usual_one() {
        let parsed = |text: &str| text.parse::<ModelId>().map(|it| it.to_string()).ok();

        assert_eq!(parsed("THUDM/chatglm-6b"), Some(format!("{DEFAULT_REPO}@{DEFAULT_REVISION}")));
        assert_eq!(parsed("THUDM/chatglm-6b@main"), Some("THUDM/chatglm-6b@main".to_owned()));
        assert_eq!(parsed("me/mine"), Some("me/mine@main".to_owned()));
        assert_eq!(parsed("me/mine@refs/pr/1"), Some("me/mine@refs/pr/1".to_owned()));
        for path in
            ["chatglm", "./chatglm", "/a/b", "a/b/c", "../b", "a/..", "a/b@", "a/b@../c", "a b/c"]
        {
            assert_eq!(parsed(path), None, "{path}");
        }
    }
}
