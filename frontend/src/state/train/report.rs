//! What the check found, sorted by what it is about: hundreds of pairs with the same fault are one thing to read.

use weft_shared::{
    api::job::{CheckFinding, RunFinding, Severity},
    dataset::FindingKind,
};

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    NoPairs,
    OtherModel,
    OtherData,
    OtherAdapter,
    NoAdapter,
    Option,
    Memory,
    NothingLearned,
    EmptyQuestion,
    EmptyAnswer,
    SpecialToken,
    LongAnswer,
    LongQuestion,
    Duplicate,
    Leak,
}

/// All findings of one severity about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub severity: Severity,
    pub topic: Topic,
    pub findings: Vec<CheckFinding>,
}

/// Refusals first, then by topic; each group's findings in the order of the check.
pub fn groups(findings: &[CheckFinding]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for finding in findings {
        let (severity, topic) = (finding.severity, topic(&finding.finding));
        match groups.iter_mut().find(|it| it.severity == severity && it.topic == topic) {
            Some(group) => group.findings.push(finding.clone()),
            None => groups.push(Group { severity, topic, findings: vec![finding.clone()] }),
        }
    }
    groups.sort_by_key(|group| (std::cmp::Reverse(group.severity), group.topic));
    groups
}

/// The gravest of the findings.
pub fn gravest(findings: &[CheckFinding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

/// A special token's text with a space in it: a person reads the same, the tokenizer reads text.
pub fn escaped(token: &str) -> String {
    let first = token.chars().next().map_or(0, char::len_utf8);
    let (bracket, rest) = token.split_at(first);
    format!("{bracket} {rest}")
}

fn topic(finding: &RunFinding) -> Topic {
    match finding {
        RunFinding::Pair(finding) => match finding.kind {
            FindingKind::EmptyQuestion => Topic::EmptyQuestion,
            FindingKind::EmptyAnswer => Topic::EmptyAnswer,
            FindingKind::Duplicate { .. } => Topic::Duplicate,
            FindingKind::SpecialToken { .. } => Topic::SpecialToken,
            FindingKind::LongQuestion { .. } => Topic::LongQuestion,
            FindingKind::LongAnswer { .. } => Topic::LongAnswer,
        },
        RunFinding::NothingLearned { .. } => Topic::NothingLearned,
        RunFinding::Leak { .. } => Topic::Leak,
        RunFinding::NoPairs => Topic::NoPairs,
        RunFinding::Option { .. } => Topic::Option,
        RunFinding::OtherData { .. } => Topic::OtherData,
        RunFinding::OtherModel { .. } => Topic::OtherModel,
        RunFinding::OtherAdapter { .. } => Topic::OtherAdapter,
        RunFinding::NoAdapter { .. } => Topic::NoAdapter,
        RunFinding::Memory { .. } => Topic::Memory,
    }
}

#[cfg(test)]
mod tests {
    use weft_shared::{
        dataset::{Finding, check_text},
        pair::Pair,
    };

    use super::*;

    #[test]
    fn refusals_come_first_and_like_findings_together() {
        let groups = groups(&[
            finding(Severity::Warning, duplicate(1)),
            finding(Severity::Refusal, RunFinding::NoPairs),
            finding(Severity::Warning, duplicate(2)),
        ]);

        let told: Vec<_> =
            groups.iter().map(|it| (it.severity, it.topic, it.findings.len())).collect();
        assert_eq!(
            told,
            [(Severity::Refusal, Topic::NoPairs, 1), (Severity::Warning, Topic::Duplicate, 2)]
        );
    }

    #[test]
    fn one_refusal_outweighs_every_warning() {
        assert_eq!(gravest(&[]), None);
        assert_eq!(
            gravest(&[
                finding(Severity::Refusal, RunFinding::NoPairs),
                finding(Severity::Warning, duplicate(1)),
            ]),
            Some(Severity::Refusal)
        );
    }

    #[test]
    fn an_escaped_token_is_text() {
        for token in ["[MASK]", "[gMASK]", "<sop>", "<|tab|>", "<n>"] {
            let pairs = [Pair::new(escaped(token), "a")];

            assert_eq!(check_text(&pairs), [], "{token}");
        }
        assert_eq!(escaped("[MASK]"), "[ MASK]");
    }

    fn duplicate(pair: usize) -> RunFinding {
        RunFinding::Pair(Finding { pair, kind: FindingKind::Duplicate { of: 0 } })
    }

    fn finding(severity: Severity, finding: RunFinding) -> CheckFinding {
        CheckFinding { severity, row: None, finding }
    }
}
