//! How fast logs are searched: framed and timestamped application lines of 150 bytes, as the engine sends them.
//!
//! `cargo bench --bench lines`. Prints GB/s of the bytes on the wire and nanoseconds a line, for few and for many lines that say
//! something, and for both ways in which an engine's chunks arrive.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use migwatch::lines::{Framing, Patterns, Scanner};

const LINES: usize = 200_000;
const ROUNDS: usize = 7;
const CHUNK: usize = 64 * 1024;

fn main() {
    let patterns = Arc::new(Patterns::builtin());
    println!(
        "{:<12} {:>8} {:>16} {:>8} {:>9} {:>8}",
        "framing", "hits", "chunks", "GB/s", "ns/line", "said"
    );
    for framing in [Framing::Multiplexed, Framing::Raw] {
        for (hits, every) in [("0 %", None), ("0.01 %", Some(10_000)), ("1 %", Some(100))] {
            let lines = log(framing, every);
            for (name, chunks) in [("64 KiB", cut(&lines)), ("one a line", lines)] {
                let (best, said) = best(&patterns, framing, &chunks);
                let bytes: f64 = chunks.iter().map(|chunk| count(chunk.len())).sum();
                println!(
                    "{:<12} {hits:>8} {name:>16} {:>8.2} {:>9.1} {said:>8}",
                    format!("{framing:?}"),
                    bytes / best.as_secs_f64() / 1e9,
                    best.as_secs_f64() * 1e9 / count(LINES),
                );
            }
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "figures of a benchmark have four digits"
)]
fn count(number: usize) -> f64 {
    number as f64
}

/// The best of several rounds, and how many lines said something in each.
fn best(patterns: &Arc<Patterns>, framing: Framing, chunks: &[Vec<u8>]) -> (Duration, usize) {
    let mut best = Duration::MAX;
    let mut said = 0;
    for _ in 0..ROUNDS {
        said = 0;
        let mut scanner = Scanner::new(Arc::clone(patterns), framing);
        // What a log that has long been followed is like: the application is up.
        feed(
            &mut scanner,
            &line(framing, 0, "Booting worker with pid: 8"),
            &mut said,
        );
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
        let start = Instant::now();
        for chunk in chunks {
            feed(&mut scanner, black_box(chunk), &mut said);
        }
        best = best.min(start.elapsed());
        black_box(scanner.position());
    }
    (best, said)
}

fn feed(scanner: &mut Scanner, chunk: &[u8], said: &mut usize) {
    scanner.feed(chunk, &mut |line| {
        black_box(line);
        *said += 1;
    });
}

/// [`LINES`] lines; each `every`th announces a run, and the line behind it that the application is up.
fn log(framing: Framing, every: Option<usize>) -> Vec<Vec<u8>> {
    (0..LINES)
        .map(|number| match every.map(|every| number % every) {
            Some(50) => line(framing, number, "Running Alembic migrations..."),
            Some(51) => line(
                framing,
                number,
                "[2026-11-23 09:31:06 +0000] [8] [INFO] Booting worker with pid: 8",
            ),
            _ => line(framing, number, &ordinary(number)),
        })
        .collect()
}

/// An application's line, 150 bytes without its time.
fn ordinary(number: usize) -> String {
    const METHODS: [&str; 4] = ["GET", "POST", "PUT", "HEAD"];
    let method = METHODS[number % METHODS.len()];
    let mut text = format!(
        "INFO 172.18.0.{}:{} - \"{method} /api/v1/items/{number}?page={} HTTP/1.1\" {} OK in {} ms user={:08x} ",
        number % 250,
        30_000 + number % 20_000,
        number % 17,
        200 + number % 4,
        number % 300,
        number.wrapping_mul(2_654_435_761),
    );
    while text.len() < 150 {
        text.push_str("request served by worker with cache ");
    }
    text.truncate(150);
    text
}

fn line(framing: Framing, number: usize, text: &str) -> Vec<u8> {
    let (seconds, nanos) = (number / 1000 % 60, number % 1000 * 1_000_000);
    let line = format!("2026-11-23T09:31:{seconds:02}.{nanos:09}Z {text}");
    if framing == Framing::Raw {
        return format!("{line}\r\n").into_bytes();
    }
    let length = u32::try_from(line.len() + 1).unwrap_or(0).to_be_bytes();
    [&[1, 0, 0, 0], &length[..], line.as_bytes(), b"\n"].concat()
}

fn cut(lines: &[Vec<u8>]) -> Vec<Vec<u8>> {
    lines.concat().chunks(CHUNK).map(<[u8]>::to_vec).collect()
}
