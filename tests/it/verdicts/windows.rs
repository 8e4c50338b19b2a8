//! Windows: when they are open, whom they cover, and what summer time does to them.

use std::time::Duration;

use jiff::civil::time;
use jiff::tz::TimeZoneDatabase;
use migwatch::judge::settings::{Day, Scope, Times, Window};
use migwatch::model::container::WatchLabels;
use migwatch::model::migration::{Rule, Verdict};
use migwatch::model::policy::Policy;
use migwatch::model::time::Timestamp;

use crate::support::story::{A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, RAG, RUNNING, Story, armed, policy};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn recurring(days: &[Day], (hour, minute): (i8, i8), lasts: Duration, zone: &str) -> Window {
    Window {
        times: Times::Recurring {
            days: days.iter().copied().collect(),
            from: time(hour, minute, 0, 0),
            lasts,
            zone: TimeZoneDatabase::bundled().get(zone).expect("it is compiled in"),
        },
        covers: vec![Scope::Everything],
        to: None,
    }
}

const HOUR: Duration = Duration::from_secs(3600);

/// When the window opens and closes around this moment; nothing if it is closed then.
fn opening(window: &Window, moment: &str) -> Option<(String, String)> {
    let opening = window.open_at(at(moment))?;
    let short = |at: Timestamp| at.to_string().replace(".000000000", "");
    Some((short(opening.from), short(opening.until)))
}

fn between(from: &str, until: &str) -> (String, String) {
    (from.to_owned(), until.to_owned())
}

#[test]
fn a_window_follows_its_zones_calendar_and_its_end_is_outside() {
    // 02:00 in Seoul is 17:00 UTC of the day before: Saturday there is Friday here.
    let window = recurring(&[Day::Sat], (2, 0), HOUR, "Asia/Seoul");
    let open = between("2026-11-27T17:00:00Z", "2026-11-27T18:00:00Z");
    for (moment, expected) in [
        ("2026-11-27T16:59:59Z", None),
        ("2026-11-27T17:00:00Z", Some(open.clone())),
        ("2026-11-27T17:59:59Z", Some(open)),
        ("2026-11-27T18:00:00Z", None),
        ("2026-11-28T17:30:00Z", None),
    ] {
        assert_eq!(opening(&window, moment), expected, "{moment}");
    }
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_opened() {
    let window = recurring(&[Day::Sun], (23, 30), HOUR, "UTC");
    assert_eq!(
        opening(&window, "2026-11-30T00:10:00Z"),
        Some(between("2026-11-29T23:30:00Z", "2026-11-30T00:30:00Z"))
    );
    assert_eq!(
        opening(&window, "2026-11-29T00:10:00Z"),
        None,
        "that was a Saturday's"
    );
}

#[test]
fn a_window_may_last_for_days() {
    let window = recurring(&[Day::Fri], (18, 0), HOUR * 62, "UTC");
    let open = between("2026-11-27T18:00:00Z", "2026-11-30T08:00:00Z");
    assert_eq!(opening(&window, "2026-11-30T07:59:00Z"), Some(open.clone()));
    assert_eq!(opening(&window, "2026-11-30T08:00:00Z"), None);
}

#[test]
fn a_time_that_summer_time_skips_is_meant_an_hour_later() {
    // Berlin, 2026-03-29: 02:00 becomes 03:00.
    let window = recurring(&[], (2, 30), HOUR, "Europe/Berlin");
    let before = between("2026-03-28T01:30:00Z", "2026-03-28T02:30:00Z");
    assert_eq!(opening(&window, "2026-03-28T02:00:00Z"), Some(before.clone()));
    let gap = between("2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z");
    assert_eq!(
        opening(&window, "2026-03-29T01:30:00Z"),
        Some(gap.clone()),
        "03:30 on the clock"
    );
    assert_eq!(
        opening(&window, "2026-03-29T01:29:59Z"),
        None,
        "03:29:59 on the clock"
    );
    let after = between("2026-03-30T00:30:00Z", "2026-03-30T01:30:00Z");
    assert_eq!(opening(&window, "2026-03-30T01:00:00Z"), Some(after.clone()));
}

#[test]
fn a_time_that_comes_twice_is_meant_the_first_time_and_only_once() {
    // Berlin, 2026-10-25: 03:00 becomes 02:00 again.
    let window = recurring(&[], (2, 30), HOUR, "Europe/Berlin");
    let fold = between("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
    assert_eq!(
        opening(&window, "2026-10-25T00:30:00Z"),
        Some(fold.clone()),
        "02:30, the first time"
    );
    assert_eq!(
        opening(&window, "2026-10-25T01:29:59Z"),
        Some(fold.clone()),
        "02:29:59, the second time"
    );
    assert_eq!(
        opening(&window, "2026-10-25T01:30:00Z"),
        None,
        "02:30, the second time"
    );
}

#[test]
fn a_window_lasts_as_long_as_it_says_in_real_time_over_a_change_of_clocks() {
    let window = recurring(&[], (1, 0), HOUR * 3, "Europe/Berlin");
    let spring = between("2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z");
    assert_eq!(
        opening(&window, "2026-03-29T02:59:59Z"),
        Some(spring.clone()),
        "04:59:59 on the clock"
    );
    let autumn = between("2026-10-24T23:00:00Z", "2026-10-25T02:00:00Z");
    assert_eq!(
        opening(&window, "2026-10-25T01:59:59Z"),
        Some(autumn.clone()),
        "02:59:59, the second time"
    );
}

#[test]
fn the_next_change_of_a_window_is_its_next_end_or_beginning() {
    let window = recurring(&[Day::Sat], (2, 0), HOUR, "Asia/Seoul");
    for (now, next) in [
        ("2026-11-27T16:00:00Z", "2026-11-27T17:00:00Z"),
        ("2026-11-27T17:00:00Z", "2026-11-27T18:00:00Z"),
        ("2026-11-27T18:00:00Z", "2026-12-04T17:00:00Z"),
    ] {
        assert_eq!(window.next_change(at(now)), Some(at(next)), "{now}");
    }
}

/// The story's clock begins at 2026-11-23T10:00Z, a Monday.
fn watched(window: Option<(&str, Window)>, default: Policy) -> Story {
    let mut settings = policy(default);
    settings
        .windows
        .named
        .extend(window.map(|(name, window)| (name.to_owned(), window)));
    let mut story = Story::new(settings);
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(APPLICATION_UP);
    story
}

fn migrates(story: &mut Story, step: &str) -> (Verdict, Rule) {
    story
        .stopped(137)
        .started()
        .says(RUNNING)
        .says(step)
        .says(APPLICATION_UP);
    let judgement = &story.latest().judgement;
    (judgement.verdict, judgement.rule)
}

#[test]
fn inside_a_window_every_migration_is_expected_and_outside_none() {
    let window = recurring(&[], (10, 10), HOUR / 2, "UTC");
    let mut story = watched(Some(("nightly", window)), Policy::Deny);
    story.seconds(600);
    for step in [A_TO_B, B_TO_C] {
        assert_eq!(migrates(&mut story, step), (Verdict::Expected, Rule::Window));
    }
    let judgement = &story.latest().judgement;
    assert_eq!(judgement.expectation.as_deref(), Some("nightly"));
    assert!(
        judgement
            .reason
            .contains("the window nightly, open until 2026-11-23T10:40"),
        "{}",
        judgement.reason
    );
    story.seconds(1800);
    let after = migrates(&mut story, A_TO_B);
    assert_eq!(after, (Verdict::Unexpected, Rule::DenyEverything));
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_migration_that_begins_in_a_window_and_ends_after_it_is_expected() {
    let window = recurring(&[], (10, 10), HOUR / 2, "UTC");
    let mut story = watched(Some(("nightly", window)), Policy::Deny);
    story.seconds(600 + 1790).stopped(137).started().says(RUNNING);
    story.seconds(60).says(A_TO_B).says(APPLICATION_UP);
    assert_eq!(story.latest().judgement.rule, Rule::Window);
    assert!(story.is_quiet());
}

#[test]
fn a_window_covers_only_whom_it_lists() {
    for (scope, rule) in [
        (Scope::Project("coe-demo".into()), Rule::Window),
        (
            Scope::Service(crate::support::story::service_id(BACKEND)),
            Rule::Window,
        ),
        (
            Scope::Service(crate::support::story::service_id(RAG)),
            Rule::DenyEverything,
        ),
        (Scope::Project("other".into()), Rule::DenyEverything),
    ] {
        let mut window = recurring(&[], (10, 0), HOUR, "UTC");
        window.covers = vec![scope.clone()];
        let mut story = watched(Some(("nightly", window)), Policy::Deny);
        assert_eq!(migrates(&mut story, A_TO_B).1, rule, "{scope}");
    }
}

#[test]
fn a_policy_that_is_a_window_denies_outside_of_it_whatever_the_environment_declares() {
    let mut window = recurring(&[], (10, 30), HOUR, "UTC");
    window.covers.clear();
    let mut story = watched(Some(("nightly", window)), Policy::Explicit);
    story
        .settings
        .windows
        .projects
        .insert("coe-demo".into(), "nightly".into());
    assert_eq!(story.service(BACKEND).window.as_deref(), Some("nightly"));
    story
        .recreated(armed())
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP);
    assert_eq!(story.latest().judgement.rule, Rule::DenyEverything);
    assert!(
        story
            .latest()
            .judgement
            .reason
            .contains("outside the window nightly")
    );
    story.seconds(1800);
    assert_eq!(migrates(&mut story, B_TO_C).1, Rule::Window);
}

#[test]
fn a_label_may_name_a_window_and_one_that_there_is_not_changes_nothing_and_is_told() {
    for (name, rule) in [("nightly", Rule::Window), ("nigthly", Rule::DenyEverything)] {
        let mut window = recurring(&[], (10, 0), HOUR, "UTC");
        window.covers.clear();
        let mut story = watched(Some(("nightly", window)), Policy::Deny);
        story.stopped(137).removed();
        story.created_as(BACKEND, armed(), |look| {
            look.labels = WatchLabels {
                window: Some(name.into()),
                ..WatchLabels::default()
            };
        });
        story.started().says(RUNNING).says(A_TO_B);
        assert_eq!(story.latest().judgement.rule, rule, "{name}");
        let status = migwatch::judge::view::status(&story.state, &story.settings, story.now);
        let told = status.watcher.warnings.join("\n");
        assert_eq!(
            told.contains("there is no [window.nigthly]"),
            name == "nigthly",
            "{told}"
        );
        assert_eq!(
            told.contains("window nightly covers no service"),
            name == "nigthly",
            "{told}"
        );
    }
}

#[test]
fn an_armed_container_is_quiet_inside_a_window_and_told_when_it_closes() {
    let window = recurring(&[], (10, 0), HOUR * 3, "UTC");
    let mut story = watched(Some(("nightly", window)), Policy::Deny);
    story.seconds(2 * 3600);
    assert!(story.is_quiet());
    assert_eq!(story.service(BACKEND).expectations.windows, 1);
    story.seconds(3600);
    assert_eq!(story.sent(), ["MigrationArmed firing"]);
    assert_eq!(story.service(BACKEND).expectations.windows, 0);
}

#[test]
fn what_has_ended_is_not_judged_anew_when_a_window_is_configured_later() {
    let mut story = watched(None, Policy::Deny);
    let (from, until) = (story.now, story.now.after(HOUR));
    assert_eq!(migrates(&mut story, A_TO_B).0, Verdict::Unexpected);
    story.window("after-the-fact", BACKEND, from, until);
    story.seconds(5).looks_at_all().seconds(60);
    assert_eq!(story.latest().judgement.verdict, Verdict::Unexpected);
    assert_eq!(migrates(&mut story, B_TO_C), (Verdict::Expected, Rule::Window));
}
