//! Under which names a server answers, and what opens it.

use std::{fmt, net::IpAddr};

use axum::http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The names of this machine for itself.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// Shorter ones can be guessed.
const SHORTEST_TOKEN: usize = 16;
const SESSION_COOKIE: &str = "weft-session";

/// Who may ask. The default is this machine alone, without a token.
#[derive(Clone, Debug, Default)]
pub struct Access {
    token: Option<Token>,
    /// Names besides those of this machine, in lower case.
    names: Vec<String>,
}

/// Why a server would be open to more people than it should.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error(
        "others can reach {0}: set a secret of {SHORTEST_TOKEN} characters or more with --token, or better in the \
         variable WEFT_TOKEN; without it only --host 127.0.0.1 is served"
    )]
    OpenToAll(IpAddr),
    #[error(
        "--allowed-host lets others in by the name {0:?}: set a token too, with --token or WEFT_TOKEN"
    )]
    NameWithoutToken(String),
    #[error(
        "a token must be {SHORTEST_TOKEN} or more visible ASCII characters without spaces, found {found} characters{}",
        if *.is_visible { "" } else { ", some of them others" }
    )]
    Token { found: usize, is_visible: bool },
}

impl Access {
    /// For a server at `host`; `names` are those that `--allowed-host` gives.
    pub fn new(host: IpAddr, token: Option<&str>, names: &[String]) -> Result<Self, AccessError> {
        let token = token.map(Token::new).transpose()?;
        if token.is_none() {
            if !host.is_loopback() {
                return Err(AccessError::OpenToAll(host));
            }
            if let Some(name) = names.first() {
                return Err(AccessError::NameWithoutToken(name.clone()));
            }
        }
        Ok(Self { token, names: names.iter().map(|name| name.to_ascii_lowercase()).collect() })
    }

    /// Whether a `Host` is this server and no name that somebody else had point here.
    ///
    /// An address can not be made to point elsewhere, so with a token any will do: which one a client sees is nothing
    /// that the server knows.
    pub(super) fn answers_as(&self, host: &str) -> bool {
        let Some(name) = without_port(host) else { return false };
        let name = name.to_ascii_lowercase();
        LOCAL_NAMES.contains(&name.as_str())
            || self.names.contains(&name)
            || (self.token.is_some() && is_address(&name))
    }

    /// Whether whoever sends these headers may have everything.
    pub(super) fn opens(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        bearer(headers).is_some_and(|given| token.is(given))
            || sessions(headers).any(|given| same(given, &token.session))
    }

    /// What a browser shows in place of the right token from now on; `None` for a wrong one.
    pub(super) fn session(&self, token: &str, is_secure: bool) -> Option<String> {
        let own = self.token.as_ref().filter(|own| own.is(token))?;
        let secure = if is_secure { "; Secure" } else { "" };
        let session = &own.session;
        Some(format!("{SESSION_COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict{secure}"))
    }

    pub(super) fn needs_token(&self) -> bool {
        self.token.is_some()
    }
}

/// A secret that opens the server.
#[derive(Clone)]
struct Token {
    text: String,
    /// A cookie goes to every program that has a port of this host: it does not say the token.
    session: String,
}

impl Token {
    fn new(text: &str) -> Result<Self, AccessError> {
        let (found, is_visible) =
            (text.chars().count(), text.bytes().all(|byte| byte.is_ascii_graphic()));
        if found < SHORTEST_TOKEN || !is_visible {
            return Err(AccessError::Token { found, is_visible });
        }
        let session = format!("{:x}", Sha256::digest(format!("weft session {text}")));
        Ok(Self { text: text.to_owned(), session })
    }

    fn is(&self, given: &str) -> bool {
        same(given, &self.text)
    }
}

/// Never shown, in no log either.
impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token")
    }
}

/// In a time that does not tell how much of it is right.
fn same(given: &str, wanted: &str) -> bool {
    given.as_bytes().ct_eq(wanted.as_bytes()).into()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn sessions(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|it| it.to_str().ok());
    let cookies = cookies.flat_map(|cookies| cookies.split(';'));
    cookies.filter_map(|cookie| cookie.trim().strip_prefix(SESSION_COOKIE)?.strip_prefix('='))
}

/// The name in a `Host`, an IPv6 address with its brackets; `None` where a port is no number.
fn without_port(host: &str) -> Option<&str> {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => port.parse::<u16>().ok().map(|_| name),
        _ => Some(host),
    }
}

fn is_address(name: &str) -> bool {
    let v6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    match v6 {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.parse::<std::net::Ipv4Addr>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const TOKEN: &str = "sixteen-or-more-characters";
    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const EVERYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn without_a_token_only_names_of_this_machine_are_answered_to() {
        let access = Access::default();

        for host in ["localhost", "LOCALHOST:7860", "127.0.0.1:80", "[::1]:7860", "[::1]"] {
            assert!(access.answers_as(host), "{host}");
        }
        for host in [
            "",
            "example.org",
            "localhost.example.org",
            "127.0.0.1.example.org:80",
            "localhost:x",
            "192.168.0.2:7860",
        ] {
            assert!(!access.answers_as(host), "{host}");
        }
    }

    #[test]
    fn with_a_token_addresses_and_allowed_names_are_answered_to() {
        let access = Access::new(EVERYWHERE, Some(TOKEN), &names(&["Weft.example.org"])).unwrap();

        for host in ["192.168.0.2:7860", "[fe80::1]:7860", "weft.example.org", "localhost:7860"] {
            assert!(access.answers_as(host), "{host}");
        }
        for host in ["example.org", "1.2.3.4.example.org", "[x]", "weft.example.org.evil.org"] {
            assert!(!access.answers_as(host), "{host}");
        }
    }

    #[test]
    fn others_are_let_in_only_with_a_token_of_some_length() {
        let refusal = |host, token, allowed: &[&str]| {
            Access::new(host, token, &names(allowed)).unwrap_err().to_string()
        };

        assert!(refusal(EVERYWHERE, None, &[]).contains("WEFT_TOKEN"));
        assert!(refusal(LOCAL, None, &["weft.example.org"]).contains("weft.example.org"));
        assert!(refusal(LOCAL, Some("short"), &[]).contains("found 5 characters"));
        assert!(refusal(LOCAL, Some("a secret with spaces"), &[]).contains("some of them others"));
        assert!(Access::new(LOCAL, None, &[]).is_ok());
        assert!(Access::new(EVERYWHERE, Some(TOKEN), &[]).is_ok());
    }

    #[test]
    fn a_token_is_never_shown() {
        let access = Access::new(LOCAL, Some(TOKEN), &[]).unwrap();

        assert!(!format!("{access:?}").contains(TOKEN));
        assert!(!access.session(TOKEN, false).unwrap().contains(TOKEN));
    }
}
