//! Our own log: text or JSON on stderr, filtered by level.

use tracing_subscriber::EnvFilter;

/// Libraries that would log whole engine answers (container environments!) at debug level.
const QUIET: [&str; 4] = ["hyper=info", "hyper_util=info", "reqwest=info", "sqlx=warn"];

/// Begins to log. A level that cannot be read is `info`.
pub fn begin(level: &str, json: bool) {
    let mut filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    for directive in QUIET {
        if let Ok(directive) = directive.parse() {
            filter = filter.add_directive(directive);
        }
    }
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_terminal)
        .with_writer(std::io::stderr);
    // A second call (tests) finds the first one's subscriber in place, and keeps it.
    let _ = if json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}

/// An error with its causes, in one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
