//! What every request has to pass and every answer carries.
//!
//! A server on the loopback address is open to each page that the browser shows, unless it looks at who asks: a
//! foreign name in `Host` is a site that had its name point here (DNS rebinding), a foreign `Origin` or a cross-site
//! `Sec-Fetch-Site` a page of another site.

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use super::{ApiError, AppState};

/// Nothing from other hosts, no script that is not a file of the page, no frame around it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// Routes that need no token. What is no route is a file of the page, and these are open too.
const OPEN: [&str; 2] = ["/healthz", "/api/session"];

/// Lets a request pass that was meant for this server and comes from its own page, or from no page at all.
pub(super) async fn check_host(
    State(app): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let host = host(&request);
    if !app.access.answers_as(&host) {
        return Err(ApiError::StrangeHost(host));
    }
    if let Some(origin) = text(request.headers(), header::ORIGIN)
        && !is_own(&origin, &host)
    {
        return Err(ApiError::StrangeOrigin(origin));
    }
    // Images and scripts are asked for without an origin; a link to the page is nobody's harm.
    if let Some(site) = text(request.headers(), HeaderName::from_static("sec-fetch-site"))
        && matches!(site.as_str(), "cross-site" | "same-site")
        && route(&request).is_some()
    {
        return Err(ApiError::StrangeOrigin(site));
    }
    Ok(next.run(request).await)
}

/// Lets a request pass that has the token, where there is one, or needs none.
pub(super) async fn check_token(
    State(app): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let is_open = route(&request).is_none_or(|route| OPEN.contains(&route));
    if is_open || app.access.opens(request.headers()) {
        return Ok(next.run(request).await);
    }
    Err(ApiError::NoToken)
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

/// The pattern of the route that answers, for example `/api/jobs/{id}`.
pub(super) fn route(request: &Request) -> Option<&str> {
    request.extensions().get::<MatchedPath>().map(MatchedPath::as_str)
}

/// Whether an origin is the page of this very host, as seen by the browser: a proxy in between may add the `s`.
fn is_own(origin: &str, host: &str) -> bool {
    let origin = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    origin.is_some_and(|name| name.eq_ignore_ascii_case(host))
}

fn host(request: &Request) -> String {
    let of_target = request.uri().authority().map(ToString::to_string);
    of_target.or_else(|| text(request.headers(), header::HOST)).unwrap_or_default()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned())
}
