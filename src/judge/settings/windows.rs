//! Windows: the times at which migrations of certain services are expected, as the configuration says.
//!
//! Promises that an answer follows from the moment alone: time zones are compiled in, no file of the host is read. What summer time
//! does to a window that recurs: a `from` that a clock skips is meant one hour later (02:30 becomes 03:30); one that a clock shows
//! twice is meant the first time; and it lasts as long as it says in real time, whatever the clock shows at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};

use crate::model::revision::Revision;
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// The longest that one opening of a window may last.
pub const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Every window, and who has one as its policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// By name.
    pub named: BTreeMap<String, Window>,
    /// The policy where nothing else says.
    pub everywhere: Option<String>,
    /// Policies of projects.
    pub projects: BTreeMap<String, String>,
    /// Policies of services.
    pub services: BTreeMap<ServiceId, String>,
}

/// One window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// When it is open.
    pub times: Times,
    /// Which services it covers, beside those that have it as their policy.
    pub covers: Vec<Scope>,
    /// The one revision that it covers; `None` covers any.
    pub to: Option<Revision>,
}

/// When a window is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Times {
    /// Again and again.
    Recurring {
        /// On these days of the week, by the zone's calendar; none is every day.
        days: BTreeSet<Day>,
        /// From this time of day on.
        from: Time,
        /// For so long, at most [`LONGEST`].
        lasts: Duration,
        /// Whose clock and calendar.
        zone: TimeZone,
    },
    /// Once.
    Once {
        /// From then on.
        from: Timestamp,
        /// Until then.
        until: Timestamp,
    },
}

/// A day of the week, Monday first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the days of the week")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// Whom a window covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `*`
    Everything,
    /// `PROJECT`
    Project(String),
    /// `PROJECT/SERVICE`
    Service(ServiceId),
}

/// One time from its beginning to its end, the end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening {
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
}

impl Scope {
    /// Whether `service` is meant.
    pub fn holds(&self, service: &ServiceId) -> bool {
        match self {
            Self::Everything => true,
            Self::Project(project) => *project == service.project,
            Self::Service(one) => one == service,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("*"),
            Self::Project(project) => f.write_str(project),
            Self::Service(service) => service.fmt(f),
        }
    }
}

impl Day {
    /// Every day with its word.
    pub const ALL: [(&str, Self); 7] = [
        ("mon", Self::Mon),
        ("tue", Self::Tue),
        ("wed", Self::Wed),
        ("thu", Self::Thu),
        ("fri", Self::Fri),
        ("sat", Self::Sat),
        ("sun", Self::Sun),
    ];

    fn of(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

impl Window {
    /// The opening of the window that has a moment in common with the time from `from` to `to`, both included; the latest of several.
    pub fn open_between(&self, from: Timestamp, to: Timestamp) -> Option<Opening> {
        let openings = self.times.openings_around(from, to).into_iter();
        openings
            .filter(|opening| opening.from <= to && from < opening.until)
            .max()
    }

    /// The opening at this moment.
    pub fn open_at(&self, at: Timestamp) -> Option<Opening> {
        self.open_between(at, at)
    }

    /// The next moment after `now` at which it opens or closes.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        // A week ahead lies every day of the week.
        let until = now.after(Duration::from_hours(8 * 24));
        let openings = self.times.openings_around(now, until).into_iter();
        openings
            .flat_map(|opening| [opening.from, opening.until])
            .filter(|moment| *moment > now)
            .min()
    }
}

impl Times {
    /// Every opening that may touch the time between, and perhaps some beside it.
    fn openings_around(&self, from: Timestamp, to: Timestamp) -> Vec<Opening> {
        match self {
            Self::Once { from, until } => vec![Opening {
                from: *from,
                until: *until,
            }],
            Self::Recurring {
                days,
                from: time,
                lasts,
                zone,
            } => {
                let Some((first, last)) = dates(zone, from.before(*lasts), to) else {
                    return Vec::new();
                };
                let on = |date: &Date| days.is_empty() || days.contains(&Day::of(date.weekday()));
                first
                    .series(1.day())
                    .take_while(|date| *date <= last)
                    .filter(on)
                    .filter_map(|date| begin(zone, date, *time))
                    .map(|from| Opening {
                        from,
                        until: from.after(*lasts),
                    })
                    .collect()
            }
        }
    }
}

/// The zone's dates from a day before `from` to `to`.
fn dates(zone: &TimeZone, from: Timestamp, to: Timestamp) -> Option<(Date, Date)> {
    let date = |at: Timestamp| Some(zone.to_datetime(instant(at)?).date());
    let first = date(from)?.checked_sub(1.day()).ok()?;
    Some((first, date(to)?))
}

/// When the zone's clock shows this time on this date.
fn begin(zone: &TimeZone, date: Date, time: Time) -> Option<Timestamp> {
    let instant = zone
        .to_ambiguous_timestamp(date.to_datetime(time))
        .compatible()
        .ok()?;
    i64::try_from(instant.as_nanosecond())
        .ok()
        .map(Timestamp::from_nanos)
}

fn instant(at: Timestamp) -> Option<jiff::Timestamp> {
    let duration = SignedDuration::from_nanos(at.as_nanos());
    jiff::Timestamp::from_duration(duration).ok()
}
