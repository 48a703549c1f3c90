//! The filter over assets: `ring=canary service=a,b !customer=chemistry id=web-*`.
//!
//! Not here: an opinion on what to do with an empty result.

use crate::asset::{ATTRIBUTES, Asset, EXPOSURES, KINDS, STATES};
use crate::fault::nearest;
use crate::model::Estate;
use hostler_core::directory::SelectorFault;
use std::collections::HashSet;

/// A list of every id of the largest estate fits.
const TEXT_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Nobody reads a longer filter.
const TERMS_MAX: usize = 64;

/// A filter that was read, but not yet held against an estate.
#[derive(Clone, Debug)]
pub struct Selector {
    text: String,
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    text: String,
    negated: bool,
    attribute: &'static str,
    exact: HashSet<String>,
    /// Values with `*`.
    patterns: Vec<String>,
}

impl Selector {
    /// # Errors
    /// When the text is empty or too long, or a term is not `key=value`.
    pub fn parse(text: &str) -> Result<Self, SelectorFault> {
        if text.len() > TEXT_MAX_BYTES {
            return Err(fault(
                "",
                "",
                "the filter is too long",
                "select by an attribute instead of by ids",
            ));
        }
        let terms: Vec<Term> = text
            .split_whitespace()
            .map(|term| Term::parse(text, term))
            .collect::<Result<_, _>>()?;
        if terms.is_empty() {
            return Err(fault(
                text,
                "",
                "the filter is empty",
                "write `id=*` for all assets",
            ));
        }
        if terms.len() > TERMS_MAX {
            return Err(fault(
                text,
                "",
                "the filter has too many terms",
                "join values of one key: `id=a,b`",
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            terms,
        })
    }

    /// Makes sure that customers, windows, groups, ids and the like exist, so that a typing error
    /// is not an empty list.
    ///
    /// # Errors
    /// When one does not.
    pub fn check(&self, estate: &Estate) -> Result<(), SelectorFault> {
        for term in &self.terms {
            for value in &term.exact {
                if let Some(remedy) = unknown(estate, term.attribute, value) {
                    return Err(fault(
                        &self.text,
                        &term.text,
                        &format!("there is no `{value}`"),
                        &remedy,
                    ));
                }
            }
        }
        Ok(())
    }

    #[must_use]
    pub fn matches(&self, asset: &Asset) -> bool {
        let hidden =
            asset.state == "retired" && !self.terms.iter().any(|term| term.attribute == "state");
        !hidden && self.terms.iter().all(|term| term.matches(asset))
    }

    /// The ids that the filter names outright, so that not all assets need to be looked at.
    pub(crate) fn ids(&self) -> Option<impl Iterator<Item = &str>> {
        let by_id =
            |term: &&Term| term.attribute == "id" && !term.negated && term.patterns.is_empty();
        self.terms
            .iter()
            .find(by_id)
            .map(|term| term.exact.iter().map(String::as_str))
    }
}

impl Term {
    fn parse(whole: &str, text: &str) -> Result<Self, SelectorFault> {
        let (negated, rest) = text
            .strip_prefix('!')
            .map_or((false, text), |rest| (true, rest));
        let Some((key, values)) = rest.split_once('=') else {
            return Err(fault(
                whole,
                text,
                "the term has no `=`",
                "write `key=value`",
            ));
        };
        let key = if key == "group" {
            "redundancy_group"
        } else {
            key
        };
        let Some(attribute) = ATTRIBUTES.iter().find(|known| **known == key) else {
            let remedy = match nearest(key, ATTRIBUTES.into_iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known: {}", ATTRIBUTES.join(", ")),
            };
            return Err(fault(
                whole,
                text,
                &format!("there is no attribute `{key}`"),
                &remedy,
            ));
        };
        if values.split(',').any(str::is_empty) {
            return Err(fault(
                whole,
                text,
                "a value is empty",
                "write `!key=*` for assets without a value",
            ));
        }
        let (patterns, exact) = values
            .split(',')
            .map(str::to_owned)
            .partition::<Vec<_>, _>(|value| value.contains('*'));
        Ok(Self {
            text: text.to_owned(),
            negated,
            attribute,
            exact: exact.into_iter().collect(),
            patterns,
        })
    }

    fn matches(&self, asset: &Asset) -> bool {
        let fits = |value: &str| {
            self.exact.contains(value) || self.patterns.iter().any(|pattern| glob(pattern, value))
        };
        asset.any(self.attribute, &fits) != self.negated
    }
}

/// `*` is any text, also none. Linear: each part is looked for once, from the left.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The remedy, if a value cannot be one of this estate.
fn unknown(estate: &Estate, attribute: &str, value: &str) -> Option<String> {
    fn among<'a>(value: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
        if known.clone().any(|candidate| candidate == value) {
            return None;
        }
        Some(match nearest(value, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "look at the estate's list".to_owned(),
        })
    }
    match attribute {
        "id" if estate.assets.contains_key(value) => None,
        "id" => among(value, estate.assets.keys().map(String::as_str)),
        "customer" => among(value, estate.customers.keys().map(String::as_str)),
        "window" => among(value, estate.windows.keys().map(String::as_str)),
        "redundancy_group" => among(value, estate.groups.keys().map(String::as_str)),
        "via" => among(value, estate.connections.keys().map(String::as_str)),
        "owner" => among(value, estate.people.keys().map(String::as_str)),
        "kind" => among(value, KINDS.into_iter()),
        "exposure" => among(value, EXPOSURES.into_iter()),
        "state" => among(value, STATES.into_iter()),
        "legal_hold" => among(value, ["true", "false"].into_iter()),
        _ => None,
    }
}

fn fault(selector: &str, term: &str, why: &str, remedy: &str) -> SelectorFault {
    const SHOWN: usize = 200;
    let shown = selector.chars().take(SHOWN).collect();
    SelectorFault {
        selector: shown,
        term: term.chars().take(SHOWN).collect(),
        why: why.to_owned(),
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("web-*", "web-1", true),
            ("web-*", "we", false),
            ("*-db", "a-db", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("a*a", "a", false),
            ("**", "x", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_term_that_cannot_be_read_says_how_it_is_written() {
        for (text, remedy) in [
            ("", "id=*"),
            ("canary", "key=value"),
            ("rnig=canary", "did you mean `ring`?"),
            ("colour=red", "known:"),
            ("custmer=x", "did you mean `customer`?"),
            ("ring=", "!key=*"),
            ("ring=a,,b", "!key=*"),
            ("=x", "known:"),
        ] {
            let fault = Selector::parse(text).unwrap_err();
            assert!(fault.remedy.contains(remedy), "{text}: {fault}");
        }
    }
}
