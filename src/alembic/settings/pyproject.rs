//! Reads `[tool.alembic]` of pyproject.toml.
//!
//! Promises what Alembic takes, which is `%(here)s` in any text, and lists instead of separators. Refuses to look at the rest of the file.
//!
//! Source of the facts: Alembic 1.20, `Config._get_toml_config_value`.

use toml::{Table, Value};

use super::{Settings, folder, interpolation};

pub(super) fn read(text: &str, here: &str) -> Result<Settings, String> {
    let file: Table = toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        format!("{line}{}", error.message())
    })?;
    let nothing = Table::new();
    let alembic = match file.get("tool").map(|tool| tool.get("alembic")) {
        None | Some(None) => &nothing,
        Some(Some(Value::Table(alembic))) => alembic,
        Some(Some(_)) => return Err("tool.alembic must be a table".to_owned()),
    };
    let path = |name: &str, value: &Value| match value {
        Value::String(raw) => interpolation::formatted(name, raw, here).map(|location| folder(&location)),
        _ => Err(format!("the value of {name} must be text")),
    };
    let script_location = alembic
        .get("script_location")
        .map(|value| path("script_location", value))
        .transpose()?;
    let version_locations = match alembic.get("version_locations") {
        None => Vec::new(),
        Some(Value::Array(values)) => {
            let paths = values.iter().map(|value| path("version_locations", value));
            paths.collect::<Result<Vec<String>, String>>()?
        }
        Some(_) => return Err("the value of version_locations must be a list".to_owned()),
    };
    let recursive = match alembic.get("recursive_version_locations") {
        None => None,
        Some(Value::Boolean(is)) => Some(*is),
        Some(_) => return Err("the value of recursive_version_locations must be true or false".to_owned()),
    };
    Ok(Settings {
        has_section: !alembic.is_empty(),
        script_location,
        version_locations,
        recursive,
    })
}
