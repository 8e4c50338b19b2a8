//! The files in a container; and containers that are made only to be read, the one thing here that is no GET.

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;

use super::super::wire::{Body, Question};
use super::{Engine, EngineError, encoded, get, json, send};
use crate::model::service::ContainerId;

impl Engine {
    /// Whether a file exists in a container, running or not. Only the answer's headers are read.
    ///
    /// # Errors
    /// When the engine does not say.
    pub async fn holds(&self, id: &ContainerId, file: &str) -> Result<bool, EngineError> {
        match get(&self.endpoint, &self.archive_path(id, file)).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_absent() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A file or a folder of a container, running or not, as a tar; `None` if there is nothing at that path.
    ///
    /// # Errors
    /// When there is no answer, or no such container.
    pub(in super::super) async fn archive(
        &self,
        id: &ContainerId,
        file: &str,
    ) -> Result<Option<Body>, EngineError> {
        match get(&self.endpoint, &self.archive_path(id, file)).await {
            Ok(answer) => Ok(Some(answer.into_body())),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a container from an image, which is never started; gives its ID. Not a GET: only where a person asked for it.
    ///
    /// # Errors
    /// When there is no answer, or no such image.
    pub(in super::super) async fn create(&self, image: &str) -> Result<ContainerId, EngineError> {
        let path = format!("/v{}/containers/create", self.api);
        // A command is needed where the image has none; it is never run.
        let body =
            serde_json::json!({ "Image": image, "Cmd": ["true"], "Labels": { "migwatch.enable": "false" } });
        let question = Question {
            method: Method::POST,
            path: &path,
            body: body.to_string().into(),
        };
        let answer = send(&self.endpoint, &question).await?;
        let created = json(answer, &path).await?;
        let id = created.get("Id").and_then(Value::as_str).unwrap_or_default();
        Ok(ContainerId(id.to_owned()))
    }

    /// Removes a container. Not a GET: only what [`Engine::create`] made is removed.
    ///
    /// # Errors
    /// When there is no answer, or a refusal.
    pub(in super::super) async fn remove(&self, id: &ContainerId) -> Result<(), EngineError> {
        let path = format!("/v{}/containers/{}?force=1&v=1", self.api, id.0);
        let question = Question {
            method: Method::DELETE,
            path: &path,
            body: Bytes::new(),
        };
        send(&self.endpoint, &question).await.map(drop)
    }

    fn archive_path(&self, id: &ContainerId, file: &str) -> String {
        format!(
            "/v{}/containers/{}/archive?path={}",
            self.api,
            id.0,
            encoded(file)
        )
    }
}
