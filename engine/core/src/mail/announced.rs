//! What a customer was told last of a lane's work, and how it differs from what is so now.
//!
//! Kept in a document, so that a change goes to exactly those who had the announcement. Not here: when the
//! difference is looked for.

use super::Recipient;
use crate::id::LaneId;
use crate::lane::Slot;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A later start by less than this is none: gates open by the minute.
const SAME_MS: i64 = 5 * 60_000;

/// The document that holds what a customer was told of a lane's work.
#[must_use]
pub fn announced_document(lane: LaneId, template: &str, customer: &str) -> String {
    format!("announced:{lane}:{template}:{customer}")
}

/// What was announced to one customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    pub revision: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// The customer's assets, by id.
    pub assets: BTreeMap<String, AnnouncedAsset>,
    /// Who was told.
    pub to: Vec<Recipient>,
    /// It does not take place: whoever has not had the announcement yet need not have it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
}

/// One asset of an announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncedAsset {
    pub name: String,
    /// When its turn comes at the earliest; none: nobody can say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_ms: Option<i64>,
}

/// One line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub name: String,
    /// None: it was not part of it, or nobody could say when.
    pub was_ms: Option<i64>,
    pub is: Becomes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Becomes {
    At(i64),
    /// It is not part of it any more.
    Dropped,
}

impl Announced {
    /// What people must be told to know what `now` says. A start that has become unknown is no news.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<Difference> {
        let differs = |id: &String, was: &AnnouncedAsset| {
            let is = match now.assets.get(id) {
                None => Becomes::Dropped,
                Some(asset) => {
                    let starts_ms = asset.starts_ms?;
                    let same = |was: i64| starts_ms.abs_diff(was) < SAME_MS.unsigned_abs();
                    if was.starts_ms.is_some_and(same) {
                        return None;
                    }
                    Becomes::At(starts_ms)
                }
            };
            Some(Difference {
                name: was.name.clone(),
                was_ms: was.starts_ms,
                is,
            })
        };
        let assets = self.assets.iter();
        assets.filter_map(|(id, was)| differs(id, was)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(assets: &[(&str, Option<i64>)]) -> Announced {
        let asset = |(id, starts_ms): &(&str, Option<i64>)| {
            let (name, starts_ms) = (id.to_uppercase(), *starts_ms);
            ((*id).to_owned(), AnnouncedAsset { name, starts_ms })
        };
        Announced {
            assets: assets.iter().map(asset).collect(),
            ..Announced::default()
        }
    }

    #[test]
    fn a_difference_names_what_moves_and_what_is_left_out_and_nothing_else() {
        let day_ms = 86_400_000;
        let was = announced(&[("a", Some(0)), ("b", Some(0)), ("c", Some(0)), ("d", None)]);
        let now = announced(&[
            ("a", Some(day_ms)),
            ("c", Some(60_000)),
            ("d", Some(day_ms)),
        ]);
        let found = was.differences(&now);
        let line = |name: &str, was_ms, is| Difference {
            name: name.to_owned(),
            was_ms,
            is,
        };
        assert_eq!(
            found,
            [
                line("A", Some(0), Becomes::At(day_ms)),
                line("B", Some(0), Becomes::Dropped),
                line("D", None, Becomes::At(day_ms)),
            ]
        );
        assert_eq!(was.differences(&was), []);
        let unknown = announced(&[("a", None), ("b", Some(0)), ("c", Some(0)), ("d", None)]);
        assert_eq!(was.differences(&unknown), []);
    }
}
