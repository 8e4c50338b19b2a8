//! How a webhook wants it: one POST for each transition, in order.
//!
//! Promises the header `Idempotency-Key`, the same for every repeat of a message. Refuses to know what comes next.

use reqwest::header::HeaderName;
use secrecy::{ExposeSecret, SecretString};

use super::Format;
use super::message::body;
use super::post::{Failure, Post, Quote};
use crate::model::alert::Transition;

/// draft-ietf-httpapi-idempotency-key-header
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Hands `transition` over.
pub(super) async fn deliver(
    post: &Post,
    url: &SecretString,
    format: Format,
    transition: &Transition,
) -> Result<(), Failure> {
    let request = post
        .client
        .post(url.expose_secret())
        .header(IDEMPOTENCY_KEY, transition.key());
    post.send(request.json(&body(transition, format)), Quote::Word)
        .await
}
