//! How times, tones and identifiers are written on the page.

use std::time::Duration;

use maud::{Markup, html};

use crate::model::time::Timestamp;

/// What lasted less is said with a decimal.
const EXACT: Duration = Duration::from_secs(10);

/// How bad something is; each has a sign of its own, so that colour is never alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    Doubtful,
    Busy,
    Quiet,
}

impl Tone {
    fn class_and_sign(self) -> (&'static str, &'static str) {
        match self {
            Self::Good => ("badge good", "✓"),
            Self::Bad => ("badge bad", "✕"),
            Self::Doubtful => ("badge doubtful", "!"),
            Self::Busy => ("badge busy", "…"),
            Self::Quiet => ("badge quiet", "–"),
        }
    }
}

/// A word with its tone.
pub(super) fn badge(tone: Tone, word: &str) -> Markup {
    let (class, sign) = tone.class_and_sign();
    html! { span class=(class) { span.sign aria-hidden="true" { (sign) } " " (word) } }
}

/// `2 min ago`, with the time itself beside it.
pub(super) fn moment(now: Timestamp, at: Timestamp) -> Markup {
    html! { time datetime=(at) { (age(now, at)) " " small { (clock(at)) } } }
}

/// `2 min ago` alone; the time itself shows on pointing.
pub(super) fn short_moment(now: Timestamp, at: Timestamp) -> Markup {
    html! { time datetime=(at) title=(clock(at)) { (age(now, at)) } }
}

/// `2026-11-23 09:31:06 UTC`
pub(super) fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    match text.get(..19) {
        Some(seconds) => format!("{} UTC", seconds.replacen('T', " ", 1)),
        None => text,
    }
}

/// `09:31:06.123`, for things within one migration.
pub(super) fn time_of_day(at: Timestamp) -> String {
    at.to_string().get(11..23).unwrap_or_default().to_owned()
}

/// How long ago, in the largest unit that still says something.
fn age(now: Timestamp, at: Timestamp) -> String {
    match now.since(at) {
        short if short < Duration::from_secs(1) => "now".to_owned(),
        seconds if seconds < EXACT => format!("{} s ago", seconds.as_secs()),
        longer => format!("{} ago", lasted(longer)),
    }
}

/// `97 s`, `3 min`, `5 h`, `14 d`; below ten seconds with a decimal.
pub(super) fn lasted(duration: Duration) -> String {
    match duration.as_secs() {
        short if short < EXACT.as_secs() => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::{age, clock, lasted, time_of_day};
    use crate::model::time::Timestamp;
    use std::time::Duration;

    #[test]
    fn ages_are_said_in_the_unit_that_fits() {
        let now = Timestamp::from_seconds(10_000_000);
        for (seconds, says) in [
            (0, "now"),
            (7, "7 s ago"),
            (97, "97 s ago"),
            (180, "3 min ago"),
            (7_300, "2 h ago"),
            (200_000, "2 d ago"),
        ] {
            assert_eq!(age(now, now.before(Duration::from_secs(seconds))), says);
        }
        assert_eq!(
            age(now, now.after(Duration::from_mins(1))),
            "now",
            "a clock that runs ahead is no age"
        );
        assert_eq!(lasted(Duration::from_millis(430)), "0.4 s");
    }

    #[test]
    fn times_are_utc_and_say_so() {
        let at: Timestamp = "2026-11-23T18:31:06.123456789+09:00".parse().unwrap();
        assert_eq!(clock(at), "2026-11-23 09:31:06 UTC");
        assert_eq!(time_of_day(at), "09:31:06.123");
    }
}
