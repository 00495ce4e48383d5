//! Who may ask.

use crate::support::{get, server};

#[tokio::test]
async fn a_name_that_is_not_this_machines_is_refused() {
    for host in ["example.org", "127.0.0.1.example.org:7860", ""] {
        let answer = get(server(), "/", &[("host", host)]).await;

        assert_eq!(answer.status, 421, "{host}");
        assert_eq!(answer.problem().kind, "/problems/strange-host");
    }
}

#[tokio::test]
async fn a_page_of_another_site_is_refused() {
    for origin in ["https://example.org", "http://127.0.0.1:7861", "null"] {
        let answer = get(server(), "/api/status", &[("origin", origin)]).await;

        assert_eq!(answer.status, 403, "{origin}");
        assert_eq!(answer.problem().kind, "/problems/strange-origin");
    }
    assert_eq!(
        get(server(), "/api/status", &[("origin", "http://127.0.0.1:7860")]).await.status,
        200
    );
}

#[tokio::test]
async fn every_answer_tells_the_browser_to_be_strict() {
    for path in ["/", "/nothing", "/api/status"] {
        let answer = get(server(), path, &[]).await;

        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}
