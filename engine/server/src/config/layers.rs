//! Layers of settings, one over the other, with every unknown key refused.

use super::Config;
use hostler_api::suggest;
use std::path::{Path, PathBuf};
use thiserror::Error;
use toml::{Table, Value};

/// Environment variables of settings begin so and have `__` between section and key.
const PREFIX: &str = "HOSTLER_";

/// Where settings come from besides the defaults.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// None: `hostler.toml`, if it is there.
    pub file: Option<PathBuf>,
    /// Name and value of all environment variables.
    pub environment: Vec<(String, String)>,
    /// `section.key=value`, as flags gave them.
    pub set: Vec<String>,
}

#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("{path}: {why}")]
    Unreadable { path: PathBuf, why: String },
    #[error("{place}: `{key}` is no setting; {remedy}")]
    Unknown {
        place: String,
        key: String,
        remedy: String,
    },
    #[error("{place}: `{key}` {why}")]
    Value {
        place: String,
        key: String,
        why: String,
    },
    #[error("`{0}` is not section.key=value")]
    Flag(String),
    #[error("the settings do not fit together: {0}")]
    Shape(String),
}

/// Reads all layers.
///
/// # Errors
/// For a file that cannot be read, an unknown key (with the nearest known one), a value of the wrong
/// kind. Nothing is skipped.
pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
    let known = defaults()?;
    let mut settings = known.clone();
    if let Some((path, table)) = file(sources.file.as_deref())? {
        lay_file(&mut settings, &known, &path.display().to_string(), table)?;
    }
    for (name, value) in &sources.environment {
        let Some((section, key)) = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once("__"))
        else {
            continue;
        };
        let (section, key) = (section.to_lowercase(), key.to_lowercase());
        lay_text(&mut settings, &known, name, &section, &key, value)?;
    }
    for flag in &sources.set {
        let wrong = || ConfigError::Flag(flag.clone());
        let (name, value) = flag.split_once('=').ok_or_else(wrong)?;
        let (section, key) = name.split_once('.').ok_or_else(wrong)?;
        lay_text(&mut settings, &known, "--set", section, key, value)?;
    }
    Value::Table(settings)
        .try_into()
        .map_err(|fault: toml::de::Error| ConfigError::Shape(fault.to_string()))
}

fn defaults() -> Result<Table, ConfigError> {
    Table::try_from(Config::default()).map_err(|fault| ConfigError::Shape(fault.to_string()))
}

fn file(path: Option<&Path>) -> Result<Option<(PathBuf, Table)>, ConfigError> {
    let usual = Path::new("hostler.toml");
    let path = match path {
        Some(path) => path,
        None if usual.exists() => usual,
        None => return Ok(None),
    };
    let unreadable = |why: String| ConfigError::Unreadable {
        path: path.to_owned(),
        why,
    };
    let text = std::fs::read_to_string(path).map_err(|fault| unreadable(fault.to_string()))?;
    let table = text
        .parse()
        .map_err(|fault: toml::de::Error| unreadable(fault.to_string()))?;
    Ok(Some((path.to_owned(), table)))
}

fn lay_file(
    settings: &mut Table,
    known: &Table,
    place: &str,
    given: Table,
) -> Result<(), ConfigError> {
    for (section, value) in given {
        let wanted = section_of(known, place, &section)?;
        let Value::Table(entries) = value else {
            let why = format!("is a section: write [{section}] and its keys below it");
            return Err(ConfigError::Value {
                place: place.to_owned(),
                key: section,
                why,
            });
        };
        for (key, value) in entries {
            let default = key_of(wanted, place, &section, &key)?;
            if default.type_str() != value.type_str() {
                let why = format!("is a {}, not a {}", value.type_str(), default.type_str());
                return Err(ConfigError::Value {
                    place: place.to_owned(),
                    key: format!("{section}.{key}"),
                    why,
                });
            }
            put(settings, &section, &key, value);
        }
    }
    Ok(())
}

/// A value that comes as text takes the kind of the default.
fn lay_text(
    settings: &mut Table,
    known: &Table,
    place: &str,
    section: &str,
    key: &str,
    text: &str,
) -> Result<(), ConfigError> {
    let default = key_of(section_of(known, place, section)?, place, section, key)?;
    let wrong = |kind: &str| ConfigError::Value {
        place: place.to_owned(),
        key: format!("{section}.{key}"),
        why: format!("is {text:?}, not a {kind}"),
    };
    let value = match default {
        Value::Integer(_) => Value::Integer(text.parse().map_err(|_| wrong("whole number"))?),
        Value::Boolean(_) => Value::Boolean(text.parse().map_err(|_| wrong("true or false"))?),
        Value::Array(_) => Value::Array(
            text.split(',')
                .map(|part| Value::String(part.trim().to_owned()))
                .collect(),
        ),
        _ => Value::String(text.to_owned()),
    };
    put(settings, section, key, value);
    Ok(())
}

fn section_of<'a>(known: &'a Table, place: &str, section: &str) -> Result<&'a Table, ConfigError> {
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    known
        .get(section)
        .and_then(Value::as_table)
        .ok_or_else(|| ConfigError::Unknown {
            place: place.to_owned(),
            key: section.to_owned(),
            remedy: suggest::remedy(section, &names),
        })
}

fn key_of<'a>(
    wanted: &'a Table,
    place: &str,
    section: &str,
    key: &str,
) -> Result<&'a Value, ConfigError> {
    let names: Vec<&str> = wanted.keys().map(String::as_str).collect();
    wanted.get(key).ok_or_else(|| ConfigError::Unknown {
        place: place.to_owned(),
        key: format!("{section}.{key}"),
        remedy: suggest::remedy(key, &names),
    })
}

fn put(settings: &mut Table, section: &str, key: &str, value: Value) {
    if let Some(Value::Table(entries)) = settings.get_mut(section) {
        entries.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../examples/hostler.toml");

    fn with(environment: &[(&str, &str)], set: &[&str], text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hostler.toml");
        std::fs::write(&path, text).unwrap();
        let environment = environment
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        load(&Sources {
            file: Some(path),
            environment,
            set: set.iter().map(ToString::to_string).collect(),
        })
    }

    #[test]
    fn flags_win_over_the_environment_which_wins_over_the_file() {
        let text = "[worker]\npermits = 1\nname = 'file'\nlease_ms = 9\n";
        let config = with(
            &[
                ("HOSTLER_WORKER__PERMITS", "2"),
                ("HOSTLER_WORKER__NAME", "environment"),
                ("HOSTLER_TOKEN", "x"),
            ],
            &["worker.permits=3"],
            text,
        )
        .unwrap();
        assert_eq!(
            (
                config.worker.permits,
                config.worker.name.as_str(),
                config.worker.lease_ms
            ),
            (3, "environment", 9)
        );
        assert_eq!(config.worker.drain_ms, Worker::default().drain_ms);
    }

    use super::super::Worker;

    #[test]
    fn what_is_wrong_is_refused_with_its_remedy() {
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a str, &'a str);
        let cases: &[Case<'_>] = &[
            (&[], &[], "[worker]\npermit = 1\n", "did you mean permits?"),
            (&[], &[], "[wroker]\npermits = 1\n", "did you mean worker?"),
            (&[], &[], "worker = 1\n", "is a section"),
            (
                &[],
                &[],
                "[worker]\npermits = 'many'\n",
                "is a string, not a integer",
            ),
            (
                &[("HOSTLER_STORE__KNID", "redis")],
                &[],
                "",
                "did you mean kind?",
            ),
            (
                &[("HOSTLER_WORKER__PERMITS", "many")],
                &[],
                "",
                "not a whole number",
            ),
            (&[], &["worker=3"], "", "section.key=value"),
            (&[], &[], "[worker", "hostler.toml"),
        ];
        for (environment, set, text, expected) in cases {
            let fault = with(environment, set, text).unwrap_err().to_string();
            assert!(fault.contains(expected), "{fault}");
        }
    }

    #[test]
    fn the_example_is_complete_commented_and_gives_the_defaults() {
        let config = with(&[], &[], EXAMPLE).unwrap();
        assert_eq!(config, Config::default());
        let given: Table = EXAMPLE.parse().unwrap();
        for (section, keys) in &defaults().unwrap() {
            for key in keys.as_table().unwrap().keys() {
                assert!(
                    given[section].get(key).is_some(),
                    "[{section}] {key} is not in the example"
                );
                let at = EXAMPLE.find(&format!("\n{key} = ")).unwrap();
                assert!(
                    EXAMPLE[..at].lines().last().unwrap().starts_with('#'),
                    "{key} has no comment above it"
                );
            }
        }
    }
}
