//! Which path answers with what, and who may ask for it.
//!
//! Promises a right status for every request: 404 for an unknown path, 405 with what is allowed, 403 with how to do it.
//! A `POST` needs the unix socket or the token; a browser on another site has neither.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::sync::oneshot;

use super::{Command, Commands, Views, api, metrics, page};
use crate::model::service::ServiceId;

/// The most bytes of a request's body.
const BODY_BYTES: usize = 16 * 1024;
/// How long a body may take to arrive.
const BODY: Duration = Duration::from_secs(5);
/// How long a command may take to be written.
const REPLY: Duration = Duration::from_secs(10);
/// The page needs nothing from anywhere and runs nothing.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Who is at the other end.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// Somebody on the network.
    Network(SocketAddr),
    /// The socket's owner or root.
    Owner {
        /// The user's number.
        user: u32,
    },
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(address) => write!(f, "token holder at {}", address.ip()),
            Self::Owner { user } => write!(f, "user {user}"),
        }
    }
}

/// What is served.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Route {
    Page,
    Metrics,
    Healthy,
    Ready,
    Status,
    Services,
    Migrations,
    Alerts,
    Acknowledge,
    Approvals,
    Revoke,
    EndDeploy,
    Plan,
    Preflight,
    Reload,
}

impl Route {
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/" => Self::Page,
            "/metrics" => Self::Metrics,
            "/-/healthy" => Self::Healthy,
            "/-/ready" => Self::Ready,
            "/-/reload" => Self::Reload,
            "/api/v1/status" => Self::Status,
            "/api/v1/services" => Self::Services,
            "/api/v1/migrations" => Self::Migrations,
            "/api/v1/alerts" => Self::Alerts,
            "/api/v1/ack" => Self::Acknowledge,
            "/api/v1/approvals" => Self::Approvals,
            "/api/v1/approvals/revoke" => Self::Revoke,
            "/api/v1/approvals/end" => Self::EndDeploy,
            "/api/v1/plan" => Self::Plan,
            "/api/v1/preflight" => Self::Preflight,
            _ => return None,
        })
    }

    /// What may be asked of it: `GET`, `POST`, or one by the other's name.
    fn methods(self) -> &'static str {
        match self {
            Self::Acknowledge | Self::Revoke | Self::EndDeploy | Self::Reload => "POST",
            Self::Approvals => "GET, HEAD, POST",
            _ => "GET, HEAD",
        }
    }
}

/// An answer whose body is all there.
type Answer = Response<Full<Bytes>>;

/// Answers requests.
pub(super) struct Routes {
    views: Views,
    commands: Commands,
    token: Option<SecretString>,
}

impl Routes {
    pub(super) fn new(views: Views, commands: Commands, token: Option<SecretString>) -> Self {
        // An empty token would be borne by anybody.
        let token = token.filter(|token| !token.expose_secret().is_empty());
        Self {
            views,
            commands,
            token,
        }
    }

    /// The answer to any request.
    pub(super) async fn answer(&self, caller: &Caller, request: Request<Incoming>) -> Answer {
        let Some(route) = Route::of(request.uri().path()) else {
            return error(
                StatusCode::NOT_FOUND,
                "there is nothing here; the page is at /, the API under /api/v1/",
            );
        };
        if !route
            .methods()
            .split(", ")
            .any(|method| method == request.method().as_str())
        {
            return not_allowed(route.methods());
        }
        if request.method() == Method::POST {
            if let Err(refusal) = self.may_change(caller, &request) {
                return error(StatusCode::FORBIDDEN, &refusal);
            }
            return self.change(route, caller, request).await;
        }
        self.show(route, request.uri().query().unwrap_or_default()).await
    }

    /// `Ok` for the socket's owner and whoever bears the token; else how to become one of them.
    fn may_change(&self, caller: &Caller, request: &Request<Incoming>) -> Result<(), String> {
        if matches!(caller, Caller::Owner { .. }) {
            return Ok(());
        }
        let Some(token) = &self.token else {
            return Err("changing something needs the unix socket (migwatch ack, approve and deploy do it so), or web.token_file in the config \
                        and its token in the header `Authorization: Bearer …`"
                .to_owned());
        };
        let borne = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| bearer(value.as_bytes()));
        if borne.is_some_and(|borne| equal_in_constant_time(borne, token.expose_secret().as_bytes())) {
            return Ok(());
        }
        Err("changing something over TCP needs the token of web.token_file in the header `Authorization: Bearer …`; or use the unix socket"
            .to_owned())
    }

    async fn change(&self, route: Route, caller: &Caller, request: Request<Incoming>) -> Answer {
        let body = match read_body(request.into_body()).await {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let command = match route {
            Route::Approvals => api::approval(&body, caller),
            Route::Revoke => api::revocation(&body, caller),
            Route::EndDeploy => api::end_of_deploy(&body),
            Route::Acknowledge => api::acknowledgement(&body, caller),
            _ => Ok(Command::Reload),
        };
        match command {
            Ok(command) => self.command(command).await,
            Err(problem) => error(StatusCode::BAD_REQUEST, &problem),
        }
    }

    /// Sends a command and waits until it is written.
    async fn command(&self, command: Command) -> Answer {
        let (reply, answered) = oneshot::channel();
        let outcome = tokio::time::timeout(REPLY, async {
            self.commands.send((command, reply)).await.ok()?;
            answered.await.ok()
        });
        match outcome.await {
            Ok(Some(Ok(done))) => json(&done),
            Ok(Some(Err(problem))) => error(StatusCode::UNPROCESSABLE_ENTITY, &problem),
            Ok(None) => error(
                StatusCode::SERVICE_UNAVAILABLE,
                "migwatch is ending; nothing was changed",
            ),
            Err(_) => error(
                StatusCode::GATEWAY_TIMEOUT,
                "no answer within 10 s; look at the status before trying again",
            ),
        }
    }

    async fn show(&self, route: Route, query: &str) -> Answer {
        match route {
            Route::Healthy => text("migwatch is healthy\n"),
            Route::Ready => match (self.views.ready)() {
                Ok(()) => text("migwatch is ready\n"),
                Err(reason) => error(StatusCode::SERVICE_UNAVAILABLE, &reason),
            },
            Route::Metrics => {
                let text = metrics::encode(&(self.views.status)(), &self.views.build, &self.views.registry);
                answer(StatusCode::OK, metrics::CONTENT_TYPE, text)
            }
            Route::Page => self.page(query),
            Route::Status => json(&*(self.views.status)()),
            Route::Services => json(&(self.views.status)().services),
            Route::Alerts => json(&(self.views.status)().alerts),
            Route::Migrations => {
                let (asked, history) = (api::history_query(query), self.views.history.clone());
                let asked = asked.map_err(|problem| (StatusCode::BAD_REQUEST, problem));
                let failed = StatusCode::INTERNAL_SERVER_ERROR;
                looked_up(asked, failed, move |asked| history(asked)).await
            }
            Route::Plan => {
                let asked = self.of_code_now(api::plan_query(query), |asked| &asked.service);
                let (asked, plan) = (asked.await, self.views.plan.clone());
                looked_up(asked, StatusCode::NOT_FOUND, move |asked| plan(asked)).await
            }
            Route::Preflight => {
                let asked = self.of_code_now(api::preflight_query(query), |asked| &asked.service);
                let (asked, preflight) = (asked.await, self.views.preflight.clone());
                looked_up(asked, StatusCode::NOT_FOUND, move |asked| preflight(asked)).await
            }
            Route::Approvals => json(&(self.views.status)().approvals),
            Route::Acknowledge | Route::Revoke | Route::EndDeploy | Route::Reload => not_allowed("POST"),
        }
    }

    /// Once the code that a question is about was read as it is now: a deploy goes by it. Holds no thread: reading needs one too.
    async fn of_code_now<Q>(
        &self,
        asked: Result<Q, String>,
        service: impl Fn(&Q) -> &ServiceId,
    ) -> Result<Q, Refusal> {
        let asked = asked.map_err(|problem| (StatusCode::BAD_REQUEST, problem))?;
        let refreshed = (self.views.refresh)(service(&asked).clone()).await;
        refreshed
            .map(|()| asked)
            .map_err(|problem| (StatusCode::SERVICE_UNAVAILABLE, problem))
    }

    fn page(&self, query: &str) -> Answer {
        let still = url::form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == "still");
        let html = page::render(&(self.views.status)(), &self.views.build, still);
        let mut answer = answer(StatusCode::OK, "text/html; charset=utf-8", html);
        let policy = HeaderValue::from_static(PAGE_POLICY);
        answer
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
        answer
    }
}

/// Why a question has no answer.
type Refusal = (StatusCode, String);

/// Answers a question off the event loop: the answer may come from the disk, or be worked out. `failed` if there is none.
async fn looked_up<Q, T>(
    asked: Result<Q, Refusal>,
    failed: StatusCode,
    look: impl FnOnce(Q) -> Result<T, String> + Send + 'static,
) -> Answer
where
    Q: Send + 'static,
    T: Serialize + Send + 'static,
{
    let asked = match asked {
        Ok(asked) => asked,
        Err((status, problem)) => return error(status, &problem),
    };
    match tokio::task::spawn_blocking(move || look(asked)).await {
        Ok(Ok(found)) => json(&found),
        Ok(Err(problem)) => error(failed, &problem),
        Err(_) => error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "looking that up failed; the log of migwatch says why",
        ),
    }
}

/// What went wrong, as JSON.
#[derive(Serialize)]
struct Problem<'a> {
    error: &'a str,
}

/// The token in `Bearer <token>`; the scheme's case does not matter (RFC 9110).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}

/// Equality that takes as long for a wrong first byte as for a wrong last one.
fn equal_in_constant_time(borne: &[u8], right: &[u8]) -> bool {
    let differing = borne
        .iter()
        .zip(right)
        .fold(0_u8, |sum, (a, b)| std::hint::black_box(sum | (a ^ b)));
    borne.len() == right.len() && differing == 0
}

async fn read_body(body: Incoming) -> Result<Bytes, Answer> {
    let too_large = || error(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 16 KiB");
    if body.size_hint().lower() > BODY_BYTES as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY, Limited::new(body, BODY_BYTES).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(problem)) if problem.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(error(StatusCode::BAD_REQUEST, "the body ended before its end")),
        Err(_) => Err(error(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive within 5 s",
        )),
    }
}

fn not_allowed(allow: &'static str) -> Answer {
    let mut answer = error(
        StatusCode::METHOD_NOT_ALLOWED,
        &format!("this path takes {allow} only"),
    );
    answer
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static(allow));
    answer
}

fn text(body: &'static str) -> Answer {
    answer(StatusCode::OK, "text/plain; charset=utf-8", body)
}

fn error(status: StatusCode, sentence: &str) -> Answer {
    let body = serde_json::to_string(&Problem { error: sentence }).unwrap_or_default();
    answer(status, "application/json", body)
}

fn json<T: Serialize>(value: &T) -> Answer {
    match serde_json::to_string(value) {
        Ok(body) => answer(StatusCode::OK, "application/json", body),
        Err(problem) => error(
            StatusCode::INTERNAL_SERVER_ERROR,
            &format!("the answer cannot be written as JSON: {problem}"),
        ),
    }
}

fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::{bearer, equal_in_constant_time};

    #[test]
    fn only_the_whole_token_is_equal() {
        assert!(equal_in_constant_time(b"s3cret", b"s3cret"));
        for wrong in [&b"s3cre"[..], b"s3crets", b"S3cret", b"s3creT", b""] {
            assert!(!equal_in_constant_time(wrong, b"s3cret"), "{wrong:?}");
        }
    }

    #[test]
    fn a_bearer_token_is_read_whatever_the_case_of_its_scheme() {
        assert_eq!(bearer(b"Bearer abc"), Some(&b"abc"[..]));
        assert_eq!(bearer(b"bearer  abc "), Some(&b"abc"[..]));
        assert_eq!(bearer(b"Basic abc"), None);
        assert_eq!(bearer(b"Bear"), None);
    }
}
