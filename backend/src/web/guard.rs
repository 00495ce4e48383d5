//! What every request has to pass and every answer carries.
//!
//! A server on the loopback address is open to each page that the browser shows, unless it looks at who asks: a
//! foreign name in `Host` is a site that had its name point here (DNS rebinding), a foreign `Origin` a page of
//! another site.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use super::ApiError;

/// The names of this machine for itself.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Nothing from other hosts, no script that is not a file of the page, no frame around it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Lets a request pass that was meant for this server and comes from its own page, or from no page at all.
pub(super) async fn check_host(request: Request, next: Next) -> Result<Response, ApiError> {
    let host = host(&request);
    if !is_local(&host) {
        return Err(ApiError::StrangeHost(host));
    }
    if let Some(origin) = text(request.headers(), header::ORIGIN)
        && origin != format!("http://{host}")
    {
        return Err(ApiError::StrangeOrigin(origin));
    }
    Ok(next.run(request).await)
}

/// Adds what tells the browser to be strict.
pub(super) async fn add_headers(mut response: Response) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn host(request: &Request) -> String {
    let of_target = request.uri().authority().map(ToString::to_string);
    of_target.or_else(|| text(request.headers(), header::HOST)).unwrap_or_default()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned())
}

/// Whether a host, with or without a port, is this machine.
fn is_local(host: &str) -> bool {
    LOCAL_NAMES.iter().any(|name| {
        let rest = host.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
    })
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in ["localhost", "localhost:7860", "127.0.0.1:80", "[::1]:7860"] {
            assert!(is_local(host), "{host}");
        }
        for host in
            ["", "example.org", "localhost.example.org", "127.0.0.1.example.org:80", "localhost:x"]
        {
            assert!(!is_local(host), "{host}");
        }
    }
}
