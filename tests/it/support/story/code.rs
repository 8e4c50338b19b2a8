//! What the code in containers says.

use std::collections::BTreeMap;
use std::sync::Arc;

use migwatch::model::observation::Observation;
use migwatch::model::revision::Revision;
use migwatch::model::script::{Action, Body, Code, DEFAULT_ENVIRONMENT, Operation, Script, Unreadable};

use super::Story;

/// A script that does nothing, after `down` (several with commas; none for a base).
pub(crate) fn script(revision: &str, down: &str) -> Script {
    let down = down.split(',').filter(|name| !name.is_empty());
    Script {
        path: format!("/srv/dbmig/versions/{revision}.py"),
        revision: Revision(revision.into()),
        down_revisions: down.map(|name| Revision(name.into())).collect(),
        depends_on: Vec::new(),
        branch_labels: Vec::new(),
        title: Some(format!("what {revision} does")),
        upgrade: Body::Does(Vec::new()),
        downgrade: Body::Stub,
    }
}

/// The same script, which does this.
pub(crate) fn doing(script: Script, actions: &[Action]) -> Script {
    let operation = |action: &Action| Operation {
        line: 10,
        action: action.clone(),
        guard: None,
    };
    Script {
        upgrade: Body::Does(actions.iter().map(operation).collect()),
        ..script
    }
}

/// An environment with these scripts.
pub(crate) fn code(scripts: &[Script]) -> Code {
    Code {
        config: "/srv/alembic.ini".into(),
        scripts: scripts.to_vec(),
        ..Code::default()
    }
}

/// The usual one: `a1`, `b2`, ... in a row.
pub(crate) fn row(revisions: &[&str]) -> Code {
    let mut before = "";
    let mut scripts = Vec::new();
    for revision in revisions {
        scripts.push(script(revision, before));
        before = revision;
    }
    code(&scripts)
}

/// With a script that cannot be read.
pub(crate) fn with_unreadable(code: Code) -> Code {
    Code {
        unreadable: vec![Unreadable {
            path: "/srv/dbmig/versions/z.py".into(),
            reason: "line 3: its revision is computed".into(),
        }],
        ..code
    }
}

impl Story {
    /// The code of the container is read.
    pub(crate) fn has(&mut self, code: Code) -> &mut Self {
        let container = self.container.clone();
        let environments = BTreeMap::from([(DEFAULT_ENVIRONMENT.to_owned(), Arc::new(code))]);
        self.sees(Observation::Code {
            container,
            environments,
        })
    }
}
