//! Which signals ask a container to stop, and which only tell it something. Pure.

/// Read your configuration again, open your log again: signals by which running programs are told things, with their names.
const TELL: [(i32, &str); 3] = [(1, "HUP"), (10, "USR1"), (12, "USR2")];

/// Whether a signal that was sent through the API asks for a stop. `stop_signal` is what the container itself calls its own, as in
/// `SIGUSR1`: some programs take for a stop what tells others to go on.
pub(super) fn asks_for_stop(signal: Option<i32>, stop_signal: Option<&str>) -> bool {
    let mut tell = TELL.iter();
    let Some((number, name)) = tell.find(|(number, _)| Some(*number) == signal) else {
        return true;
    };
    stop_signal.is_some_and(|own| own.trim_start_matches("SIG") == *name || own == number.to_string())
}

#[cfg(test)]
mod tests {
    use super::asks_for_stop;

    #[test]
    fn a_signal_that_tells_a_program_something_asks_for_no_stop() {
        for signal in [1, 10, 12] {
            assert!(!asks_for_stop(Some(signal), None), "{signal}");
            assert!(!asks_for_stop(Some(signal), Some("SIGTERM")), "{signal}");
        }
    }

    #[test]
    fn any_other_signal_does_and_so_does_one_that_is_not_told() {
        for signal in [None, Some(2), Some(3), Some(9), Some(15), Some(28)] {
            assert!(asks_for_stop(signal, None), "{signal:?}");
        }
    }

    #[test]
    fn a_container_whose_own_stop_signal_it_is_is_asked_to_stop() {
        for own in ["SIGUSR1", "USR1", "10"] {
            assert!(asks_for_stop(Some(10), Some(own)), "{own}");
            assert!(!asks_for_stop(Some(1), Some(own)), "{own}");
        }
    }
}
