//! What `approve` and `ask` may say beyond whom they ask: ladders, terms, reminders, typed names, waivers.

use super::Reader;
use super::fields::Fields;
use crate::ast::{Rules, Text};
use crate::codes;
use crate::source::Span;
use crate::yaml::{Kind, Node};
use hostler_core::definition::{After, Silence};
use hostler_core::result::LaneResult;

/// More reminders of one question are noise.
const REMINDERS_MAX: usize = 10;
/// More texts than this nobody reads before a yes.
const TERMS_MAX: usize = 10;
/// More waivers are no approval any more.
const WAIVERS_MAX: usize = 10;

impl Reader<'_, '_> {
    /// `expires_ms` is the elapsed time that was read, where it is one.
    pub(super) fn rules(
        &mut self,
        fields: &mut Fields<'_>,
        rules: &mut Rules,
        expires_ms: Option<u64>,
    ) {
        rules.ladder = fields
            .take("ladder")
            .and_then(|node| self.name(node, "a ladder"));
        if let Some(node) = fields.take("terms") {
            rules.terms = self.listed(node, "terms", TERMS_MAX);
        }
        if let Some(node) = fields.take("remind") {
            let expires = expires_ms
                .map(After::Ms)
                .or(rules.expires_business_days.map(After::BusinessDays));
            rules.remind = self.remind(node, expires);
        }
        fields.unenforced(self, "alarm", codes::NE_ALARM, "leave it out");
    }

    /// What only a yes can carry.
    pub(super) fn yes_rules(&mut self, fields: &mut Fields<'_>, rules: &mut Rules) {
        rules.typed = fields.take("typed").map(|node| self.dynamic(node));
        if let Some(node) = fields.take("may_waive") {
            rules.may_waive = self.listed(node, "may_waive", WAIVERS_MAX);
        }
    }

    /// `on_expire: finish`, or a map that says with which result; none for anything else.
    pub(super) fn silence(&mut self, node: &Node) -> Option<Silence> {
        let nothing = Silence {
            result: LaneResult::Nothing,
            note: None,
        };
        if node.text() == Some("finish") {
            return Some(nothing);
        }
        if !matches!(node.kind, Kind::Map(_)) {
            return None;
        }
        let mut fields = Fields::of(self, node, "on_expire")?;
        let words = LaneResult::ALL.map(|result| (result.name(), result));
        let words: Vec<_> = words
            .into_iter()
            .filter(|(_, result)| *result != LaneResult::Again)
            .collect();
        let result = fields.need(self, "finish", "nothing");
        let result = result.and_then(|node| self.word(node, "finish", &words));
        let note = fields.take("note").and_then(|node| self.text(node, "note"));
        fields.finish(self);
        Some(Silence {
            result: result.unwrap_or(LaneResult::Nothing),
            note: note.map(|text| text.value),
        })
    }

    fn listed(&mut self, node: &Node, what: &'static str, most: usize) -> Vec<Text> {
        let items = self.items(node);
        if items.len() > most {
            self.too_many(node.span, what, most);
        }
        let names = items.into_iter().take(most);
        names.filter_map(|item| self.name(item, what)).collect()
    }

    pub(super) fn too_many(&mut self, span: Span, what: &str, most: usize) {
        self.faults.add(
            codes::OUT_OF_RANGE,
            span,
            format!("`{what}` has more than {most} entries"),
            format!("keep at most {most}"),
        );
    }

    /// Each later than the one before, and before the end.
    fn remind(&mut self, node: &Node, expires: Option<After>) -> Vec<After> {
        let items = self.items(node);
        if items.len() > REMINDERS_MAX {
            self.too_many(node.span, "remind", REMINDERS_MAX);
        }
        let mut all: Vec<After> = Vec::new();
        for item in items.into_iter().take(REMINDERS_MAX) {
            let Some(after) = self.after(item, "remind") else {
                continue;
            };
            if all.last().is_some_and(|last| !sooner(*last, after)) {
                self.faults.add(
                    codes::OUT_OF_RANGE,
                    item.span,
                    "this reminder is not later than the one before",
                    "write them in order: remind: [3bd, 6bd]",
                );
            } else if expires.is_some_and(|expires| !sooner(after, expires)) {
                self.faults.add(
                    codes::OUT_OF_RANGE,
                    item.span,
                    "this reminder would come when the question has expired",
                    "remind earlier, or let it expire later",
                );
            }
            all.push(after);
        }
        all
    }
}

/// Whether one is certainly over before the other; what cannot be compared without a calendar passes.
fn sooner(one: After, other: After) -> bool {
    match (one, other) {
        (After::Ms(one), After::Ms(other)) => one < other,
        (After::BusinessDays(one), After::BusinessDays(other)) => one < other,
        _ => true,
    }
}
