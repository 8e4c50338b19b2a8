//! What a run of a benchmark is told by its environment, and what the host was doing meanwhile.

/// The number in the variable `name`, else `usual`.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment of a benchmark is its command line"
)]
pub(crate) fn number(name: &str, usual: usize) -> usize {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text}: not a whole number")),
        Err(_) => usual,
    }
}

/// The host's load over the last one and five minutes.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").expect("Linux tells its load");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let loads: Vec<&str> = text.split(' ').take(2).collect();
    format!("load {} on {cores} cores", loads.join(" "))
}
