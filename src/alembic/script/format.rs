//! Text that is put together from parts, some of which are not known.
//!
//! Promises the text that Python would make, with [`HOLE`] for each unknown part; nothing longer than [`LONGEST`]. Refuses formats that
//! change how a value looks: such a value is a hole.

use std::rc::Rc;

use crate::alembic::sql::HOLE;

use super::value::{Arguments, Value};

/// The longest text that is put together, in bytes: what a whole file may have.
pub(super) const LONGEST: usize = crate::alembic::LONGEST_FILE;

fn text<'t>(text: String) -> Value<'t> {
    if text.len() > LONGEST {
        Value::Plain
    } else {
        Value::text(text)
    }
}

fn hole(value: &Value<'_>) -> String {
    value.shown().unwrap_or_else(|| HOLE.to_owned())
}

/// `a + b + c`.
pub(super) fn sum(values: Vec<Value<'_>>) -> Value<'_> {
    if values.iter().any(|value| matches!(value, Value::Str(_))) {
        return text(values.iter().map(hole).collect());
    }
    let mut lists = Vec::new();
    for value in values {
        match value {
            Value::List(values) if lists.len() + values.len() <= LONGEST / 64 => {
                lists.extend(values.iter().cloned());
            }
            _ => return Value::Plain,
        }
    }
    Value::list(lists)
}

/// `text % values`.
pub(super) fn percent<'t>(format: &Value<'t>, values: &Value<'t>) -> Value<'t> {
    let Value::Str(format) = format else {
        return Value::Plain;
    };
    let mut by_position = match values {
        Value::List(values) => values.to_vec(),
        value => vec![value.clone()],
    }
    .into_iter();
    let mut made = String::new();
    let mut rest = &**format;
    while let Some((before, after)) = rest.split_once('%') {
        made.push_str(before);
        if made.len() > LONGEST {
            return Value::Plain;
        }
        let (named, after) = match after.strip_prefix('(').and_then(|after| after.split_once(')')) {
            Some((name, after)) => (Some(name), after),
            None => (None, after),
        };
        let flags = after.len()
            - after
                .trim_start_matches(|c: char| c.is_ascii_digit() || "-+ #.".contains(c))
                .len();
        let (flags, after) = after.split_at(flags);
        let mut chars = after.chars();
        let kind = chars.next();
        if kind == Some('%') {
            made.push('%');
        } else {
            let value = match named {
                Some(name) => item(values, &Value::text(name)),
                None => by_position.next(),
            };
            let is_plain = flags.is_empty() && matches!(kind, Some('s' | 'd'));
            made.push_str(
                &value
                    .filter(|_| is_plain)
                    .map_or_else(|| HOLE.to_owned(), |value| hole(&value)),
            );
        }
        rest = chars.as_str();
    }
    made.push_str(rest);
    text(made)
}

/// `text.format(...)`.
fn braces<'t>(format: &str, arguments: &Arguments<'t>) -> Value<'t> {
    let mut made = String::new();
    let mut next = 0;
    let mut rest = format;
    while let Some(place) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(place);
        made.push_str(before);
        if made.len() > LONGEST {
            return Value::Plain;
        }
        if let Some(after) = ["{{", "}}"].iter().find_map(|twice| after.strip_prefix(twice)) {
            made.push_str(after_brace(rest, place));
            rest = after;
            continue;
        }
        let Some((field, after)) = after.strip_prefix('{').and_then(|after| after.split_once('}')) else {
            return Value::Plain;
        };
        let value = match field.parse::<usize>() {
            Ok(position) => arguments.positional.get(position),
            Err(_) if field.is_empty() => {
                next += 1;
                arguments.positional.get(next - 1)
            }
            Err(_) => arguments.named(&[field]),
        };
        made.push_str(&value.map_or_else(|| HOLE.to_owned(), hole));
        rest = after;
    }
    made.push_str(rest);
    text(made)
}

/// The one brace that two of them stand for.
fn after_brace(text: &str, place: usize) -> &str {
    text.get(place..=place).unwrap_or_default()
}

/// A dictionary's value.
pub(super) fn item<'t>(dict: &Value<'t>, key: &Value<'t>) -> Option<Value<'t>> {
    let (Value::Dict(items), Some(key)) = (dict, key.name()) else {
        return None;
    };
    let mut items = items.iter();
    items
        .find(|(name, _)| name.name().as_ref() == Some(&key))
        .map(|(_, value)| value.clone())
}

/// A method of a text.
pub(super) fn of_text<'t>(own: &Rc<str>, method: &str, arguments: &Arguments<'t>) -> Value<'t> {
    let first = arguments.positional.first();
    let known = |value: Option<&Value<'t>>| value.and_then(Value::name);
    match method {
        "format" => braces(own, arguments),
        "join" => match first {
            Some(Value::List(values)) if !values.is_empty() => {
                let parts: Vec<String> = values.iter().map(hole).collect();
                text(parts.join(own))
            }
            _ => Value::Plain,
        },
        "strip" => Value::text(own.trim()),
        "lstrip" => Value::text(own.trim_start()),
        "rstrip" => Value::text(own.trim_end()),
        "lower" if !own.contains(HOLE) => text(own.to_lowercase()),
        "upper" if !own.contains(HOLE) => text(own.to_uppercase()),
        "replace" => match (known(first), arguments.positional.get(1)) {
            (Some(from), Some(Value::Str(to))) if own.matches(&*from).count() * to.len() <= LONGEST => {
                text(own.replace(&*from, to))
            }
            _ => Value::Plain,
        },
        "split" => match (known(first), first) {
            (Some(by), _) => parts(own.split(&*by)),
            (None, None) => parts(own.split_whitespace()),
            _ => Value::Plain,
        },
        "splitlines" => parts(own.lines()),
        // What SQLAlchemy's text(...) has.
        "bindparams" | "columns" | "execution_options" => Value::Str(Rc::clone(own)),
        _ => Value::Plain,
    }
}

fn parts<'t, 's>(parts: impl Iterator<Item = &'s str>) -> Value<'t> {
    Value::list(parts.map(Value::text).collect())
}

/// A method of a dictionary.
pub(super) fn of_dict<'t>(
    items: &[(Value<'t>, Value<'t>)],
    own: &Value<'t>,
    method: &str,
    arguments: &Arguments<'t>,
) -> Value<'t> {
    match method {
        "items" => {
            let pair = |(key, value): &(Value<'t>, Value<'t>)| Value::list(vec![key.clone(), value.clone()]);
            Value::list(items.iter().map(pair).collect())
        }
        "keys" => Value::list(items.iter().map(|(key, _)| key.clone()).collect()),
        "values" => Value::list(items.iter().map(|(_, value)| value.clone()).collect()),
        "get" | "pop" | "setdefault" => arguments
            .positional
            .first()
            .and_then(|key| item(own, key))
            .unwrap_or(Value::Plain),
        _ => Value::Plain,
    }
}
