//! One POST to one receiver, and what its answer means.
//!
//! Promises a sentence without secrets for every failure (a webhook's URL is one), the same for the same cause, so that a
//! lasting failure is one failure. Refuses to know what is sent.

use std::error::Error;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{RequestBuilder, Response, StatusCode};

use crate::model::redact::{redact, shorten};

/// The most of a refusal's text that is quoted, in characters.
const QUOTED: usize = 200;

/// The most of a refusal's text that is read, in bytes.
const READ: usize = 4096;

/// The pause after a refusal that the same message will meet again: long enough to be no nuisance, short enough to notice a
/// receiver that was put right.
const REFUSED: Duration = Duration::from_mins(1);

/// The longest pause that a receiver can ask for (`Retry-After`).
const LONGEST_ASKED: Duration = Duration::from_mins(5);

/// Sends requests.
pub(super) struct Post {
    /// Does not follow redirects.
    pub(super) client: reqwest::Client,
    /// For one request, answer included.
    pub(super) timeout: Duration,
}

/// Why a receiver has not taken a message.
#[derive(Debug)]
pub(super) struct Failure {
    /// The same for as long as the cause is.
    pub(super) cause: String,
    /// One sentence: the cause, and what the receiver said.
    pub(super) sentence: String,
    /// How long to wait at least before the next try.
    pub(super) pause: Duration,
}

/// How much of a refusal's text may be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    /// All of it: the URL is no secret.
    Text,
    /// Only a single word such as Slack's `invalid_payload`: a page of text may repeat the URL.
    Word,
}

impl Post {
    /// Sends `request`; `Ok` if a 2xx came back.
    pub(super) async fn send(&self, request: RequestBuilder, quote: Quote) -> Result<(), Failure> {
        let request = request
            .timeout(self.timeout)
            .build()
            .map_err(|_| Failure::of("its URL is not usable"))?;
        let asked = request.url().clone();
        let response = self
            .client
            .execute(request)
            .await
            .map_err(|error| self.transport(error))?;
        let status = response.status();
        if response.url().path() != asked.path() || response.url().origin() != asked.origin() {
            return Err(Failure::of(
                "it redirects; name the place where messages are taken",
            ));
        }
        if status.is_success() {
            return Ok(());
        }
        Err(refusal(status, response, quote).await)
    }

    fn transport(&self, error: reqwest::Error) -> Failure {
        if error.is_timeout() {
            return Failure::of(format!("it did not answer within {:?}", self.timeout));
        }
        let error = error.without_url();
        // The last cause says it ("Connection refused"); those above it repeat that sending failed.
        let mut cause: &dyn Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Failure::of(redact(&cause.to_string()))
    }
}

impl Failure {
    fn of(cause: impl Into<String>) -> Self {
        let cause = cause.into();
        Self {
            sentence: cause.clone(),
            cause,
            pause: Duration::ZERO,
        }
    }
}

async fn refusal(status: StatusCode, mut response: Response, quote: Quote) -> Failure {
    let cause = if status.is_redirection() {
        format!(
            "it answered {}: it redirects; name the place where messages are taken",
            status.as_u16()
        )
    } else {
        format!("it answered {}", status.as_u16())
    };
    let asked_for = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    let asked_for = asked_for
        .and_then(|text| text.trim().parse().ok())
        .map(Duration::from_secs);
    let pause = match asked_for {
        Some(pause) => pause.min(LONGEST_ASKED),
        None if is_lasting(status) => REFUSED,
        None => Duration::ZERO,
    };
    let mut said = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        said.extend_from_slice(&chunk);
        if said.len() > READ {
            break;
        }
    }
    let said = String::from_utf8_lossy(&said);
    let said = said.trim();
    let is_word = said.len() <= 40 && said.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let sentence = if said.is_empty() || (quote == Quote::Word && !is_word) {
        cause.clone()
    } else {
        format!("{cause}: {}", shorten(&redact(said), QUOTED))
    };
    Failure {
        cause,
        sentence,
        pause,
    }
}

/// Whether the same message will be refused again as long as nobody changes anything.
fn is_lasting(status: StatusCode) -> bool {
    let passing = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    status.is_redirection() || (status.is_client_error() && !passing.contains(&status))
}
