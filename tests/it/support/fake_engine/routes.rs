//! Paths and versions: which answer a request gets.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{Shared, events, execs, logs, shapes};

pub(super) type Answer = Response<BoxBody<Bytes, io::Error>>;

pub(super) async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Answer, Infallible> {
    let mut answer = route(&request, &shared).await;
    let (_, newest) = shared.state().versions;
    if let Ok(version) = HeaderValue::from_str(&format!("1.{newest}")) {
        answer.headers_mut().insert("Api-Version", version);
    }
    Ok(answer)
}

async fn route(request: &Request<Incoming>, shared: &Arc<Shared>) -> Answer {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            "only what a read-only proxy lets through is expected here",
        );
    }
    let path = match unversioned(request.uri().path(), shared) {
        Ok(path) => path,
        Err(refusal) => return *refusal,
    };
    let query = request.uri().query().unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match parts.as_slice() {
        ["_ping"] => plain(StatusCode::OK, "OK"),
        ["version"] => json_answer(&shapes::version(&shared.state())),
        ["info"] => json_answer(&shapes::info(&shared.state())),
        ["events"] => events::answer(shared, query),
        ["containers", "json"] => json_answer(&shapes::list(&shared.state(), query)),
        ["containers", id, "json"] => inspect(shared, id).await,
        ["containers", id, "logs"] => logs::answer(shared, id, query),
        ["containers", id, "archive"] => archive(shared, id, query),
        ["exec", id, "json"] => match execs::inspect(&shared.state(), id) {
            Some(exec) => json_answer(&exec),
            None => refuse(StatusCode::NOT_FOUND, &format!("No such exec instance: {id}")),
        },
        _ => refuse(StatusCode::NOT_FOUND, "page not found"),
    }
}

/// Strips `/v1.N`, if it is a version that the engine speaks.
fn unversioned<'path>(path: &'path str, shared: &Arc<Shared>) -> Result<&'path str, Box<Answer>> {
    let Some((version, rest)) = path.strip_prefix("/v1.").and_then(|path| path.split_once('/')) else {
        return Ok(path);
    };
    let Ok(asked) = version.parse::<u32>() else {
        return Err(Box::new(refuse(StatusCode::NOT_FOUND, "page not found")));
    };
    let (oldest, newest) = shared.state().versions;
    if asked > newest {
        let message =
            format!("client version 1.{asked} is too new. Maximum supported API version is 1.{newest}");
        return Err(Box::new(refuse(StatusCode::BAD_REQUEST, &message)));
    }
    if asked < oldest {
        let message = format!(
            "client version 1.{asked} is too old. Minimum supported API version is 1.{oldest}, please upgrade your client to a newer version"
        );
        // The one refusal that is no JSON on 20.10.
        return Err(Box::new(plain(StatusCode::BAD_REQUEST, &message)));
    }
    Ok(rest)
}

async fn inspect(shared: &Arc<Shared>, id: &str) -> Answer {
    let slow = shared.state().slow_inspect;
    if !slow.is_zero() {
        // What is played here is an engine that takes its time.
        let _ = tokio::time::timeout(slow, std::future::pending::<()>()).await;
    }
    let mut state = shared.state();
    state.inspections += 1;
    match state.container(id) {
        Some(container) => json_answer(&shapes::inspect(container, state.podman)),
        None => refuse(StatusCode::NOT_FOUND, &format!("No such container: {id}")),
    }
}

fn archive(shared: &Arc<Shared>, id: &str, query: &str) -> Answer {
    let path = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "path")
        .map(|(_, path)| path);
    let path = path.unwrap_or_default();
    let mut state = shared.state();
    let Some(container) = state.container(id) else {
        return refuse(StatusCode::NOT_FOUND, &format!("No such container: {id}"));
    };
    let id = container.id.clone();
    let packed = shapes::tar(&path, &container.spec, &container.written);
    state.archives.push((id.clone(), path.to_string()));
    let Some(packed) = packed else {
        let problem = format!("Could not find the file {path} in container {}", id.0);
        return refuse(StatusCode::NOT_FOUND, &problem);
    };
    let mut answer = whole(StatusCode::OK, packed);
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    answer
}

pub(super) fn refuse(status: StatusCode, message: &str) -> Answer {
    let mut answer = json_answer(&json!({ "message": message }));
    *answer.status_mut() = status;
    answer
}

fn json_answer(value: &Value) -> Answer {
    let mut answer = whole(StatusCode::OK, format!("{value}\n"));
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn plain(status: StatusCode, text: &str) -> Answer {
    whole(status, text.to_owned())
}

fn whole(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let body = Full::new(body.into())
        .map_err(|never: Infallible| match never {})
        .boxed();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}
