//! Whose word counts: the strictest owner of a version table, apps, and databases that anybody may move.

use migwatch::judge::settings::Settings;
use migwatch::judge::verdict::{self, Case};
use migwatch::model::container::WatchLabels;
use migwatch::model::migration::{Grade, Judgement, Rule, Trigger, Verdict};
use migwatch::model::policy::Policy;
use migwatch::model::revision::{DatabaseId, VersionTable};

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, BACKEND_TABLE, RUNNING, Story, armed, leave, policy, service_id,
};

const PREVIEW: &str = "coe-preview/coe-backend";

/// Production under `deny` has migrated its table once, as approved; a preview stack under `allow` shares the database.
fn shared() -> Story {
    let mut settings = policy(Policy::Deny);
    settings.projects.insert("coe-preview".into(), Policy::Allow);
    shared_under(settings)
}

fn shared_under(settings: Settings) -> Story {
    let mut story = Story::new(settings);
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["x0"])]);
    story.approved(leave(BACKEND));
    story
        .says(RUNNING)
        .says("INFO  [alembic.runtime.migration] Running upgrade x0 -> a1, first");
    story.reads(&[(BACKEND_TABLE, &["a1"])]).says(APPLICATION_UP);
    story.seconds(60);
    story
}

#[test]
fn a_lax_stack_that_moves_a_strict_ones_table_is_unexpected_and_the_owner_is_named() {
    let mut story = shared();
    story
        .created(PREVIEW, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B);
    assert_eq!(
        story.latest().judgement.rule,
        Rule::AllowEverything,
        "not known to be shared yet"
    );
    story.reads(&[(BACKEND_TABLE, &["b2"])]);
    let judgement = story.latest().judgement.clone();
    assert_eq!(
        (judgement.verdict, judgement.rule),
        (Verdict::Unexpected, Rule::StricterOwner)
    );
    assert_eq!(judgement.policy, Policy::Deny);
    for part in [
        "coe-demo/coe-backend, whose policy is deny",
        "that of coe-preview/coe-backend is allow",
    ] {
        assert!(judgement.reason.contains(part), "{}", judgement.reason);
    }
    story.says(APPLICATION_UP);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    let alert = story.alerts()[0];
    assert_eq!(alert.severity, migwatch::model::alert::Severity::Critical);
    // From now on it is known beforehand.
    story.seconds(60).stopped(137).started().says(RUNNING);
    assert_eq!(story.latest().judgement.rule, Rule::StricterOwner);
}

#[test]
fn of_several_owners_the_strictest_counts() {
    let mut settings = policy(Policy::Deny);
    settings.projects.insert("coe-preview".into(), Policy::Allow);
    settings.projects.insert("coe-a".into(), Policy::Explicit);
    let mut story = shared_under(settings);
    story
        .created("coe-a/coe-backend", armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B);
    story
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .says(APPLICATION_UP)
        .seconds(600);
    story
        .created(PREVIEW, armed())
        .started()
        .says(RUNNING)
        .says(B_TO_C);
    story.reads(&[(BACKEND_TABLE, &["c3"])]);
    let judgement = &story.latest().judgement;
    assert_eq!(
        (judgement.rule, judgement.policy),
        (Rule::StricterOwner, Policy::Deny)
    );
}

#[test]
fn the_stricter_owner_is_remembered_after_it_has_stopped_and_gone_and_migwatch_was_restarted() {
    let mut story = shared();
    story.stopped(137).removed();
    story.migwatch_is_killed().migwatch_comes_back().seconds(7200);
    story
        .created(PREVIEW, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B);
    story.reads(&[(BACKEND_TABLE, &["b2"])]);
    assert_eq!(story.latest().judgement.rule, Rule::StricterOwner);
}

#[test]
fn a_label_that_made_the_owner_strict_is_remembered_too() {
    let mut story = Story::new(policy(Policy::Allow));
    story.created_as(BACKEND, armed(), |look| {
        look.labels = WatchLabels {
            migrations: Some(Policy::Deny),
            ..WatchLabels::default()
        };
    });
    story.started().reads(&[(BACKEND_TABLE, &["a1"])]);
    story.approved(leave(BACKEND));
    story
        .says(RUNNING)
        .says(A_TO_B)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .says(APPLICATION_UP);
    story.stopped(137).removed().seconds(60);
    story
        .created(PREVIEW, armed())
        .started()
        .says(RUNNING)
        .says(B_TO_C);
    story.reads(&[(BACKEND_TABLE, &["c3"])]);
    assert_eq!(story.latest().judgement.rule, Rule::StricterOwner);
}

#[test]
fn a_reading_after_the_end_that_shows_whose_table_it_was_corrects_the_verdict_with_its_reason() {
    let mut story = shared();
    story
        .created(PREVIEW, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP);
    assert_eq!(story.latest().judgement.verdict, Verdict::Expected);
    story.seconds(2).reads(&[(BACKEND_TABLE, &["b2"])]);
    let judgement = &story.latest().judgement;
    assert_eq!(judgement.rule, Rule::StricterOwner);
    assert!(
        judgement.reason.ends_with("owns it too was not known at first"),
        "{}",
        judgement.reason
    );
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn another_table_of_the_same_database_has_its_own_owners() {
    let mut story = shared();
    story.created(PREVIEW, armed()).started();
    story.reads(&[(BACKEND_TABLE, &["a1"]), ("alembic_version_preview", &["p1"])]);
    story
        .says(RUNNING)
        .says("INFO  [alembic.runtime.migration] Running upgrade p1 -> p2, own");
    story.reads(&[(BACKEND_TABLE, &["a1"]), ("alembic_version_preview", &["p2"])]);
    story.says(APPLICATION_UP);
    assert_eq!(story.latest().judgement.rule, Rule::AllowEverything);
    assert!(story.is_quiet());
}

#[test]
fn an_approval_of_the_stranger_itself_covers_what_it_does() {
    let mut story = shared();
    story.created(PREVIEW, armed());
    story.approved(leave(PREVIEW));
    story
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .says(APPLICATION_UP);
    assert_eq!(story.latest().judgement.rule, Rule::Approved);
    assert!(story.is_quiet());
}

#[test]
fn an_approval_of_the_owner_covers_no_stranger_but_a_service_of_its_own_project() {
    for (mover, rule) in [
        (PREVIEW, Rule::StricterOwner),
        ("coe-demo/worker", Rule::Approved),
    ] {
        let mut settings = policy(Policy::Deny);
        for name in [PREVIEW, "coe-demo/worker"] {
            let service = settings.services.entry(service_id(name)).or_default();
            service.policy = Some(Policy::Allow);
        }
        let mut story = shared_under(settings);
        story.approved(leave(BACKEND));
        story.created(mover, armed()).started().says(RUNNING).says(A_TO_B);
        story.reads(&[(BACKEND_TABLE, &["b2"])]).says(APPLICATION_UP);
        assert_eq!(story.latest().judgement.rule, rule, "{mover}");
    }
}

#[test]
fn a_declared_deploy_speaks_for_an_explicit_owner_of_its_own_project_only() {
    for (mover, rule) in [
        (PREVIEW, Rule::StricterOwner),
        ("coe-demo/worker", Rule::DeclaredDeploy),
    ] {
        let mut settings = policy(Policy::Explicit);
        for name in [PREVIEW, "coe-demo/worker"] {
            let service = settings.services.entry(service_id(name)).or_default();
            service.policy = Some(Policy::Allow);
        }
        let mut story = shared_under(settings);
        story.created(mover, armed()).started().says(RUNNING).says(A_TO_B);
        story
            .reads(&[(BACKEND_TABLE, &["b2"])])
            .says(APPLICATION_UP)
            .seconds(60);
        assert_eq!(story.latest().judgement.rule, rule, "{mover}");
    }
}

/// Two projects of one app, and a stranger.
fn blue_green() -> Settings {
    let mut settings = policy(Policy::Deny);
    for project in ["shop-blue", "shop-green"] {
        settings.apps.insert(project.into(), "shop".into());
    }
    settings
}

#[test]
fn services_of_one_name_in_the_projects_of_one_app_share_an_approval() {
    for (service, rule) in [
        ("shop-green/backend", Rule::Approved),
        ("shop-green/worker", Rule::DenyEverything),
        ("shop-red/backend", Rule::DenyEverything),
    ] {
        let mut story = Story::new(blue_green());
        story.created("shop-blue/backend", armed());
        story.approved(leave("shop-blue/backend"));
        story
            .created(service, armed())
            .started()
            .says(RUNNING)
            .says(A_TO_B);
        assert_eq!(story.latest().judgement.rule, rule, "{service}");
    }
}

#[test]
fn a_label_makes_a_service_a_part_of_an_app_too() {
    let mut story = Story::new(blue_green());
    story.created("shop-blue/backend", armed());
    story.approved(leave("shop-blue/backend"));
    story.created_as("shop-canary/backend", armed(), |look| {
        look.labels = WatchLabels {
            app: Some("shop".into()),
            ..WatchLabels::default()
        };
    });
    story.started().says(RUNNING).says(A_TO_B);
    assert_eq!(story.latest().judgement.rule, Rule::Approved);
}

/// The judgement of a move that nothing on this host explains.
fn out_of_band(story: &Story, moved: &[VersionTable]) -> Judgement {
    let service = service_id(BACKEND);
    let case = Case {
        service: &service,
        trigger: Trigger::OutOfBand,
        began_at: story.now,
        grade: Grade::Confirmed,
        container: None,
        label: None,
        moved,
    };
    verdict::judge(&story.state, &story.settings, &case)
}

fn table() -> VersionTable {
    VersionTable {
        database: DatabaseId("mariadb:3306/coe".into()),
        table: BACKEND_TABLE.into(),
    }
}

#[test]
fn a_database_that_anybody_may_move_makes_an_out_of_band_move_expected_and_nothing_else() {
    let mut story = shared();
    assert_eq!(out_of_band(&story, &[]).rule, Rule::DenyEverything);
    story.settings.moved_by_anywhere.insert(table().database);
    for moved in [&[][..], &[table()]] {
        let judgement = out_of_band(&story, moved);
        assert_eq!(
            (judgement.verdict, judgement.rule),
            (Verdict::Expected, Rule::MovedByAnywhere)
        );
    }
    let elsewhere = VersionTable {
        database: DatabaseId("other".into()),
        ..table()
    };
    assert_eq!(out_of_band(&story, &[elsewhere]).rule, Rule::DenyEverything);
    story.stopped(137).started().says(RUNNING).says(A_TO_B);
    assert_eq!(
        story.latest().judgement.rule,
        Rule::DenyEverything,
        "what runs here is judged as ever"
    );
}

#[test]
fn a_move_out_of_band_is_covered_if_it_may_have_happened_while_the_approval_was_open() {
    let mut story = shared();
    story.seconds(10).reads(&[(BACKEND_TABLE, &["a1"])]);
    let id = story.seconds(1).approved(leave(BACKEND));
    story
        .seconds(2)
        .revoked(&id)
        .seconds(2)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .seconds(60);
    let judged = |story: &Story| (story.latest().trigger, story.latest().judgement.rule);
    assert_eq!(
        judged(&story),
        (Trigger::OutOfBand, Rule::Approved),
        "between the two readings"
    );
    assert!(story.is_quiet());
    story
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .seconds(10)
        .reads(&[(BACKEND_TABLE, &["c3"])])
        .seconds(60);
    assert_eq!(
        judged(&story),
        (Trigger::OutOfBand, Rule::DenyEverything),
        "the approval was over by then"
    );
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn in_a_database_that_anybody_may_move_a_move_from_elsewhere_is_recorded_and_quiet() {
    let mut story = shared();
    story.settings.moved_by_anywhere.insert(table().database);
    let id = story.approved(leave(BACKEND));
    story.seconds(10).reads(&[(BACKEND_TABLE, &["b2"])]).seconds(60);
    let migration = story.latest();
    assert_eq!(
        (migration.trigger, migration.judgement.rule),
        (Trigger::OutOfBand, Rule::MovedByAnywhere)
    );
    assert!(story.is_quiet());
    assert!(
        story.approval(&id).used_by.is_empty(),
        "what anybody may do uses no approval up"
    );
}
