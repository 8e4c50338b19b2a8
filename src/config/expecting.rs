//! The parts of the file that say what is expected: windows, apps, and policies, which may be windows.

use std::time::Duration;

use jiff::civil::{DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::section::Section;
use crate::judge::settings::{Day, LONGEST, Scope, Settings, Times, Window};
use crate::model::policy::Policy;
use crate::model::revision::Revision;
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// A window that is shorter is over before anybody has typed anything.
const SHORTEST: Duration = Duration::from_mins(1);

const POLICIES: [(&str, Policy); 3] = [
    ("explicit", Policy::Explicit),
    ("deny", Policy::Deny),
    ("allow", Policy::Allow),
];

/// How a day and time of day may be written.
const MOMENTS: [&str; 4] = [
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
];

/// A policy as the file gives it.
pub(super) struct Given {
    /// One of the three words; `deny` where it is a window.
    pub(super) policy: Policy,
    /// The window that it is.
    pub(super) window: Option<String>,
}

/// The names of all windows, right ones and wrong ones: whoever names a wrong one has made no second mistake.
pub(super) struct Names(Vec<String>);

/// Reads the windows into the settings.
pub(super) fn windows(root: &mut Section<'_>, settings: &mut Settings) -> Names {
    let mut names = Vec::new();
    for (name, mut section) in root.named("window") {
        if POLICIES.iter().any(|(word, _)| *word == name) {
            section.wrong(
                "from",
                format!("{name} is a policy's word: give the window another name"),
            );
        }
        if let Some(window) = window(&mut section) {
            settings.windows.named.insert(name.clone(), window);
        }
        section.finish();
        names.push(name);
    }
    Names(names)
}

/// Reads which projects are one app.
pub(super) fn apps(root: &mut Section<'_>, settings: &mut Settings) {
    for (name, mut section) in root.named("app") {
        for project in section.texts("projects") {
            if let Some(other) = settings.apps.get(&project) {
                section.wrong("projects", format!("{project:?} is in the app {other} already"));
            }
            settings.apps.insert(project, name.clone());
        }
        section.finish();
    }
}

/// A policy, which may be a window's name.
pub(super) fn policy(section: &mut Section<'_>, names: &Names) -> Option<Given> {
    let words = POLICIES.iter().map(|(word, policy)| (*word, (*policy, None)));
    let windows = names
        .0
        .iter()
        .map(|name| (name.as_str(), (Policy::Deny, Some(name.as_str()))));
    let words: Vec<_> = words.chain(windows).collect();
    let (policy, window) = section.choice("migrations", &words)?;
    Some(Given {
        policy,
        window: window.map(str::to_owned),
    })
}

fn window(section: &mut Section<'_>) -> Option<Window> {
    let zone = zone(section);
    let is_once = section.has("until");
    let times = if is_once {
        once(section, zone.as_ref())
    } else {
        recurring(section, zone)
    };
    let covers: Vec<Scope> = section.texts("services").iter().map(|text| scope(text)).collect();
    let to = section.given("to").map(Revision);
    if to.is_some() && !is_once {
        section.wrong("to", "is for a window that is open once: give until");
    } else if to.is_some() && !matches!(covers.as_slice(), [Scope::Service(_)]) {
        section.wrong(
            "to",
            "needs the one service whose revision it is: services = [\"PROJECT/SERVICE\"]",
        );
    }
    Some(Window {
        times: times?,
        covers,
        to,
    })
}

fn scope(text: &str) -> Scope {
    match text.split_once('/') {
        _ if text == "*" => Scope::Everything,
        Some((project, service)) => Scope::Service(ServiceId::new(project, service)),
        None => Scope::Project(text.to_owned()),
    }
}

/// Compiled in: the same on every host.
fn zone(section: &mut Section<'_>) -> Option<TimeZone> {
    let name = section.needed(
        "zone",
        "it says whose clock is meant, as in \"Asia/Seoul\" or \"UTC\"",
    )?;
    let found = TimeZoneDatabase::bundled().get(&name);
    if found.is_err() {
        section.wrong(
            "zone",
            format!("{name:?} is no time zone: write it as \"Asia/Seoul\", \"Europe/Berlin\" or \"UTC\""),
        );
    }
    found.ok()
}

fn recurring(section: &mut Section<'_>, zone: Option<TimeZone>) -> Option<Times> {
    let from = section.needed("from", "it says when the window opens, as in \"02:00\"");
    let from = from.and_then(|text| {
        let time = Time::strptime("%H:%M", &text).ok();
        if time.is_none() {
            section.wrong(
                "from",
                format!("{text:?} is no time of day: write it as \"02:00\", or give until for a window that is open once"),
            );
        }
        time
    });
    let mut days = std::collections::BTreeSet::new();
    for word in section.texts("days") {
        match Day::ALL.iter().find(|(known, _)| *known == word) {
            Some((_, day)) => {
                days.insert(*day);
            }
            None => section.wrong(
                "days",
                format!("{word:?} is no day: write mon, tue, wed, thu, fri, sat or sun"),
            ),
        }
    }
    let lasts = lasts(section);
    Some(Times::Recurring {
        days,
        from: from?,
        lasts: lasts?,
        zone: zone?,
    })
}

fn lasts(section: &mut Section<'_>) -> Option<Duration> {
    section.needed(
        "for",
        "it says how long the window is open, as in \"1h\"; or give until",
    )?;
    let lasts = section.duration("for", SHORTEST);
    if !(SHORTEST..=LONGEST).contains(&lasts) {
        section.wrong("for", "must be from 1m to 7days");
    }
    Some(lasts)
}

fn once(section: &mut Section<'_>, zone: Option<&TimeZone>) -> Option<Times> {
    for recurs in ["for", "days"] {
        if section.has(recurs) {
            section.wrong(
                recurs,
                "is for windows that recur, until for one that is open once: leave one out",
            );
        }
    }
    section.text("for");
    section.texts("days");
    let from = moment(section, "from", zone);
    let until = moment(section, "until", zone);
    if let (Some(from), Some(until)) = (from, until)
        && from >= until
    {
        section.wrong("until", "must be later than from");
    }
    Some(Times::Once {
        from: from?,
        until: until?,
    })
}

/// A local time that a clock skips is meant later by what was skipped, one that it shows twice the first time.
fn moment(section: &mut Section<'_>, key: &str, zone: Option<&TimeZone>) -> Option<Timestamp> {
    let text = section.needed(key, "it says when, as in \"2026-12-01T02:00\"")?;
    let parsed = MOMENTS
        .iter()
        .find_map(|format| DateTime::strptime(format, &text).ok());
    if parsed.is_none() {
        section.wrong(
            key,
            format!("{text:?} is no day with its time: write it as \"2026-12-01T02:00\""),
        );
    }
    let instant = zone?.to_ambiguous_timestamp(parsed?).compatible().ok()?;
    i64::try_from(instant.as_nanosecond())
        .ok()
        .map(Timestamp::from_nanos)
}
