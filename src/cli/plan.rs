//! `migwatch plan`: what a migration would do, before it does it.

use std::path::PathBuf;

use clap::Args;

use super::{CliError, FINDING, GOOD, Global, Output, block_on, client, local, output};
use crate::alembic::plan::EVERYTHING;
use crate::model::plan::{Plan, PlanScene, PlannedOperation, PlannedRevision};
use crate::model::service::ServiceId;
use crate::model::status::Status;

/// Whose code is meant, and which.
#[derive(Debug, Args)]
pub(super) struct Whose {
    /// The service, as PROJECT/SERVICE, or SERVICE where only one project has it
    #[arg(value_name = "[PROJECT/]SERVICE", required_unless_present = "dir")]
    pub(super) service: Option<String>,
    /// The code in this folder instead of the one in the service's container: Alembic's folder, or the one with alembic.ini
    #[arg(long, value_name = "FOLDER")]
    pub(super) dir: Option<PathBuf>,
    /// The code in this image instead: a container is created from it, read, and removed; it is never started
    #[arg(long, value_name = "IMAGE", conflicts_with = "dir", requires = "service")]
    pub(super) from_image: Option<String>,
    /// What the upgrade would be asked for
    #[arg(long, value_name = "REVISION", default_value = EVERYTHING)]
    pub(super) to: String,
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    whose: Whose,
}

pub(super) fn plan(global: &Global, arguments: &Arguments) -> Result<u8, CliError> {
    let plans = plans(global, &arguments.whose)?;
    match global.output {
        Output::Json => output::json(&plans)?,
        Output::Markdown => output::line(&each(&plans, markdown)),
        Output::Table => output::line(&each(&plans, text)),
    }
    let is_bad = plans
        .iter()
        .any(|plan| plan.refusal.is_some() || !plan.problems.is_empty() || !plan.unknown.is_empty());
    Ok(if is_bad { FINDING } else { GOOD })
}

/// The plans that are asked for: the daemon's, or those of a folder's or an image's code where the service's tables stand.
pub(super) fn plans(global: &Global, whose: &Whose) -> Result<Vec<Plan>, CliError> {
    let folder = whose.dir.as_deref().map(local::folder).transpose()?;
    let Some(service) = &whose.service else {
        let code = folder.unwrap_or_default();
        return Ok(vec![local::plan(&code, PlanScene::default(), &whose.to)]);
    };
    let service = service_of(global, service)?;
    // Without its own code it is not known which table is the service's.
    let known = known(global, &service, &whose.to)?;
    let image = whose.from_image.as_deref();
    let of_image = image
        .map(|image| local::image(global, image, &known))
        .transpose()?;
    let mut plans = Vec::new();
    for known in known {
        let (environment, scene) = (known.environment.clone(), known.scene.clone());
        let of_image = of_image.as_ref().and_then(|all| all.get(&environment));
        plans.push(match folder.as_ref().or(of_image.map(AsRef::as_ref)) {
            Some(code) => Plan {
                environment,
                image: image.map(str::to_owned),
                known_by: known.known_by,
                ..local::plan(code, scene, &whose.to)
            },
            None => known,
        });
    }
    Ok(plans)
}

fn known(global: &Global, service: &ServiceId, target: &str) -> Result<Vec<Plan>, CliError> {
    let socket = global.socket(&global.config()?);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("service", &service.to_string());
    query.append_pair("target", target);
    let path = format!("/api/v1/plan?{}", query.finish());
    Ok(block_on(client::get(&socket, &path))??)
}

/// The service of this name, whose project may be left out where there is only one.
pub(super) fn service_of(global: &Global, name: &str) -> Result<ServiceId, CliError> {
    if let Some((project, service)) = name.split_once('/') {
        return Ok(ServiceId::new(project, service));
    }
    let socket = global.socket(&global.config()?);
    let status: Status = block_on(client::get(&socket, "/api/v1/status"))??;
    let known: Vec<&ServiceId> = status
        .services
        .iter()
        .map(|service| &service.service)
        .filter(|known| known.service == name)
        .collect();
    match known.as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(CliError::Usage(format!(
            "no service is called {name}: `migwatch status` shows those that there are"
        ))),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(CliError::Usage(format!(
                "several services are called {name}: say which of {}",
                names.join(", ")
            )))
        }
    }
}

fn each(plans: &[Plan], shown: fn(&Plan) -> String) -> String {
    plans.iter().map(shown).collect::<Vec<_>>().join("\n\n")
}

/// For a terminal.
fn text(plan: &Plan) -> String {
    let mut lines = vec![headline(plan)];
    lines.extend(trouble(plan).iter().map(|problem| format!("  ! {problem}")));
    for pending in &plan.pending {
        lines.push(String::new());
        lines.push(format!(
            "{}  {}",
            pending.revision,
            pending.title.as_deref().unwrap_or("(no title)")
        ));
        lines.push(format!(
            "  {} · downgrade {}",
            pending.path,
            pending.downgrade.as_str()
        ));
        if pending.operations.is_empty() {
            lines.push("  does nothing to the schema".to_owned());
        }
        for operation in &pending.operations {
            let guard = operation
                .guard
                .as_ref()
                .map(|guard| format!(" ({guard})"))
                .unwrap_or_default();
            lines.push(format!("  {:>4}  {}{guard}", operation.line, operation.what));
            lines.extend(notes(operation).iter().map(|note| format!("        {note}")));
        }
    }
    lines.push(String::new());
    lines.push(summary(plan));
    lines.join("\n")
}

/// For a review in a pull request.
fn markdown(plan: &Plan) -> String {
    let mut lines = vec![format!("## {}", headline(plan)), String::new()];
    lines.extend(
        trouble(plan)
            .iter()
            .map(|problem| format!("- **{}**", escaped(problem))),
    );
    for pending in &plan.pending {
        lines.push(String::new());
        lines.push(format!(
            "### `{}` {}",
            pending.revision,
            escaped(pending.title.as_deref().unwrap_or("(no title)"))
        ));
        lines.push(format!(
            "`{}`, downgrade {}",
            pending.path,
            pending.downgrade.as_str()
        ));
        lines.push(String::new());
        if pending.operations.is_empty() {
            lines.push("Does nothing to the schema.".to_owned());
            continue;
        }
        lines.push("| line | operation | notes |".to_owned());
        lines.push("| ---: | --- | --- |".to_owned());
        for operation in &pending.operations {
            let guard = operation.guard.as_ref().map(ToString::to_string);
            let notes: Vec<String> = guard
                .into_iter()
                .chain(notes(operation))
                .map(|note| escaped(&note))
                .collect();
            lines.push(format!(
                "| {} | {} | {} |",
                operation.line,
                escaped(&operation.what),
                notes.join("<br>")
            ));
        }
    }
    lines.push(String::new());
    lines.push(summary(plan));
    lines.join("\n")
}

/// What a table's cell and a line of Markdown must not contain.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']') {
            escaped.push('\\');
        }
        escaped.push(if character.is_control() { ' ' } else { character });
    }
    escaped
}

fn headline(plan: &Plan) -> String {
    let scene = &plan.scene;
    let whose = scene
        .service
        .as_ref()
        .map_or_else(|| plan.config.clone(), ToString::to_string);
    let table = scene
        .table
        .as_ref()
        .map(|table| format!(" on {table}"))
        .unwrap_or_default();
    let kind = scene
        .kind
        .map(|kind| format!(" ({})", kind.as_str()))
        .unwrap_or_default();
    let at = match &scene.current {
        Some(current) => format!(", now at {current}"),
        None => ", where it stands is not known".to_owned(),
    };
    let image = plan
        .image
        .as_ref()
        .map(|image| format!(", code of {image}"))
        .unwrap_or_default();
    format!("{whose}{table}{kind}{at}{image}")
}

fn trouble(plan: &Plan) -> Vec<String> {
    let mut trouble = plan.problems.clone();
    if !plan.unknown.is_empty() {
        let rows: Vec<&str> = plan.unknown.iter().map(|row| row.0.as_str()).collect();
        let who = if plan.known_by.is_empty() {
            String::new()
        } else {
            format!("; known to {}", plan.known_by.join(", "))
        };
        trouble.push(format!("this code does not know {}{who}", rows.join(", ")));
    }
    trouble.extend(
        plan.refusal
            .iter()
            .map(|refusal| format!("Alembic would refuse: {refusal}")),
    );
    trouble
}

fn notes(operation: &PlannedOperation) -> Vec<String> {
    let owners: Vec<String> = operation.owners.iter().map(ToString::to_string).collect();
    let foreign = (!owners.is_empty()).then(|| {
        let owners = owners.join(", ");
        format!("ANOTHER SERVICE'S TABLE: {owners} made it")
    });
    let noted = |word: &str, why: &Option<String>| why.as_ref().map(|why| format!("{word}: {why}"));
    [
        foreign,
        noted("destructive", &operation.destructive),
        noted("cannot tell", &operation.uncertain),
        noted("breaks", &operation.breaking),
        noted("locks", &operation.locking),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn summary(plan: &Plan) -> String {
    let count = |is_one: fn(&PlannedRevision) -> bool| plan.pending.iter().filter(|one| is_one(one)).count();
    if plan.refusal.is_some() {
        return "what would run cannot be told".to_owned();
    }
    if plan.pending.is_empty() {
        return "nothing is pending".to_owned();
    }
    let mut parts = vec![format!("{} pending", plan.pending.len())];
    let destructive = count(PlannedRevision::is_destructive);
    let foreign = count(|one| one.foreign().next().is_some());
    let uncertain = count(PlannedRevision::is_uncertain);
    for (number, what) in [
        (foreign, "touching other services' tables"),
        (destructive, "destructive"),
        (uncertain, "not wholly readable"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    }
    parts.join(", ")
}
