//! What another reading of the estate would change, and the refusal to delete in silence.
//!
//! Not here: writing anything.

use crate::model::Estate;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use thiserror::Error;

/// One thing that is new, gone or different.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// `assets`, `customers`, `connections`, … as the sections are called.
    pub section: String,
    pub id: String,
    /// Fields with their old and new value; empty for what was added or removed.
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    pub name: String,
    pub before: Value,
    pub after: Value,
}

/// All of it, in the order of sections and ids.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    pub added: Vec<Change>,
    pub changed: Vec<Change>,
    pub removed: Vec<Change>,
}

/// A reading that may take the place of the present one.
#[derive(Debug)]
pub struct Import {
    pub estate: Estate,
    pub difference: Difference,
}

/// Something would vanish that nobody confirmed.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("the import would remove {}; confirm each one, or set `state: retired` instead", .0.join(", "))]
pub struct NotConfirmed(pub Vec<String>);

/// Takes another reading if everything that it drops was confirmed as `section/id`
/// (`assets/web1`).
///
/// # Errors
/// With what would vanish unconfirmed.
pub fn import(
    present: &Estate,
    next: Estate,
    confirmed: &BTreeSet<String>,
) -> Result<Import, NotConfirmed> {
    let difference = present.difference(&next);
    let names = difference
        .removed
        .iter()
        .map(|change| format!("{}/{}", change.section, change.id));
    let silent: Vec<String> = names.filter(|name| !confirmed.contains(name)).collect();
    if silent.is_empty() {
        Ok(Import {
            estate: next,
            difference,
        })
    } else {
        Err(NotConfirmed(silent))
    }
}

impl Difference {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl Estate {
    /// What taking `next` would do.
    #[must_use]
    pub fn difference(&self, next: &Self) -> Difference {
        let (before, after) = (self.sections(), next.sections());
        let mut difference = Difference::default();
        for (section, after) in &after {
            let empty = Value::Object(Map::new());
            let before = before.get(section).unwrap_or(&empty);
            match (before.as_object(), after.as_object()) {
                (Some(before), Some(after)) => compare(section, before, after, &mut difference),
                _ if before != after => {
                    let fields = vec![Field {
                        name: section.clone(),
                        before: before.clone(),
                        after: after.clone(),
                    }];
                    difference.changed.push(Change {
                        section: "estate".to_owned(),
                        id: section.clone(),
                        fields,
                    });
                }
                _ => {}
            }
        }
        difference
    }

    fn sections(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(sections)) => sections,
            _ => unreachable!("an estate is a structure of maps with string keys"),
        }
    }
}

fn compare(
    section: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    difference: &mut Difference,
) {
    let change = |id: &str, fields| Change {
        section: section.to_owned(),
        id: id.to_owned(),
        fields,
    };
    for (id, new) in after {
        match before.get(id) {
            None => difference.added.push(change(id, Vec::new())),
            Some(old) if old != new => difference.changed.push(change(id, fields(old, new))),
            Some(_) => {}
        }
    }
    let gone = before.keys().filter(|id| !after.contains_key(*id));
    difference
        .removed
        .extend(gone.map(|id| change(id, Vec::new())));
}

fn fields(old: &Value, new: &Value) -> Vec<Field> {
    let (Some(old_fields), Some(new_fields)) = (old.as_object(), new.as_object()) else {
        return vec![Field {
            name: "value".to_owned(),
            before: old.clone(),
            after: new.clone(),
        }];
    };
    let names: BTreeSet<&String> = old_fields.keys().chain(new_fields.keys()).collect();
    let value =
        |fields: &Map<String, Value>, name: &str| fields.get(name).cloned().unwrap_or(Value::Null);
    names
        .into_iter()
        .map(|name| Field {
            name: name.clone(),
            before: value(old_fields, name),
            after: value(new_fields, name),
        })
        .filter(|field| field.before != field.after)
        .collect()
}
