//! Triggers of emergencies, and the debts that short notice leaves behind.

use super::Builder;
use crate::asset::EXPOSURES;
use crate::at::At;
use crate::fault::Bad;
use crate::policies::file::{DebtsFile, RawDebt, TriggersFile};
use crate::policies::model::{CLASSES, Cure, Debt, Trigger};
use crate::policies::source::Source;
use crate::policies::span::Span;
use crate::text;
use hostler_core::directory::TRIGGERED;
use std::collections::BTreeSet;

const EMERGENCY: &str = "emergency";

impl Builder<'_> {
    pub(super) fn triggers(&mut self, source: &Source<TriggersFile>) {
        self.file = source.file;
        let mut seen = BTreeSet::new();
        for (id, raw) in source.value.triggers.iter() {
            self.id(id, "trigger", &mut seen);
            let class = raw.class.as_ref();
            let class = class.and_then(|at| self.among(at, "class", &TRIGGERED));
            let trigger = Trigger {
                says: self.line(&raw.says, "says"),
                class: class.unwrap_or_else(|| EMERGENCY.to_owned()),
                exposure: self.set(raw.exposure.as_ref(), "exposure", &EXPOSURES),
            };
            self.policies.triggers.insert(id.value.clone(), trigger);
        }
    }

    pub(super) fn debts(&mut self, source: &Source<DebtsFile>) {
        self.file = source.file;
        let mut seen = BTreeSet::new();
        for (id, raw) in source.value.debts.iter() {
            self.id(id, "debt", &mut seen);
            let debt = self.debt(id, raw);
            self.policies.debts.insert(id.value.clone(), debt);
        }
    }

    fn debt(&mut self, id: &At<String>, raw: &RawDebt) -> Debt {
        let due = self.some_span(&raw.due, "due");
        let blocks = self.set(raw.blocks.as_ref(), "class", &CLASSES);
        if blocks.contains(EMERGENCY) {
            let list = raw.blocks.iter().flat_map(|list| &list.0);
            if let Some(at) = list.into_iter().find(|at| at.value == EMERGENCY) {
                let remedy = "remove it: an emergency waits for nobody";
                self.fault(at, "HP110", "a debt blocks emergencies", remedy);
            }
        }
        let cures = raw.cured_by.0.iter();
        let cured_by: Vec<Cure> = cures.filter_map(|at| self.cure(at)).collect();
        self.curable(id, raw, &blocks, &cured_by);
        Debt {
            says: self.line(&raw.says, "says"),
            due: due.unwrap_or(Span::NONE),
            blocks,
            cured_by,
            ladder: self.ladder(raw.ladder.as_ref()),
        }
    }

    fn cure(&mut self, at: &At<String>) -> Option<Cure> {
        let remedy = "write `answer`, `delivery`, `class:<class>` or `runbook:<runbook>`";
        let part = |name: &str| At {
            value: name.to_owned(),
            position: at.position,
        };
        match (at.value.as_str(), at.value.split_once(':')) {
            ("answer", _) => Some(Cure::Answer),
            ("delivery", _) => Some(Cure::Delivery),
            (_, Some(("class", name))) => self.class(&part(name)).map(Cure::Class),
            (_, Some(("runbook", name))) if text::id(name).is_ok() => {
                Some(Cure::Runbook(name.to_owned()))
            }
            _ => {
                self.bad(at, "cured_by", Bad::new("cures nothing", remedy));
                None
            }
        }
    }

    /// Something must be able to end a debt while it blocks what it blocks.
    fn curable(
        &mut self,
        id: &At<String>,
        raw: &RawDebt,
        blocks: &BTreeSet<String>,
        cures: &[Cure],
    ) {
        if raw.cured_by.0.is_empty() {
            let message = format!("nothing ends the debt `{}`", id.value);
            self.fault(id, "HE040", message, "write `cured_by: answer`");
            return;
        }
        let blocked = |cure: &Cure| matches!(cure, Cure::Class(class) if blocks.contains(class));
        if cures.len() == raw.cured_by.0.len() && cures.iter().all(blocked) {
            let message = format!("the debt `{}` blocks all that would end it", id.value);
            let remedy = "remove the class from `blocks`, or add another cure such as `answer`";
            self.fault(&raw.cured_by.0[0], "HP111", message, remedy);
        }
    }
}
