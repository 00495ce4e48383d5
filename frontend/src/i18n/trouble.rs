//! What went wrong between page and server, and what to do.

use super::Language;
use crate::api::CallError;

/// In the page's language where the page knows the case, else in the server's words.
pub fn explain(error: &CallError, language: Language) -> String {
    match (error, language) {
        (CallError::Unreachable, Language::English) => {
            "The server does not answer. Look whether `weft serve` still runs, then try again."
                .into()
        }
        (CallError::Unreachable, Language::Chinese) => {
            "服务器没有应答。请确认 `weft serve` 仍在运行，然后重试。".into()
        }
        (CallError::Refused(problem), Language::English) => problem.detail.clone(),
        (CallError::Refused(problem), Language::Chinese) => {
            let known = match problem.kind.as_str() {
                "/problems/not-found" => "找不到：可能已被删除，请刷新页面。",
                "/problems/stale" => "内容刚刚在别处改动过，请重试。",
                "/problems/name-taken" => "这个名称已被使用，请换一个。",
                "/problems/bad-name" => "这个名称不能用。",
                "/problems/evaluation-state" => "评测已处于别的状态，请看最新情况。",
                "/problems/too-large" => "内容太大。",
                _ => return problem.detail.clone(),
            };
            format!("{known}（{}）", problem.detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use weft_shared::api::problem::Problem;

    use super::*;

    #[test]
    fn a_refusal_keeps_the_servers_words() {
        let problem = Problem {
            kind: "/problems/name-taken".into(),
            title: "Name taken".into(),
            status: 409,
            detail: "there is a dataset Tea".into(),
            findings: Vec::new(),
        };
        let error = CallError::Refused(problem);

        assert_eq!(explain(&error, Language::English), "there is a dataset Tea");
        let chinese = explain(&error, Language::Chinese);
        assert_eq!(chinese, "这个名称已被使用，请换一个。（there is a dataset Tea）");
    }
}
