//! What a reader may see of the estate in texts that were written for others: a customer's people never another
//! customer's servers, people or names; staff everything.
//!
//! Texts are looked through word by word, so this holds whatever a runbook displays. Not here: who may see a run or
//! a question at all.

use crate::directory::Directory;
use serde_json::Value;
use std::collections::BTreeSet;

/// Stands where something was left out.
pub const LEFT_OUT: &str = "(names what belongs to others)";
/// Parts of a word that are looked at in every combination; a word with more is not shown.
const PARTS_MAX: usize = 24;
/// What joins the parts of a word.
const JOINS: [char; 4] = ['-', '.', '_', '@'];

/// What somebody sees; the default is staff's: everything.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    /// Ids, addresses and names that belong to others, in small letters.
    others: BTreeSet<String>,
    /// Those of them that have more than one word.
    phrases: BTreeSet<String>,
    own: BTreeSet<String>,
}

impl Sight {
    /// Of one person. Nobody's people see nobody's servers.
    #[must_use]
    pub fn of(directory: &dyn Directory, person: &str) -> Self {
        let known = directory.person(person);
        if known.as_ref().is_some_and(|known| !known.roles.is_empty()) {
            return Self::default();
        }
        let customers = known.map(|known| known.customers).unwrap_or_default();
        let mut sight = Self::of_customers(directory, &customers);
        for held in directory.qualifications(person) {
            let owned = held.strip_prefix("owner-of:");
            let owned = owned.and_then(|id| Some(asset_marks(id, &directory.asset(id)?)));
            for mark in owned.into_iter().flatten() {
                sight.shows(mark);
            }
        }
        sight
    }

    /// Of people of these customers and of no others.
    #[must_use]
    pub fn of_customers(directory: &dyn Directory, customers: &[String]) -> Self {
        let mut sight = Self::default();
        for id in directory.select("id=*").unwrap_or_default() {
            let record = directory.asset(&id).unwrap_or_default();
            // What belongs to nobody is nobody's secret.
            let Some(of) = record.get("customer").and_then(Value::as_str) else {
                continue;
            };
            let is_own = customers.iter().any(|own| own == of);
            for mark in asset_marks(&id, &record) {
                sight.add(mark, is_own);
            }
        }
        for id in directory.customers() {
            let is_own = customers.contains(&id);
            for mark in customer_marks(directory, &id) {
                sight.add(mark, is_own);
            }
        }
        // Somebody may work for two customers, and a name may be that of two servers.
        for mark in sight.own.clone() {
            sight.shows(mark);
        }
        sight
    }

    fn add(&mut self, mark: String, is_own: bool) {
        let mark = mark.to_lowercase();
        let set = match is_own {
            true => &mut self.own,
            false if mark.split_whitespace().count() > 1 => &mut self.phrases,
            false => &mut self.others,
        };
        set.insert(mark);
    }

    fn shows(&mut self, mark: String) {
        let mark = mark.to_lowercase();
        self.others.remove(&mark);
        self.phrases.remove(&mark);
        self.own.insert(mark);
    }

    /// Nothing in this text belongs to others.
    #[must_use]
    pub fn sees(&self, text: &str) -> bool {
        if self.others.is_empty() && self.phrases.is_empty() {
            return true;
        }
        let text = text.to_lowercase();
        let is_part = |letter: char| letter.is_alphanumeric() || JOINS.contains(&letter);
        let mut words = text.split(|letter| !is_part(letter));
        words.all(|word| self.sees_word(word.trim_matches(JOINS)))
            && !self.phrases.iter().any(|phrase| text.contains(phrase))
    }

    /// A server of others is also found in `backup-of-lib-web1` and `lib-web1.example`.
    fn sees_word(&self, word: &str) -> bool {
        if word.is_empty() || self.own.contains(word) {
            return true;
        }
        let ends = word.match_indices(JOINS).map(|(at, _)| at);
        let ends: Vec<usize> = ends.chain([word.len()]).collect();
        if ends.len() > PARTS_MAX {
            return false;
        }
        let begins: Vec<usize> = [0]
            .into_iter()
            .chain(ends.iter().map(|at| at + 1))
            .collect();
        let found = |(first, begin): (usize, &usize)| {
            let mut runs = ends[first.min(ends.len())..].iter();
            runs.any(|end| {
                word.get(*begin..*end)
                    .is_some_and(|run| self.others.contains(run))
            })
        };
        !begins.iter().enumerate().any(found)
    }

    /// The text, or that something is left out.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        if self.sees(text) { text } else { LEFT_OUT }.to_owned()
    }

    /// The value without what belongs to others: fields and items that name it go as a whole.
    #[must_use]
    pub fn value(&self, value: Value) -> Value {
        let hidden = |item: &Value| item.as_str().is_some_and(|text| !self.sees(text));
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => {
                let items = items.into_iter().filter(|item| !hidden(item));
                items.map(|item| self.value(item)).collect()
            }
            Value::Object(fields) => {
                let fields = fields.into_iter().filter(|(name, _)| self.sees(name));
                fields
                    .map(|(name, field)| (name, self.value(field)))
                    .collect()
            }
            other => other,
        }
    }
}

/// What names an asset: its id, name, serial number, addresses, and what other systems call it.
fn asset_marks(id: &str, record: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let named = ["name", "address", "serial"];
    let named = named.iter().filter_map(|name| text(record.get(*name)?));
    let references = record.get("ref").and_then(Value::as_object);
    let references = references
        .into_iter()
        .flat_map(|all| all.values().filter_map(text));
    [id.to_owned()]
        .into_iter()
        .chain(named)
        .chain(references)
        .collect()
}

/// What names a customer: its id and name, and its people.
fn customer_marks(directory: &dyn Directory, id: &str) -> Vec<String> {
    let record = directory.customer(id);
    let name = record.and_then(|record| Some(record.get("name")?.as_str()?.to_owned()));
    let people = directory.contacts(id, "any").into_iter();
    let people = people.flat_map(|contact| [contact.person, contact.name, contact.mail]);
    [id.to_owned()]
        .into_iter()
        .chain(name)
        .chain(people)
        .collect()
}
