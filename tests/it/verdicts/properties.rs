//! Properties of the judge over random streams of reports, in any order: it never panics, the same report twice concludes nothing more,
//! the facts alone (also from a snapshot in the middle) give the same state, and its deadlines always lie ahead.

use std::time::Duration;

use migwatch::judge::{self, Durable, State};
use migwatch::model::database::DatabaseProblemKind;
use migwatch::model::lock::{LockWait, Session};
use migwatch::model::observation::{LogStatus, Observation};
use migwatch::model::policy::Policy;
use migwatch::model::probe::Via;
use proptest::prelude::*;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, BACKEND_TABLE, C_TO_B, CONTEXT, DROP_MISSING, RAG, RAG_TABLE,
    RUNNING, SKIPPING, Story, armed, bare_command, deploy, disarmed, leave_to, policy, unset_means_true,
};

/// One random step of the world: what happens, and how much time goes by.
fn step() -> impl Strategy<Value = (u8, u8, u16)> {
    (0_u8..43, any::<u8>(), 0_u16..2_000)
}

fn line(kind: u8) -> &'static str {
    const LINES: [&str; 8] = [
        RUNNING,
        SKIPPING,
        CONTEXT,
        A_TO_B,
        B_TO_C,
        C_TO_B,
        DROP_MISSING,
        APPLICATION_UP,
    ];
    LINES[usize::from(kind) % LINES.len()]
}

fn create(story: &mut Story, kind: u8) {
    let service = if kind & 1 == 0 { BACKEND } else { RAG };
    let how = match kind / 2 % 4 {
        0 => armed(),
        1 => disarmed(),
        2 => bare_command(),
        _ => unset_means_true(),
    };
    if story.looks.len() < 6 {
        story.created(service, how);
    }
}

/// Steps that need a container.
fn with_container(story: &mut Story, what: u8, kind: u8) {
    let ids: Vec<_> = story.looks.keys().cloned().collect();
    let Some(id) = ids.get(usize::from(kind) % ids.len().max(1)) else {
        return;
    };
    story.with(id);
    let was_started = story.look().started_at.is_some();
    match what {
        0..=2 => drop(story.started()),
        3..=10 => drop(story.says(line(kind))),
        11 if was_started => drop(story.dies(i32::from(kind % 2))),
        12 if was_started => drop(story.stopped(137)),
        13 if was_started => drop(story.ends_unheard(1)),
        14 => drop(story.starts_unheard()),
        15 => drop(story.read_on()),
        16 => drop(story.looked()),
        17 => drop(story.log(LogStatus::Ended)),
        18 if was_started => drop(story.recreated(armed())),
        19 if story.looks.len() > 2 => drop(story.removed()),
        _ => drop(story.lines_come_again()),
    }
}

fn around(story: &mut Story, what: u8, kind: u8) {
    let heads: [&[&str]; 4] = [&["a1"], &["b2"], &["c3"], &[]];
    let head = |shift: u8| heads[usize::from(kind.rotate_right(u32::from(shift))) % 4];
    match what {
        0 => drop(story.looks_at_all()),
        1..=3 => drop(story.reads(&[(BACKEND_TABLE, head(0)), (RAG_TABLE, head(2))])),
        4 => drop(story.cannot_read(DatabaseProblemKind::Timeout)),
        5 => drop(story.answers(BACKEND, Via::Direct)),
        6 => drop(story.fails(BACKEND, Via::Direct)),
        7 => drop(story.engine_goes_away()),
        8 => drop(story.installed()),
        9 => drop(story.delivered("pager")),
        10 => drop(story.migwatch_is_killed().migwatch_comes_back()),
        11 => {
            let service = if kind & 1 == 0 { BACKEND } else { RAG };
            let to = leave_to(service, ["a1", "b2", "c3", "base"][usize::from(kind / 2 % 4)]);
            story.approved(if kind & 64 == 0 { to } else { deploy(service) });
        }
        12 | 13 => {
            let approvals = &story.state.durable.expectations.approvals;
            let id = approvals
                .keys()
                .nth(usize::from(kind) % approvals.len().max(1))
                .cloned();
            match (id, what) {
                (Some(id), 12) => drop(story.revoked(&id)),
                (Some(id), _) => drop(story.deploy_ends(&id)),
                (None, _) => {}
            }
        }
        14..=17 => schema(story, kind),
        18 => drop(story.reads(&[]).reads_schema(&[])),
        19 => drop(story.cannot_read_schema()),
        _ => {
            let alerts = story.alerts();
            if let Some(id) = alerts.first().map(|alert| alert.fingerprint().0) {
                story.acknowledged(&id);
            }
        }
    }
}

/// Any of five tables may be there and any of them may have changed; sometimes somebody waits for a lock.
fn schema(story: &mut Story, kind: u8) {
    let changed: &[&str] = if kind & 32 == 0 { &["id"] } else { &["id", "+ix"] };
    let tables = ["a", "b", "c", "d", "users"].into_iter().enumerate();
    let tables: Vec<(&str, &[&str])> = tables
        .filter(|(bit, _)| kind & (1 << bit) != 0)
        .map(|(_, table)| (table, if table == "users" { changed } else { &["id"] }))
        .collect();
    story.reads_schema(&tables);
    if kind & 64 != 0 {
        story.sees_waits(&waits(kind));
    }
}

fn waits(kind: u8) -> Vec<LockWait> {
    let session = |id, statement: &str| Session {
        id,
        user: "app".into(),
        host: String::new(),
        since: None,
        connected_at: None,
        statement: Some(statement.into()),
        idle: kind & 8 != 0,
    };
    let wait = LockWait {
        waiting: session(i64::from(kind % 3), "ALTER TABLE users ADD COLUMN age INT"),
        holder: (kind & 4 != 0).then(|| session(9, "SELECT 1")),
        probably: true,
    };
    if kind & 128 == 0 { vec![wait] } else { Vec::new() }
}

fn take(story: &mut Story, (what, kind, seconds): (u8, u8, u16)) {
    match what {
        0..=1 => create(story, kind),
        2..=21 => with_container(story, what - 2, kind),
        _ => around(story, what - 22, kind),
    }
    story.seconds(u64::from(seconds) / if kind % 3 == 0 { 1 } else { 100 });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// `Story` itself checks after each step that the facts alone give the state, that the same report again concludes nothing, and
    /// that the deadlines make no busy loop.
    #[test]
    fn any_world_is_judged_without_a_panic_and_from_its_facts_alone(steps in prop::collection::vec(step(), 1..60)) {
        let mut story = Story::new(policy(Policy::Explicit));
        for step in steps {
            take(&mut story, step);
        }
        if let Some(deadline) = story.state.deadline(&story.settings, story.now) {
            let next = story.state.deadline(&story.settings, deadline);
            prop_assert!(next.is_none_or(|next| next > deadline));
        }
    }

    #[test]
    fn a_snapshot_and_the_rest_of_the_facts_give_the_same_state(
        steps in prop::collection::vec(step(), 1..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut story = Story::new(policy(Policy::Deny));
        for step in steps {
            take(&mut story, step);
        }
        let (before, rest) = story.facts.split_at(cut.index(story.facts.len() + 1));
        let mut durable = Durable::default();
        for fact in before {
            durable.apply(fact);
        }
        let snapshot = serde_json::to_string(&durable).unwrap();
        let mut durable: Durable = serde_json::from_str(&snapshot).unwrap();
        for fact in rest {
            let written = serde_json::to_string(fact).unwrap();
            durable.apply(&serde_json::from_str(&written).unwrap());
        }
        prop_assert_eq!(durable, story.state.durable);
    }

    /// The reports of a world, shuffled, doubled and with holes: nothing of what they say may hold, but nothing may break.
    #[test]
    fn shuffled_reports_never_panic_and_say_nothing_twice(
        steps in prop::collection::vec(step(), 1..40),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..120),
    ) {
        let mut story = Story::new(policy(Policy::Deny));
        for step in steps {
            take(&mut story, step);
        }
        let (mut state, mut replayed, mut now) = (State::default(), Durable::default(), story.now);
        for index in order {
            let observation: &Observation = index.get(&story.seen);
            now = now.after(Duration::from_millis(700));
            for fact in judge::decide(&mut state, &story.settings, now, observation) {
                replayed.apply(&fact);
            }
            prop_assert_eq!(&replayed, &state.durable);
            // Somebody may close what fires only now.
            if !matches!(observation, Observation::Acknowledged { .. }) {
                let again = judge::decide(&mut state, &story.settings, now, observation);
                prop_assert_eq!(again, vec![]);
            }
            if let Some(deadline) = state.deadline(&story.settings, now) {
                let next = state.deadline(&story.settings, deadline);
                prop_assert!(next.is_none_or(|next| next > deadline));
            }
        }
    }
}
