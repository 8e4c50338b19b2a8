//! Commands that are made to hurt whoever reads them: on a small stack, and in bounded time.

use std::time::Duration;

use migwatch::command::{of_argv, of_exec};

/// Far more than any of them takes, even in an unoptimised build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn hostile_commands_are_read_in_bounded_time_and_depth() {
    let unset = |_: &str| None;
    for piece in [
        "${A:-",
        "A=$A$A;",
        "! ",
        "A=b ",
        "( ",
        "if [ $A = b ]; then ",
        "[ $A = b -o ",
        "sh -c '",
        "eval ",
        "case $A in ",
        "$(",
        "alembic ",
        "db ",
        "bash -",
    ] {
        for start in ["", "A=;", "A=xxxxxxxx; "] {
            let script = format!("{start}{}", piece.repeat(60_000 / piece.len()));
            let thread = std::thread::Builder::new().stack_size(512 * 1024);
            let (sender, receiver) = std::sync::mpsc::channel();
            let read = thread.spawn(move || {
                let argv = ["sh", "-c", script.as_str()].map(str::to_owned);
                let known = of_argv(&argv, &unset);
                let _ = sender.send((known, of_exec(&format!("sh -c {script}")), of_exec(&script)));
            });
            assert!(
                receiver.recv_timeout(PATIENCE).is_ok(),
                "{piece:?} behind {start:?}"
            );
            assert!(read.is_ok_and(|read| read.join().is_ok()), "{piece:?}");
        }
    }
}
