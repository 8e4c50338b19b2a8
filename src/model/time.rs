//! Points in time: nanoseconds since the Unix epoch, UTC, as the engine prints them.
//!
//! Promises exact round trips through RFC 3339 with nine digits. Refuses to know what time it is: that is asked of a [`Clock`].

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time with nanosecond precision, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// Whoever may be asked for the time. The daemon has one; tests hold their own.
pub trait Clock: Send + Sync {
    /// The wall clock, now.
    fn now(&self) -> Timestamp;
}

/// A text that is no RFC 3339 time.
#[derive(Debug, thiserror::Error)]
#[error("not an RFC 3339 time: {text:?}")]
pub struct NotATime {
    text: String,
}

impl Timestamp {
    /// From nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds since the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Seconds since the Unix epoch, as Prometheus wants them.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a gauge of seconds has microseconds to spare"
    )]
    pub fn as_seconds_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The time that lies `by` later.
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(nanos(by)))
    }

    /// The time that lies `by` earlier.
    pub fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(by)))
    }

    /// How long ago `earlier` was; zero if it lies in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(timestamp) => write!(f, "{timestamp:.9}"),
            Err(_) => write!(f, "{}ns", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| NotATime {
            text: text.chars().take(40).collect(),
        })?;
        let nanos = i64::try_from(parsed.as_nanosecond());
        nanos.map(Self).map_err(|_| NotATime {
            text: text.chars().take(40).collect(),
        })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn a_time_survives_its_text_to_the_nanosecond() {
        let time: Timestamp = "2026-11-23T09:31:06.123456789Z".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-23T09:31:06.123456789Z");
        assert_eq!(
            serde_json::from_str::<Timestamp>(&serde_json::to_string(&time).unwrap()).unwrap(),
            time
        );
    }

    #[test]
    fn the_engines_zero_time_is_read_as_an_error_or_a_very_early_time_but_never_panics() {
        assert!("0001-01-01T00:00:00Z".parse::<Timestamp>().is_err());
    }
}
