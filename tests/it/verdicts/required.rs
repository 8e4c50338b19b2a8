//! Services that must be there: stopped, taken away, or never seen, they are down.

use migwatch::judge::settings::{ServiceSettings, Settings};
use migwatch::model::alert::AlertName;
use migwatch::model::container::WatchLabels;
use migwatch::model::policy::Policy;

use crate::support::story::{BACKEND, Story, disarmed, policy, service_id};

/// One that runs and that its label requires, or not.
fn labelled(required: bool) -> Story {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created_as(BACKEND, disarmed(), |look| {
        look.labels = WatchLabels {
            required: Some(required),
            ..WatchLabels::default()
        };
    });
    story.started().seconds(60);
    story
}

/// Settings that require a service, or do not.
fn configured(required: bool) -> Settings {
    let mut settings = policy(Policy::Explicit);
    let required = ServiceSettings {
        required: Some(required),
        ..ServiceSettings::default()
    };
    settings.services.insert(service_id(BACKEND), required);
    settings
}

#[test]
fn a_required_service_must_not_be_stopped() {
    let mut story = labelled(true);
    story.stopped(137);
    assert_eq!(story.sent(), ["ServiceDown firing"]);
}

#[test]
fn one_that_its_label_requires_is_missed_when_its_container_is_gone() {
    let mut story = labelled(true);
    story.stopped(137).removed().seconds(7200);
    assert_eq!(story.sent(), ["ServiceDown firing"]);
    let description = &story.alert(AlertName::ServiceDown).description;
    assert_eq!(description, "it has no container, and it is required.");
    story.migwatch_is_killed().migwatch_comes_back().seconds(600);
    assert_eq!(
        story.sent(),
        ["ServiceDown firing"],
        "after a restart of migwatch"
    );
}

#[test]
fn the_configuration_beats_the_label_of_a_container_that_is_gone() {
    let mut story = labelled(true);
    story.settings = configured(false);
    story.stopped(137).removed().seconds(7200);
    assert_eq!(story.sent(), ["ServiceDown firing", "ServiceDown resolved"]);
    let mut story = labelled(false);
    story.settings = configured(true);
    story.stopped(137).removed().seconds(7200);
    assert_eq!(story.sent(), ["ServiceDown firing"]);
}

#[test]
fn one_that_the_configuration_requires_and_nobody_ever_saw_is_down_once_the_engine_was_looked_at() {
    let mut story = Story::before_install(configured(true));
    story.seconds(600);
    assert!(story.is_quiet(), "nobody has looked yet: {:?}", story.sent());
    story.installed();
    assert_eq!(story.sent(), ["ServiceDown firing"]);
    assert_eq!(
        story.alert(AlertName::ServiceDown).labels["service"],
        "coe-backend"
    );
    story.created(BACKEND, disarmed()).started();
    assert_eq!(story.sent(), ["ServiceDown firing", "ServiceDown resolved"]);
}
