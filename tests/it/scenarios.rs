//! Every way in which a schema moves, and every way in which it does not, as a table: trigger × outcome × expectation, on MariaDB and
//! PostgreSQL, with Compose 1 and 2. Two drivers act one table: `played` acts every row through the whole product on the played engine,
//! `real` acts a pairwise selection with real containers, real databases and the real Alembic.
//!
//! Each row says which migrations are told (trigger, outcome, from and to, grade of the evidence), with which verdict by which rule under
//! which expectation, and all that the receiver is told until a loud sentinel that comes later on the same path.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

mod case;
mod check;
mod coverage;
mod played;
mod real;
mod row;
mod table;
mod told;

/// Acts all of them beside each other; everything that failed is told, not only the first of it.
async fn all_of<T>(acts: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let caught = acts.map(|act| AssertUnwindSafe(act).catch_unwind());
    let ended: Vec<_> = futures_util::future::join_all(caught).await;
    let why = |panic: Box<dyn std::any::Any + Send>| {
        let text = panic.downcast::<String>().map(|text| *text);
        text.unwrap_or_else(|_| "it says no more".to_owned())
    };
    let count = ended.len();
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for act in ended {
        match act {
            Ok(act) => done.push(act),
            Err(panic) => failed.push(why(panic)),
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {count} failed:\n\n{}",
        failed.len(),
        failed.join("\n\n")
    );
    done
}
