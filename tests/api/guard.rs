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
        for rule in [
            "default-src 'self'",
            "script-src 'self' 'wasm-unsafe-eval';",
            "style-src 'self';",
            "connect-src 'self';",
            "img-src 'self' data:;",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    }
}

#[tokio::test]
async fn what_another_site_embeds_is_refused_and_a_link_to_the_page_is_not() {
    for site in ["cross-site", "same-site"] {
        let status = |path: &'static str| async move {
            get(server(), path, &[("sec-fetch-site", site)]).await.status.as_u16()
        };

        assert_eq!(status("/api/status").await, 403, "{site}");
        assert_eq!(status("/v1/models").await, 403, "{site}");
        assert_eq!(status("/").await, 200, "{site}");
    }
    let own = get(server(), "/api/status", &[("sec-fetch-site", "same-origin")]).await;
    assert_eq!(own.status, 200);
}
