//! Single values that several policies have: spans, durations, dates, people who are asked.

use super::Builder;
use crate::at::At;
use crate::fault::{Bad, nearest};
use crate::policies::CUSTOMER_ROLES;
use crate::policies::span::{self, Span};
use crate::schedules::choice::OneOrMany;
use crate::text;
use crate::when;
use jiff::civil::Date;

/// Longest text that people read in one go, in bytes.
pub const TEXT_MAX_BYTES: usize = 16 * 1024;

impl Builder<'_> {
    /// `7d`, `5bd` or `none`.
    pub(super) fn span(&mut self, at: &At<String>, what: &str) -> Option<Span> {
        span::parse(&at.value)
            .map_err(|why| self.bad(at, what, why))
            .ok()
    }

    /// A span that is some time.
    pub(super) fn some_span(&mut self, at: &At<String>, what: &str) -> Option<Span> {
        let span = self.span(at, what)?;
        if span.is_none() {
            let why = Bad::new("is no time at all", "write for instance `24h` or `2bd`");
            self.bad(at, what, why);
            return None;
        }
        Some(span)
    }

    /// Elapsed time, in milliseconds.
    pub(super) fn elapsed_ms(&mut self, at: &At<String>, what: &str) -> Option<u64> {
        text::duration_ms(&at.value)
            .map_err(|why| self.bad(at, what, why))
            .ok()
    }

    pub(super) fn date(&mut self, at: &At<String>, what: &str) -> Option<Date> {
        when::date(&at.value)
            .map_err(|why| self.bad(at, what, why))
            .ok()?;
        at.value.parse().ok()
    }

    /// One line that people read.
    pub(super) fn line(&mut self, at: &At<String>, what: &str) -> String {
        if let Err(why) = text::line(&at.value) {
            self.bad(at, what, why);
        }
        at.value.clone()
    }

    /// Those who are asked or must agree, at least one.
    pub(super) fn asked(&mut self, list: &OneOrMany) -> Vec<String> {
        let mut all = Vec::new();
        for at in &list.0 {
            self.one_asked(at);
            if all.contains(&at.value) {
                let message = format!("`{}` is asked twice", at.value);
                self.fault(at, "HE011", message, "remove one of them");
            }
            all.push(at.value.clone());
        }
        all
    }

    fn one_asked(&mut self, at: &At<String>) {
        let part = |name: &str| At {
            value: name.to_owned(),
            position: at.position,
        };
        if let Some(role) = at.value.strip_prefix("role:") {
            self.role(&part(role));
        } else if let Some(person) = at.value.strip_prefix("person:") {
            self.person(&part(person));
        } else if !CUSTOMER_ROLES.contains(&at.value.as_str()) {
            let remedy = match nearest(&at.value, CUSTOMER_ROLES.into_iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "write `role:<role>`, `person:<person>` or one of: {}",
                    CUSTOMER_ROLES.join(", ")
                ),
            };
            self.bad(at, "who", Bad::new("is nobody who can be asked", remedy));
        }
    }

    /// A role that somebody names.
    fn role(&mut self, at: &At<String>) {
        let named = &self.policies.roles;
        let of_estate = self.known.roles.iter().flatten();
        let names: Vec<String> = named.keys().chain(of_estate).cloned().collect();
        if self.roles_are_known && !names.contains(&at.value) {
            let names = names.iter().map(String::as_str);
            self.out.unknown(self.file, at, "role", "roles.yaml", names);
        } else if let Err(why) = text::id(&at.value) {
            self.bad(at, "role", why);
        }
    }

    /// A person that somebody names.
    pub(super) fn person(&mut self, at: &At<String>) {
        if let Err(why) = text::id(&at.value) {
            self.bad(at, "person", why);
        } else if let Some(people) = &self.known.people
            && !people.contains(&at.value)
        {
            let people = people.iter().map(String::as_str);
            self.out
                .unknown(self.file, at, "person", "people of the estate", people);
        }
    }
}
