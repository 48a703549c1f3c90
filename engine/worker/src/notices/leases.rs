//! Who owns a lease hears once, before its end, what ends when and where.
//!
//! Not here: who that is, and what is said of it (resolved when it is due).

use super::RECIPIENTS_MAX;
use super::asked::recipient;
use super::context::reference;
use crate::Driver;
use crate::scope::View;
use hostler_core::event::Stage;
use hostler_core::mail::{Alternates, Announcement, LEASE_ENDS};
use hostler_core::sight::Sight;
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl Driver {
    /// To those among `to` who may know of the asset.
    pub(super) fn lease_ends(
        &self,
        view: &View<'_>,
        to: &[String],
        about: &Value,
    ) -> Option<Announcement> {
        let directory = &*self.parts.directory;
        let asset = about.get("asset").and_then(Value::as_str);
        let sees =
            |person: &String| asset.is_none_or(|asset| Sight::of(directory, person).sees(asset));
        let people = to.iter().flat_map(|to| directory.people_with(to));
        let people: BTreeSet<String> = people.filter(sees).take(RECIPIENTS_MAX).collect();
        let to: Vec<_> = people
            .into_iter()
            .filter_map(|person| directory.person(&person))
            .map(recipient)
            .collect();
        let plan = &view.plan;
        (!to.is_empty()).then(|| Announcement {
            run: view.lane.opening.run,
            lane: view.lane.id(),
            realm: directory.realm().to_owned(),
            customer: None,
            stage: Stage::Report,
            template: LEASE_ENDS.to_owned(),
            definition: view.lane.opening.definition,
            context: json!({
                "run": { "id": plan.run, "reference": reference(plan.run) },
                "runbook": { "id": plan.runbook, "title": view.definition.title },
                "about": about,
                "contact": self.parts.settings.contact,
            }),
            calendar: None,
            revision: 0,
            announced: None,
            until_ms: None,
            to,
            question: None,
            alternates: Alternates::None,
            optional: false,
            defers: false,
            agrees: false,
        })
    }
}
