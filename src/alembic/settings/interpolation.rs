//! Puts values into values.
//!
//! Promises Python's two ways: `configparser` puts in `%(key)s` again and again, `%` once from a fixed set. Refuses to go deeper than
//! Python does, and to let values multiply without end.
//!
//! Source of the facts: Python 3.11, `BasicInterpolation._interpolate_some`, and "printf-style String Formatting".

use crate::model::redact::shorten;

/// As deep as Python goes.
const DEEPEST: usize = 10;
/// More steps than any honest file takes: ten values that name each other ten times would take ten thousand million.
const MOST_STEPS: usize = 1_000;
/// Longer values are no folders.
const LONGEST: usize = 64 * 1024;
/// The longest key that is shown, in characters.
const SHOWN: usize = 60;

/// `raw` with every `%(key)s` replaced by what `value` gives for the key, and `%%` by `%`.
pub(super) fn interpolated<'a>(
    name: &str,
    raw: &str,
    value: &dyn Fn(&str) -> Option<&'a str>,
) -> Result<String, String> {
    let mut text = String::new();
    let mut steps = 0;
    put(
        name,
        raw,
        value,
        &mut Budget {
            text: &mut text,
            steps: &mut steps,
            depth: 1,
        },
    )?;
    Ok(text)
}

struct Budget<'t> {
    text: &'t mut String,
    steps: &'t mut usize,
    depth: usize,
}

fn put<'a>(
    name: &str,
    raw: &str,
    value: &dyn Fn(&str) -> Option<&'a str>,
    budget: &mut Budget<'_>,
) -> Result<(), String> {
    if budget.depth > DEEPEST {
        return Err(format!(
            "the value of {name} refers to values that refer to each other"
        ));
    }
    let mut rest = raw;
    while let Some((before, behind)) = rest.split_once('%') {
        budget.text.push_str(before);
        *budget.steps += 1;
        if *budget.steps > MOST_STEPS || budget.text.len() > LONGEST {
            return Err(format!("the value of {name} grows too long"));
        }
        if let Some(behind) = behind.strip_prefix('%') {
            budget.text.push('%');
            rest = behind;
            continue;
        }
        let (key, behind) = reference(behind)
            .ok_or_else(|| format!("the value of {name} has a % that must be written %%"))?;
        let key = key.to_lowercase();
        let inner = value(&key).ok_or_else(|| {
            format!(
                "the value of {name} refers to {}, which is not there",
                shorten(&key, SHOWN)
            )
        })?;
        budget.depth += 1;
        put(name, inner, value, budget)?;
        budget.depth -= 1;
        rest = behind;
    }
    budget.text.push_str(rest);
    Ok(())
}

/// The key of `(key)s` and what stands behind it.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (key, behind) = text.strip_prefix('(')?.split_once(')')?;
    Some((key, behind.strip_prefix('s')?)).filter(|(key, _)| !key.is_empty())
}

/// `raw` with `%(here)s` and `%%` replaced, once.
pub(super) fn formatted(name: &str, raw: &str, here: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = raw;
    while let Some((before, behind)) = rest.split_once('%') {
        text.push_str(before);
        if text.len() > LONGEST {
            return Err(format!("the value of {name} grows too long"));
        }
        let (put, behind) = match (behind.strip_prefix('%'), reference(behind)) {
            (Some(behind), _) => ("%", behind),
            (None, Some(("here", behind))) => (here, behind),
            _ => {
                return Err(format!(
                    "the value of {name} has a % that is neither %(here)s nor %%"
                ));
            }
        };
        text.push_str(put);
        rest = behind;
    }
    text.push_str(rest);
    Ok(text)
}
