//! The request that a probe sends.
//!
//! Promises that configured headers and credentials go to their own origin only. Refuses to know what comes back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::Request;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;
use url::{Position, Url};

use super::http::Hop;
use super::target::{HttpAsk, shown};
use super::trace::fail;
use crate::model::probe::{FailureReason, ProbeFailure};

/// Who asks.
const AGENT: &str = concat!("migwatch/", env!("CARGO_PKG_VERSION"));

/// The request of `hop`, with what `ask` configured if the hop is still at its origin.
pub(super) fn request(ask: &HttpAsk, hop: &Hop) -> Result<Request<Empty<Bytes>>, ProbeFailure> {
    let at_home = hop.url.origin() == ask.url.origin();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    let authority = &hop.url[Position::BeforeHost..Position::AfterPort];
    headers.insert(HOST, value(&HOST, authority)?);
    if let Some(credentials) = basic(if at_home { &ask.url } else { &hop.url }) {
        headers.insert(AUTHORIZATION, value(&AUTHORIZATION, &credentials)?);
    }
    for (name, secret) in ask.headers.iter().filter(|_| at_home) {
        headers.insert(name.clone(), value(name, secret.expose_secret())?);
    }
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    let target = &hop.url[Position::BeforePath..Position::AfterQuery];
    let mut request = Request::builder()
        .method(hop.method.clone())
        .uri(target)
        .body(Empty::new())
        .map_err(|_| {
            fail(
                FailureReason::Protocol,
                format!("{} cannot be asked for over HTTP", shown(&hop.url)),
            )
        })?;
    *request.headers_mut() = headers;
    Ok(request)
}

fn value(name: &HeaderName, text: &str) -> Result<HeaderValue, ProbeFailure> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        fail(
            FailureReason::Protocol,
            format!("the value of the header {name} cannot be sent over HTTP"),
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Basic authentication from the user and password in `url`, if it has them.
fn basic(url: &Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut plain: Vec<u8> = percent_decode_str(url.username()).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(url.password().unwrap_or_default()));
    Some(format!("Basic {}", STANDARD.encode(plain)))
}

#[cfg(test)]
mod tests {
    use hyper::Method;
    use hyper::header::{AUTHORIZATION, HOST, HeaderName};

    use super::{Hop, request};
    use crate::probe::target::HttpAsk;

    fn hop(url: &str) -> Hop {
        Hop {
            url: url.parse().unwrap(),
            method: Method::GET,
        }
    }

    #[test]
    fn the_host_header_names_a_port_only_where_it_is_not_the_usual_one() {
        for (url, host) in [
            ("http://nginx/health", "nginx"),
            ("http://nginx:80/health", "nginx"),
            ("https://nginx:8443/health", "nginx:8443"),
            ("http://[::1]:8000/", "[::1]:8000"),
        ] {
            let request = request(&HttpAsk::get(url.parse().unwrap()), &hop(url)).unwrap();
            assert_eq!(request.headers()[HOST], host);
        }
    }

    #[test]
    fn credentials_and_headers_stay_with_their_origin() {
        let url = "http://kim:p%40ss@coe:8000/health";
        let token = HeaderName::from_static("x-token");
        let ask = HttpAsk {
            headers: vec![(token.clone(), "t0ken".into())],
            ..HttpAsk::get(url.parse().unwrap())
        };
        let home = request(&ask, &hop("http://coe:8000/health/")).unwrap();
        assert_eq!(home.headers()[AUTHORIZATION], "Basic a2ltOnBAc3M=");
        assert_eq!(home.headers()[&token], "t0ken");
        let away = request(&ask, &hop("http://coe:8001/health/")).unwrap();
        assert!(!away.headers().contains_key(AUTHORIZATION) && !away.headers().contains_key(&token));
    }

    #[test]
    fn a_header_value_that_http_cannot_carry_is_named_without_being_shown() {
        let url = "http://coe/";
        let headers = vec![(HeaderName::from_static("x-token"), "s3cret\nx".into())];
        let failure = request(
            &HttpAsk {
                headers,
                ..HttpAsk::get(url.parse().unwrap())
            },
            &hop(url),
        )
        .unwrap_err();
        assert_eq!(
            failure.detail,
            "the value of the header x-token cannot be sent over HTTP"
        );
    }
}
