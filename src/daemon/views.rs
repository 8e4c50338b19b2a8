//! What the HTTP side may see: pictures of the state made when somebody asks, and the few figures that are measured here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, Registry};
use tokio::sync::{mpsc, oneshot, watch};

use super::Published;
use super::reload;
use crate::config::Config;
use crate::docker;
use crate::http;
use crate::journal::{HistoryFilter, Journal};
use crate::judge::{plan, preflight, view};
use crate::model::migration::Migration;
use crate::model::plan::Plan;
use crate::model::preflight::Check;
use crate::model::service::ServiceId;
use crate::model::status::Status;
use crate::model::time::Clock;
use crate::notify::Handed;

/// From a few milliseconds (our own part) to minutes (a receiver that was away).
const DETECTION_BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0,
];

/// How long somebody waits for code to be read at the most: a tenth of a second as a rule, many times that on a host that is short of
/// everything.
const REFRESH: Duration = Duration::from_secs(20);

/// How many migrations of a project are looked through for a rehearsal, the newest ones.
const REHEARSALS: usize = 1000;

/// The figures that are measured rather than seen in the state.
pub(super) struct Metrics {
    pub(super) registry: Registry,
    detection: Histogram,
}

impl Metrics {
    pub(super) fn register() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let options = HistogramOpts::new(
            "migwatch_detection_seconds",
            "From the arrival of the evidence of an alert to the moment a receiver had taken it.",
        );
        let detection = Histogram::with_opts(options.buckets(DETECTION_BUCKETS.to_vec()))?;
        registry.register(Box::new(detection.clone()))?;
        let process = prometheus::process_collector::ProcessCollector::for_self();
        registry.register(Box::new(process))?;
        Ok(Self { registry, detection })
    }

    pub(super) fn handed(&self) -> Handed {
        let detection = self.detection.clone();
        Arc::new(move |alert, at| detection.observe(at.since(alert.observed_at).as_secs_f64()))
    }
}

/// What the views are made of.
pub(super) struct Views {
    pub(super) published: watch::Receiver<Arc<Published>>,
    /// Reads code.
    pub(super) code: mpsc::Sender<docker::Again>,
    pub(super) config: watch::Receiver<Arc<Config>>,
    pub(super) reload: reload::Status,
    pub(super) journal: Arc<Mutex<Journal>>,
    pub(super) warnings: Arc<Mutex<Vec<String>>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) build: http::Build,
}

impl Views {
    pub(super) fn into_http(self, registry: Registry) -> http::Views {
        let build = self.build.clone();
        let shared = Arc::new(self);
        let (status, ready, history) = (Arc::clone(&shared), Arc::clone(&shared), Arc::clone(&shared));
        let (refresh, plan, preflight) = (Arc::clone(&shared), Arc::clone(&shared), shared);
        http::Views {
            status: Arc::new(move || Arc::new(status.status())),
            ready: Arc::new(move || ready.ready()),
            history: Arc::new(move |query| history.history(&query)),
            refresh: Arc::new(move |service| {
                let refresh = Arc::clone(&refresh);
                Box::pin(async move { refresh.refresh(&service).await })
            }),
            plan: Arc::new(move |query| plan.plan(&query)),
            preflight: Arc::new(move |question| preflight.preflight(&question)),
            registry,
            build,
        }
    }

    fn status(&self) -> Status {
        let published = Arc::clone(&self.published.borrow());
        let config = Arc::clone(&self.config.borrow());
        let mut status = view::status(&published.state, &config.settings, self.clock.now());
        let problem = self.reload.lock().unwrap_or_else(PoisonError::into_inner).clone();
        status.watcher.config_ok = problem.is_none();
        status.watcher.config_problem = problem;
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        status.watcher.warnings.extend(warnings.iter().cloned());
        status
    }

    /// Ready means: the first full look was had. An engine that is away is said, not waited for: migwatch serves.
    fn ready(&self) -> Result<(), String> {
        let live = &self.published.borrow().state.live;
        if live.engine.looked {
            return Ok(());
        }
        let problem = live.engine.problem.clone();
        Err(problem.unwrap_or_else(|| "the engine has not been looked at yet".to_owned()))
    }

    /// Waits until the code of the service's newest container was read, and is in the state that is shown.
    async fn refresh(&self, service: &ServiceId) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        let again = docker::Again::Asked(service.clone(), answer);
        let mut published = self.published.clone();
        let refreshed = async {
            let stops = || "migwatch stops".to_owned();
            self.code.send(again).await.map_err(|_| stops())?;
            let found = answered.await.map_err(|_| stops())??;
            if let Some((container, environments)) = found {
                let is_shown =
                    |published: &Arc<Published>| published.state.live.holds_code(&container, &environments);
                published.wait_for(is_shown).await.map_err(|_| stops())?;
            }
            Ok(())
        };
        let ended = tokio::time::timeout(REFRESH, refreshed).await;
        let late = || Err(format!("it did not end within {} s", REFRESH.as_secs()));
        ended.unwrap_or_else(|_| late()).map_err(|why| {
            format!("the code of {service} cannot be read as it is now, and nothing is said by what it was before: {why}")
        })
    }

    fn plan(&self, query: &http::PlanQuery) -> Result<Vec<Plan>, String> {
        let published = Arc::clone(&self.published.borrow());
        plan::plans(&published.state, &query.service, &query.target)
    }

    fn preflight(&self, question: &preflight::Question) -> Result<Vec<Check>, String> {
        let history = match &question.rehearsed_in {
            None => Vec::new(),
            Some(project) => self.history(&http::HistoryQuery {
                project: Some(project.clone()),
                service: None,
                since: None,
                limit: REHEARSALS,
            })?,
        };
        let published = Arc::clone(&self.published.borrow());
        let config = Arc::clone(&self.config.borrow());
        let now = self.clock.now();
        preflight::checks(&published.state, &config.settings, question, (&history, now))
    }

    /// Recent ones from the state, older ones from the journal.
    fn history(&self, query: &http::HistoryQuery) -> Result<Vec<Migration>, String> {
        let filter = HistoryFilter {
            project: query.project.clone(),
            service: query.service.clone(),
            since: query.since,
            limit: query.limit,
        };
        let is_asked = |migration: &Migration| {
            query
                .project
                .as_ref()
                .is_none_or(|project| *project == migration.service.project)
                && query
                    .service
                    .as_ref()
                    .is_none_or(|service| *service == migration.service.service)
                && query.since.is_none_or(|since| migration.started_at >= since)
        };
        let mut migrations = self.status().migrations;
        migrations.retain(is_asked);
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let older = journal.history(&filter).map_err(|error| error.to_string())?;
        drop(journal);
        for migration in older {
            if migrations.iter().all(|known| known.id != migration.id) {
                migrations.push(migration);
            }
        }
        migrations.sort_by_key(|migration| std::cmp::Reverse(migration.started_at));
        migrations.truncate(query.limit);
        Ok(migrations)
    }
}
