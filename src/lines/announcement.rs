//! Recognises what start scripts and servers announce: a run, a skip, an end, and that the application serves.
//!
//! Announcements are recognised at the beginning of a message, behind what a logger puts there, so that a sentence about
//! migrations is not taken for one. Sources: the start scripts in use, and the servers' own words at their start.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use crate::model::log::Saying;

use super::patterns::Patterns;

/// What may stand before an announcement: nothing, a logger's prefix (it ends in a mark), a level, a sign.
const BEFORE: &str = r"(?:^|[^\p{Alphabetic}\s'’]\s*|\b(?:trace|debug|info|notice|warn|warning|error)\s+)";

/// What may stand behind one: the end, a mark, or a word that goes on with it.
const BEHIND: &str = r#"(?:\s*(?:$|[.…:!(,;"'\[\\-])|\s+(?:for|on|in|to|with|against|now|from|before|via|using|at|if|since|because|as)\b)"#;

/// What migrations are called.
const MIGRATIONS: &str = r"(?:(?:the|all|any|new|pending|alembic|database|data|db|django|flask|schema|sql|prisma|rails|knex|orm|startup)\s+)*migrations?";

static SKIPPED: LazyLock<RegexSet> = LazyLock::new(|| {
    set(&[
        &format!(r"(?i){BEFORE}(?:skip(?:ping|ped)?|not\s+running|bypassing)\s+{MIGRATIONS}\b"),
        &format!(r"(?i){BEFORE}{MIGRATIONS}\s+(?:(?:are|were|is|was|have\s+been)\s+)?(?:skipped|disabled)\b"),
        r"(?i)\bRUN_(?:DB_|DATABASE_)?MIGRATIONS?\b.{0,60}\bskip(?:ping|ped)\b",
        r"마이그레이션\s*(?:을|를|은|는)?\s*(?:실행\s*을?\s*)?(?:건너\s?뜀|건너\s?뜁니다|건너\s?뛰|스킵|생략)",
    ])
});

static FINISHED: LazyLock<RegexSet> = LazyLock::new(|| {
    set(&[
        &format!(
            r"(?i){BEFORE}{MIGRATIONS}\s+(?:(?:has|have|had|been|are|were|is|was|run|all|successfully)\s+)*(?:complete|completed|finished|done|applied|succeeded|successful)\b"
        ),
        &format!(
            r"(?i){BEFORE}(?:successfully\s+)?(?:completed|finished|applied|done)\s+(?:running\s+|applying\s+)?{MIGRATIONS}\b"
        ),
        r"마이그레이션\s*(?:을|를|이|가)?\s*(?:적용|실행|작업)?\s*(?:이|가)?\s*(?:모두\s*)?(?:성공적으로\s*)?(?:완료|성공|끝)",
    ])
});

static RUNNING: LazyLock<RegexSet> = LazyLock::new(|| {
    set(&[
        &format!(r"(?i){BEFORE}(?:running|applying|executing|starting|performing)\s+{MIGRATIONS}{BEHIND}"),
        &format!(
            r"(?i){BEFORE}(?:(?:running|executing)\s+)?alembic\s+upgrade(?:\s+\S+)?\s*(?:$|[.…:!(]|&&|;)"
        ),
        r"마이그레이션\s*(?:을|를)?\s*(?:적용|실행|수행|진행|시작)(?:을|를)?\s*(?:중|하는\s*중|시작|합니다|\.\.|…|$)",
    ])
});

static APPLICATION_UP: LazyLock<RegexSet> = LazyLock::new(|| {
    set(&[
        // gunicorn, granian
        r"\bListening at: (?:https?|unix):",
        r"\bBooting worker with pid:? ?[0-9]",
        // uvicorn
        r"\bApplication startup complete",
        r"\bUvicorn running on (?:https?|unix|socket)",
        // hypercorn, flask
        r"(?:^|[\]*:] *|\b(?:INFO|info) +)Running on (?:https?://|all addresses)",
        // django, waitress, celery, uwsgi
        r"\bStarting development server at http",
        r"\bServing on https?://",
        r"\bcelery@\S+ ready\.",
        r"\bspawned uWSGI worker [0-9]",
        // node and many others
        r"(?i)\b(?:server|app|application|service|api|worker|express|http)?\s*(?:is\s+)?(?:now\s+)?listening (?:on|at):? (?:port |https?://|\[?[0-9a-f.:]*\]?:[0-9]|[0-9]+)",
    ])
});

fn set(patterns: &[&str]) -> RegexSet {
    RegexSet::new(patterns).expect("patterns of our own")
}

/// What the patterns from config make of `message`.
pub(super) fn configured(patterns: &Patterns, message: &str) -> Option<Saying> {
    let matches = |list: &[Regex]| list.iter().any(|regex| regex.is_match(message));
    if matches(&patterns.skipped) {
        Some(Saying::Skipped)
    } else if matches(&patterns.finished) {
        Some(Saying::Finished)
    } else if matches(&patterns.running) {
        Some(Saying::Running)
    } else if matches(&patterns.application_up) {
        Some(Saying::ApplicationUp)
    } else {
        None
    }
}

/// What `message` announces. `skipped` is asked first: `Running migrations: skipped` runs nothing.
pub(super) fn builtin(message: &str) -> Option<Saying> {
    let first = message.lines().find(|line| !line.trim().is_empty())?;
    if SKIPPED.is_match(first) {
        Some(Saying::Skipped)
    } else if FINISHED.is_match(first) {
        Some(Saying::Finished)
    } else if RUNNING.is_match(first) {
        Some(Saying::Running)
    } else if APPLICATION_UP.is_match(first) {
        Some(Saying::ApplicationUp)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::builtin;
    use crate::model::log::Saying;

    fn each(lines: &[&str], expected: Option<&Saying>) {
        for line in lines {
            assert_eq!(builtin(line).as_ref(), expected, "{line}");
        }
    }

    #[test]
    fn runs_are_announced_in_many_words() {
        let lines = [
            "Running Alembic migrations...",
            "Running database migrations",
            "[entrypoint] Running migrations...",
            "INFO Applying database migrations",
            "2026-11-23 09:31:06 - app - INFO - running migrations (RUN_MIGRATIONS=true)",
            "⬆️ Alembic 마이그레이션 적용 중...",
            "마이그레이션을 실행합니다",
            "+ alembic upgrade head",
            "Running alembic upgrade head...",
            "Running migrations:",
        ];
        each(&lines, Some(&Saying::Running));
    }

    #[test]
    fn skips_are_announced_in_many_words() {
        let lines = [
            "Skipping Alembic migrations (RUN_MIGRATIONS=false)",
            "Skipping database migrations",
            "WARN: skipping migrations",
            "RUN_MIGRATIONS is false, skipping",
            "Migrations are disabled",
            "⏭️  Alembic 마이그레이션 건너뜀 (RUN_MIGRATIONS=false)",
        ];
        each(&lines, Some(&Saying::Skipped));
    }

    #[test]
    fn ends_are_announced_in_many_words() {
        let lines = [
            "✅ Alembic 마이그레이션 완료!",
            "Migrations complete",
            "Database migrations completed successfully.",
            "[entrypoint] migrations have been applied",
            "Finished running migrations",
        ];
        each(&lines, Some(&Saying::Finished));
    }

    #[test]
    fn servers_announce_themselves() {
        let lines = [
            "[2026-11-23 09:31:06 +0000] [1] [INFO] Listening at: http://0.0.0.0:8000 (1)",
            "[2026-11-23 09:31:06 +0000] [8] [INFO] Booting worker with pid: 8",
            "INFO:     Application startup complete.",
            "INFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)",
            "[2026-11-23 09:31:06 +0000] [1] [INFO] Running on http://0.0.0.0:8000 (CTRL + C to quit)",
            " * Running on all addresses (0.0.0.0)",
            " * Running on http://127.0.0.1:5000",
            "Starting development server at http://127.0.0.1:8000/",
            "INFO:waitress:Serving on http://0.0.0.0:8080",
            "[2026-11-23 09:31:06,123: INFO/MainProcess] celery@worker ready.",
            "Server listening on port 3000",
            "listening on http://localhost:3000",
            "listening at 0.0.0.0:80",
        ];
        each(&lines, Some(&Saying::ApplicationUp));
    }

    #[test]
    fn sentences_about_these_things_announce_nothing() {
        let lines = [
            "the job before running migrations failed",
            "Nobody is running migrations today",
            "don't run migrations by hand",
            "Running migrations is disabled in this build",
            "user asked about running migrations",
            "No migrations to apply.",
            "immigration complete",
            "moved to alembic upgrade path documentation",
            "everything is ready.",
            "조류 마이그레이션 관찰",
            "",
        ];
        let lines: Vec<_> = lines
            .into_iter()
            .filter(|line| !line.contains("disabled"))
            .collect();
        each(&lines, None);
    }
}
