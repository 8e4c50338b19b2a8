//! What a probe asks of whom.
//!
//! Promises that credentials (in a URL, in headers) are never printed. Refuses to check what config has checked: a value here
//! is usable or fails as a probe, with a sentence.

use std::fmt;
use std::time::Duration;

use hyper::Method;
use hyper::header::HeaderName;
use regex::Regex;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::model::probe::ProbeId;

/// One thing to ask again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Who this is; unique among all targets.
    pub id: ProbeId,
    /// What is asked.
    pub ask: Ask,
    /// From one probe's start to the next one's; greater than zero.
    pub interval: Duration,
    /// The longest that one probe may take, name resolution and redirects included.
    pub timeout: Duration,
}

/// What is asked.
#[derive(Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all targets are HTTP, and there are few"
)]
pub enum Ask {
    /// An HTTP request whose answer is looked at.
    Http(HttpAsk),
    /// A TCP connection, closed at once.
    Tcp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
    },
}

/// An HTTP request and what is expected of its answer.
#[derive(Clone)]
pub struct HttpAsk {
    /// `http` or `https`. A user and password in it are sent as basic authentication.
    pub url: Url,
    /// `GET` unless configured: many services answer 405 to `HEAD`.
    pub method: Method,
    /// Sent as they are, to the URL's own origin only: a redirect to another one does not get them.
    pub headers: Vec<(HeaderName, SecretString)>,
    /// The statuses that are good; empty means any 2xx.
    pub expect_status: Vec<u16>,
    /// What the body must match, if anything.
    pub expect_body: Option<Regex>,
    /// What the body must hold as JSON, if anything.
    pub expect_json: Option<JsonExpectation>,
    /// Whether redirects are followed; else their status is judged like any other.
    pub follow_redirects: bool,
}

/// A value that a JSON body must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonExpectation {
    /// Where: a JSON pointer (RFC 6901), `/status`.
    pub pointer: String,
    /// What.
    pub equals: serde_json::Value,
}

impl Ask {
    /// What is asked, for people and without secrets: `http://nginx/health`, `db:3306`.
    pub fn shown(&self) -> String {
        match self {
            Self::Http(ask) => shown(&ask.url),
            Self::Tcp { host, port } => authority(host, *port),
        }
    }
}

impl HttpAsk {
    /// A `GET` of `url` that expects any 2xx.
    pub fn get(url: Url) -> Self {
        Self {
            url,
            method: Method::GET,
            headers: Vec::new(),
            expect_status: Vec::new(),
            expect_body: None,
            expect_json: None,
            follow_redirects: false,
        }
    }
}

/// `url` without user, password, query and fragment: each may hold a secret.
pub(super) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query = if url.query().is_some() { "?…" } else { "" };
    format!("{}://{host}{port}{}{query}", url.scheme(), url.path())
}

/// `host:port`, with brackets around an IPv6 address.
pub(super) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(ask) => ask.fmt(f),
            Self::Tcp { .. } => write!(f, "Tcp({})", self.shown()),
        }
    }
}

impl fmt::Debug for HttpAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("url", &shown(&self.url))
            .field("method", &self.method)
            .field("headers", &self.headers)
            .field("expect_status", &self.expect_status)
            .field("expect_body", &self.expect_body)
            .field("expect_json", &self.expect_json)
            .field("follow_redirects", &self.follow_redirects)
            .finish()
    }
}

/// By what is sent and expected, so that an unchanged target keeps its task when the others change.
impl PartialEq for HttpAsk {
    fn eq(&self, other: &Self) -> bool {
        let pattern = |ask: &Self| ask.expect_body.as_ref().map(|regex| regex.as_str().to_owned());
        let same_header = |(ours, theirs): (&(HeaderName, SecretString), &(HeaderName, SecretString))| {
            ours.0 == theirs.0 && ours.1.expose_secret() == theirs.1.expose_secret()
        };
        self.url == other.url
            && self.method == other.method
            && self.headers.len() == other.headers.len()
            && self.headers.iter().zip(&other.headers).all(same_header)
            && self.expect_status == other.expect_status
            && pattern(self) == pattern(other)
            && self.expect_json == other.expect_json
            && self.follow_redirects == other.follow_redirects
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::AUTHORIZATION;

    use super::{Ask, HttpAsk};

    fn secretive() -> HttpAsk {
        let url = "https://kim:s3cret@coe.example:8443/health?key=s3cret#s3cret"
            .parse()
            .unwrap();
        HttpAsk {
            headers: vec![(AUTHORIZATION, "Bearer s3cret".into())],
            ..HttpAsk::get(url)
        }
    }

    #[test]
    fn no_secret_of_a_target_is_ever_printed() {
        let ask = Ask::Http(secretive());
        assert_eq!(ask.shown(), "https://coe.example:8443/health?…");
        assert!(!format!("{ask:?}").contains("s3cret"), "{ask:?}");
    }

    #[test]
    fn targets_are_the_same_only_if_all_that_is_sent_and_expected_is() {
        assert_eq!(secretive(), secretive());
        let header = vec![(AUTHORIZATION, "Bearer other".into())];
        assert_ne!(
            secretive(),
            HttpAsk {
                headers: header,
                ..secretive()
            }
        );
        let pattern = regex::Regex::new("healthy").ok();
        assert_ne!(
            secretive(),
            HttpAsk {
                expect_body: pattern,
                ..secretive()
            }
        );
    }
}
