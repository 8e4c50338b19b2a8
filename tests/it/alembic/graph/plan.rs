//! Scripts, rows and targets that are made up.
//!
//! Promises branches, merges, several bases, dependencies by revision and by label, identifiers that begin alike, rows that are left
//! over, and in some cases scripts that Alembic cannot load. Refuses to know any answer.

use std::fmt;

use migwatch::model::revision::{Heads, Revision};
use migwatch::model::script::{Body, Script};
use proptest::prelude::*;
use proptest::sample::Index;

/// What is asked at once.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) scripts: Vec<Script>,
    pub(super) rows: Heads,
    pub(super) targets: Vec<String>,
}

/// A line a script, so that a failure can be read.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for script in &self.scripts {
            let down: Vec<&str> = script.down_revisions.iter().map(|down| down.0.as_str()).collect();
            let (depends, labels) = (&script.depends_on, &script.branch_labels);
            write!(
                f,
                "\n{} <- {down:?} depends {depends:?} labels {labels:?}",
                script.revision
            )?;
        }
        write!(f, "\nrows {:?}\ntargets {:?}", self.rows.0, self.targets)
    }
}

/// One script: how it hangs together with those before it.
#[derive(Clone, Debug)]
struct Planned {
    id: String,
    parents: Parents,
    depends: Vec<Index>,
    /// Dependencies are written as labels where the other has one.
    by_label: bool,
    labels: Vec<String>,
    /// Where it stands among the files.
    file: u16,
}

#[derive(Clone, Debug)]
enum Parents {
    None,
    Last,
    Some(Vec<Index>),
}

/// What is done to the scripts so that some cannot be loaded.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Duplicate,
    DanglingDown,
    DanglingDependency,
    DownToLabel,
    Cycle,
    DependencyCycle,
    Loop,
    DependencyLoop,
    LabelClash,
    ForbiddenCharacter,
}

/// A row, or a part of a target.
#[derive(Clone, Debug)]
enum Name {
    Revision(Index),
    Beginning(Index, usize),
    Label(Index),
    Word(&'static str),
}

/// A shape of a target; `{}` stands for a name.
const SHAPES: [&str; 22] = [
    "head", "heads", "base", "{}", "{}", "{}", "{}@head", "{}@heads", "{}@base", "{}@{}", "+1", "+2", "-1",
    "{}+1", "{}+2", "{}-1", "{}-2", "{}-0", "{}@+1", "{}@+2", "{}@{}+1", "{}@{}-1",
];

pub(super) fn case() -> impl Strategy<Value = Case> {
    let damage = prop_oneof![
        6 => Just(Vec::new()),
        1 => prop::collection::vec((damage(), any::<Index>(), any::<Index>()), 1..3),
    ];
    let rows = prop::collection::vec(row(), 0..4);
    let targets = prop::collection::vec((prop::sample::select(&SHAPES[..]), name(), name()), 1..6);
    (
        prop::collection::vec(planned(), 0..14),
        damage,
        rows,
        any::<bool>(),
        targets,
    )
        .prop_map(|(planned, damage, rows, only_tips, targets)| {
            let mut scripts = scripts(planned);
            for (damage, one, other) in damage {
                spoil(&mut scripts, damage, one, other);
            }
            unlabel_shadowed(&mut scripts);
            let mut rows: Vec<String> = rows.iter().map(|row| row.text(&scripts)).collect();
            if only_tips {
                leave_tips(&scripts, &mut rows);
            }
            let mut targets: Vec<String> = targets
                .iter()
                .map(|(shape, one, other)| {
                    shape
                        .replacen("{}", &one.text(&scripts), 1)
                        .replacen("{}", &other.text(&scripts), 1)
                })
                // Alembic reads `@-1` as steps down from the heads of no branch: nobody means that.
                .filter(|target: &String| !target.starts_with("@-"))
                .collect();
            targets.push("heads".into());
            Case {
                scripts,
                rows: Heads::of(rows),
                targets,
            }
        })
}

fn planned() -> impl Strategy<Value = Planned> {
    let parents = prop_oneof![
        1 => Just(Parents::None),
        4 => Just(Parents::Last),
        4 => prop::collection::vec(any::<Index>(), 1..4).prop_map(Parents::Some),
    ];
    let depends = prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::vec(any::<Index>(), 1..4),
    ];
    let labels = prop_oneof![
        5 => Just(Vec::new()),
        1 => prop::collection::vec("[a-c]{2,5}|shop|billing", 1..3),
    ];
    (
        "[a-c]{2,6}",
        parents,
        depends,
        any::<bool>(),
        labels,
        any::<u16>(),
    )
        .prop_map(|(id, parents, depends, by_label, labels, file)| Planned {
            id,
            parents,
            depends,
            by_label,
            labels,
            file,
        })
}

fn damage() -> impl Strategy<Value = Damage> {
    prop::sample::select(vec![
        Damage::Duplicate,
        Damage::Duplicate,
        Damage::DanglingDown,
        Damage::DanglingDependency,
        Damage::DownToLabel,
        Damage::Cycle,
        Damage::Cycle,
        Damage::Cycle,
        Damage::DependencyCycle,
        Damage::DependencyCycle,
        Damage::DependencyCycle,
        Damage::Loop,
        Damage::DependencyLoop,
        Damage::LabelClash,
        Damage::ForbiddenCharacter,
    ])
}

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![
        6 => any::<Index>().prop_map(Name::Revision),
        3 => (any::<Index>(), 1_usize..6).prop_map(|(index, length)| Name::Beginning(index, length)),
        3 => any::<Index>().prop_map(Name::Label),
        1 => prop::sample::select(vec!["head", "heads", "base", "", "nowhere", "a", "shop", "a:b", "abc@cab"])
            .prop_map(Name::Word),
    ]
}

/// Mostly a revision: a version table holds little else.
fn row() -> impl Strategy<Value = Name> {
    prop_oneof![
        20 => any::<Index>().prop_map(Name::Revision),
        1 => name(),
    ]
}

impl Name {
    fn text(&self, scripts: &[Script]) -> String {
        let all = |all: Vec<&str>, index: &Index| match all.len() {
            0 => String::new(),
            length => all[index.index(length)].to_owned(),
        };
        let revisions = || scripts.iter().map(|script| script.revision.0.as_str()).collect();
        let labels = || {
            scripts
                .iter()
                .flat_map(|script| &script.branch_labels)
                .map(String::as_str)
                .collect()
        };
        match self {
            Self::Revision(index) => all(revisions(), index),
            Self::Beginning(index, length) => all(revisions(), index).chars().take(*length).collect(),
            Self::Label(index) => all(labels(), index),
            Self::Word(word) => (*word).to_owned(),
        }
    }
}

/// Revisions and labels are made distinct; a script builds only on those before it; then the files are shuffled.
fn scripts(planned: Vec<Planned>) -> Vec<Script> {
    let mut taken: Vec<String> = Vec::new();
    let mut scripts: Vec<(u16, Script)> = Vec::new();
    for one in planned {
        if taken.contains(&one.id) {
            continue;
        }
        taken.push(one.id.clone());
        let pick = |index: &Index| &scripts[index.index(scripts.len())].1;
        let chosen: Vec<&Script> = match &one.parents {
            _ if scripts.is_empty() => Vec::new(),
            Parents::None => Vec::new(),
            Parents::Last => scripts.last().map(|(_, last)| last).into_iter().collect(),
            Parents::Some(parents) => parents.iter().map(pick).collect(),
        };
        let down_revisions = chosen.iter().map(|parent| parent.revision.clone()).collect();
        let depends_on = match scripts.len() {
            0 => Vec::new(),
            _ => one
                .depends
                .iter()
                .map(pick)
                .map(|other| called(other, one.by_label))
                .collect(),
        };
        let mut branch_labels = Vec::new();
        for label in one.labels {
            if !taken.contains(&label) {
                taken.push(label.clone());
                branch_labels.push(label);
            }
        }
        scripts.push((
            one.file,
            script(one.id, down_revisions, depends_on, branch_labels),
        ));
    }
    scripts.sort_by_key(|(file, _)| *file);
    scripts.into_iter().map(|(_, script)| script).collect()
}

fn called(script: &Script, by_label: bool) -> String {
    let label = script.branch_labels.first().filter(|_| by_label);
    label.unwrap_or(&script.revision.0).clone()
}

fn script(
    id: String,
    down_revisions: Vec<Revision>,
    depends_on: Vec<String>,
    branch_labels: Vec<String>,
) -> Script {
    Script {
        path: format!("versions/{id}.py"),
        revision: Revision(id),
        down_revisions,
        depends_on,
        branch_labels,
        title: None,
        upgrade: Body::Missing,
        downgrade: Body::Missing,
    }
}

fn spoil(scripts: &mut [Script], damage: Damage, one: Index, other: Index) {
    if scripts.is_empty() {
        return;
    }
    let other = scripts[other.index(scripts.len())].clone();
    let length = scripts.len();
    let script = &mut scripts[one.index(length)];
    match damage {
        Damage::Duplicate => script.revision = other.revision,
        Damage::DanglingDown => script.down_revisions.push(Revision("missing".into())),
        Damage::DanglingDependency => script.depends_on.push("missing".into()),
        Damage::DownToLabel => {
            let label = other.branch_labels.into_iter().next();
            script.down_revisions.extend(label.map(Revision));
        }
        Damage::Cycle => script.down_revisions.push(other.revision),
        Damage::DependencyCycle => script.depends_on.push(called(&other, true)),
        Damage::Loop => script.down_revisions.push(script.revision.clone()),
        Damage::DependencyLoop => script.depends_on.push(script.revision.0.clone()),
        Damage::LabelClash => script.branch_labels.push(other.revision.0),
        Damage::ForbiddenCharacter => script.revision.0.push('+'),
    }
}

/// Of two scripts with one revision the earlier loses its labels: through them it would haunt Alembic's graph, half there, half not.
fn unlabel_shadowed(scripts: &mut [Script]) {
    for at in 0..scripts.len() {
        let (script, later) = scripts[at..].split_first_mut().unwrap();
        if later.iter().any(|other| other.revision == script.revision) {
            script.branch_labels.clear();
        }
    }
}

/// Takes rows away that come before others, so that most cases are not about those.
fn leave_tips(scripts: &[Script], rows: &mut Vec<String>) {
    let below = |name: &str| {
        let mut open = vec![name.to_owned()];
        let mut found: Vec<String> = Vec::new();
        while let Some(name) = open.pop() {
            let named = scripts
                .iter()
                .filter(|script| script.revision.0 == name || script.branch_labels.contains(&name));
            for script in named {
                let next = script
                    .down_revisions
                    .iter()
                    .map(|down| &down.0)
                    .chain(&script.depends_on);
                for other in next
                    .filter(|other| !found.contains(other))
                    .cloned()
                    .collect::<Vec<_>>()
                {
                    found.push(other.clone());
                    open.push(other);
                }
            }
        }
        found
    };
    let earlier: Vec<String> = rows.iter().flat_map(|row| below(row)).collect();
    rows.retain(|row| !earlier.contains(row));
}
