//! Which signals ask a container to stop, and which only tell it something. Pure.

/// What stops programs that say nothing else, with their names. Others tell them something: read your configuration again, open your log
/// again, take one more worker, print your threads.
const STOP: [(i32, &str); 3] = [(2, "INT"), (9, "KILL"), (15, "TERM")];
/// Those that images name as their own stop signal, beside.
const NAMED: [(i32, &str); 5] = [(1, "HUP"), (3, "QUIT"), (10, "USR1"), (12, "USR2"), (28, "WINCH")];

/// Whether a signal that was sent through the API asks for a stop; one that is not told does. `stop_signal` is what the container itself
/// calls its own, as in `SIGQUIT` (nginx, php-fpm), `SIGWINCH` (httpd) or `37`.
pub(super) fn asks_for_stop(signal: Option<i32>, stop_signal: Option<&str>) -> bool {
    let Some(signal) = signal else { return true };
    if STOP.iter().any(|(number, _)| *number == signal) {
        return true;
    }
    let named = NAMED.iter().find(|(number, _)| *number == signal);
    stop_signal.is_some_and(|own| {
        let is_name = named.is_some_and(|(_, name)| own.trim_start_matches("SIG") == *name);
        is_name || own == signal.to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::asks_for_stop;

    #[test]
    fn a_signal_that_tells_a_program_something_asks_for_no_stop() {
        for signal in [1, 3, 10, 12, 18, 21, 28] {
            assert!(!asks_for_stop(Some(signal), None), "{signal}");
            assert!(!asks_for_stop(Some(signal), Some("SIGTERM")), "{signal}");
        }
    }

    #[test]
    fn what_stops_any_program_does_and_so_does_one_that_is_not_told() {
        for signal in [None, Some(2), Some(9), Some(15)] {
            assert!(asks_for_stop(signal, None), "{signal:?}");
            assert!(asks_for_stop(signal, Some("SIGQUIT")), "{signal:?}");
        }
    }

    #[test]
    fn a_container_whose_own_stop_signal_it_is_is_asked_to_stop() {
        for (signal, own) in [
            (10, "SIGUSR1"),
            (10, "USR1"),
            (10, "10"),
            (3, "SIGQUIT"),
            (28, "SIGWINCH"),
            (37, "37"),
        ] {
            assert!(asks_for_stop(Some(signal), Some(own)), "{own}");
            assert!(!asks_for_stop(Some(1), Some(own)), "{own}");
        }
    }
}
