//! Who is asked hears of it: everybody who may decide and whoever stands in for them, each once for a question.
//!
//! Not here: links (made where a message is handed over), and reminders.

use super::RECIPIENTS_MAX;
use super::context::reference;
use crate::Driver;
use crate::scope::{View, instant_text};
use hostler_core::directory::Person as Known;
use hostler_core::event::Stage;
use hostler_core::lane::{Person, Phase, yes_or_no};
use hostler_core::mail::{ASKED, Alternates, Announcement, Question, Recipient, Way};
use hostler_core::sight::Sight;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Servers that the message names; all of them are where the question is shown.
const SERVERS_MAX: usize = 10;

impl Driver {
    /// The question that the lane asks now, to those who were not asked it before.
    pub(super) fn asked(
        &self,
        view: &View<'_>,
        asked_ms: i64,
        already: &[String],
    ) -> Vec<Announcement> {
        let Phase::Person(person) = &view.lane.phase else {
            return Vec::new();
        };
        // What a turn asked and settled again is nobody's business any more.
        if person.asked_ms != asked_ms {
            return Vec::new();
        }
        let known = self.who_decides(person, already, view.now_ms);
        let now = self.who_decides(person, &person.asked(), view.now_ms);
        let new = now.difference(&known).take(RECIPIENTS_MAX);
        let new = new.filter_map(|id| self.parts.directory.person(id));
        let mut readers: BTreeMap<(bool, Vec<String>), Vec<Recipient>> = BTreeMap::new();
        for known in new {
            let of = (!known.roles.is_empty(), known.customers.clone());
            readers.entry(of).or_default().push(recipient(known));
        }
        let readers = readers.into_iter();
        readers
            .map(|((staff, customers), to)| {
                let sight = match staff {
                    true => Sight::default(),
                    false => Sight::of_customers(&*self.parts.directory, &customers),
                };
                self.question(view, person, &sight, to)
            })
            .collect()
    }

    /// Those who fit, without those whose vote would not count, and those who stand in for them.
    fn who_decides(&self, person: &Person, asked: &[String], now_ms: i64) -> BTreeSet<String> {
        let directory = &self.parts.directory;
        let counts = |id: &String| !person.excluded.contains(id);
        let seats = asked.iter().flat_map(|who| directory.people_with(who));
        let seats: BTreeSet<String> = seats.filter(counts).collect();
        let delegates = seats
            .iter()
            .flat_map(|id| directory.delegates_of(id, now_ms));
        let delegates: Vec<String> = delegates.filter(counts).collect();
        seats.into_iter().chain(delegates).collect()
    }

    fn question(
        &self,
        view: &View<'_>,
        person: &Person,
        sight: &Sight,
        to: Vec<Recipient>,
    ) -> Announcement {
        let lane = view.lane.id();
        let by_link = person.kind.is_approval() || yes_or_no(&person.form).is_some();
        Announcement {
            run: view.lane.opening.run,
            lane,
            realm: self.parts.directory.realm().to_owned(),
            customer: None,
            stage: Stage::Asked,
            template: format!("{ASKED}{lane}:{}:{}", person.asked_ms, person.signs.short()),
            definition: view.lane.opening.definition,
            context: self.context_of_question(view, person, sight),
            calendar: None,
            revision: 0,
            announced: None,
            until_ms: None,
            defers: false,
            agrees: false,
            to,
            question: Some(Question {
                lane,
                asked_ms: person.asked_ms,
                signs: person.signs,
                by_link,
            }),
            optional: false,
            alternates: Alternates::None,
        }
    }

    fn context_of_question(&self, view: &View<'_>, person: &Person, sight: &Sight) -> Value {
        let plan = &view.plan;
        let servers = plan.assets.keys().filter(|id| sight.sees(id));
        let named: Vec<&String> = servers.clone().take(SERVERS_MAX).collect();
        json!({
            "run": { "id": plan.run, "reference": reference(plan.run) },
            "runbook": { "id": plan.runbook, "title": view.definition.title },
            "about": {
                "title": sight.text(&person.title),
                "question": view.lane.id(),
                "takes": if person.kind.is_form() { "answer" } else { "decision" },
                "until": person.expires_ms.map(instant_text),
                "code": person.rules.step_up.is_some(),
            },
            "servers": named,
            "targets": servers.count(),
            "contact": self.parts.settings.contact,
        })
    }
}

pub(super) fn recipient(known: Known) -> Recipient {
    Recipient {
        person: known.id,
        name: known.name,
        address: known.mail,
        way: Way::Mail,
        alternate: false,
    }
}
