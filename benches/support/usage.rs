//! What a process has used so far, as `/proc` tells it.

use std::fs;
use std::path::Path;

/// Clock ticks a second in `/proc`, on every Linux of today.
const TICKS: f64 = 100.0;

/// Its memory, in one line.
pub(crate) fn memory(process: &Path) -> String {
    let status = fs::read_to_string(process.join("status")).expect("the program runs");
    let fields = ["VmRSS", "RssAnon", "RssFile", "VmHWM"].map(|name| {
        let line = status.lines().find(|line| line.starts_with(name));
        let words: Vec<&str> = line.unwrap_or(name).split_whitespace().collect();
        words.join(" ")
    });
    fields.join(", ")
}

/// Its user and system time, in seconds.
pub(crate) fn cpu(process: &Path) -> f64 {
    let stat = fs::read_to_string(process.join("stat")).expect("the program runs");
    // The name in parentheses may hold blanks; user and system time are the 12th and 13th field behind it.
    let (_, fields) = stat.rsplit_once(')').expect("the name is in parentheses");
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}
