//! What stands around a verb: retry, undo, lease, notices.

use super::Reader;
use super::fields::Fields;
use crate::ast::{Dyn, Lease, Step, Text, Verb};
use crate::codes;
use crate::source::Span;
use crate::yaml::{Kind, Node};
use hostler_core::definition::{CLASSES, NoticePlan, Retry};
use hostler_core::duration;
use hostler_core::lease::BLOCKS_MAX;
use hostler_core::mail::Way;

/// More repeats than this are a loop: `repeat` shows its rounds.
const RETRIES_MAX: u32 = 20;
/// Ways of telling people that others have.
const NO_WAYS: [&str; 4] = ["sms", "phone", "chat", "status"];
/// What notices do not do yet, and what to do instead.
const NOT_YET: [(&str, &str); 1] = [(
    "to",
    "leave it out; notices go to the customer's contacts when a stage begins",
)];

impl Reader<'_, '_> {
    pub(super) fn retry(&mut self, node: &Node) -> Option<(Retry, Span)> {
        let mut fields = Fields::of(self, node, "retry")?;
        let times = fields
            .need(self, "times", "2")
            .and_then(|node| self.number(node, "times", 1, RETRIES_MAX));
        let wait_ms = fields
            .need(self, "wait", "5m")
            .and_then(|node| self.duration(node, "wait"));
        fields.finish(self);
        Some((
            Retry {
                times: times?,
                wait_ms: wait_ms?,
            },
            node.span,
        ))
    }

    /// The class of a step that disturbs, or of all steps of an `each` or `repeat`.
    pub(super) fn class(
        &mut self,
        fields: &mut Fields<'_>,
        verb: Option<&Verb>,
        undo: bool,
    ) -> Option<Dyn> {
        let (key, node) = fields.entry("class")?;
        let (is_do, has_body) = match verb {
            Some(verb) => (matches!(verb, Verb::Do { .. }), verb.body().is_some()),
            None => return None,
        };
        if undo || !(is_do || has_body) {
            self.faults.add(
                codes::NE_CLASS,
                key.span,
                "this engine does not enforce `class` here yet",
                "leave it out; `class` belongs to `do`, `each` and `repeat`",
            );
            return None;
        }
        let computed = node.text().is_some_and(|text| text.contains("${{"));
        if computed && has_body {
            self.faults.add(
                codes::NE_CLASS,
                node.span,
                "this engine does not compute the class of many steps at once yet",
                "compute it at the steps that disturb, or write one class",
            );
            return None;
        }
        if computed {
            return Some(self.dynamic(node));
        }
        let classes = CLASSES.map(|class| (class, class));
        let class = self.word(node, "class", &classes)?;
        Some(Dyn::Value(class.into(), node.span))
    }

    /// One way back, or a list of them of which the first that works counts.
    pub(super) fn undo(&mut self, node: &Node, of: &Text) -> Vec<Step> {
        let ways = self.items(node);
        let many = ways.len() > 1;
        let mut steps = Vec::new();
        for (number, way) in ways.into_iter().enumerate() {
            let id = if many {
                format!("{}_undo{}", of.value, number + 1)
            } else {
                format!("{}_undo", of.value)
            };
            if let Kind::Map(entries) = &way.kind {
                let verbs: Vec<_> = entries
                    .iter()
                    .filter(|(key, _)| matches!(key.text.as_str(), "do" | "approve" | "ask"))
                    .collect();
                if verbs.len() > 1 {
                    self.faults.add(
                        codes::NE_UNDO_SEQUENCE,
                        Self::head_of(way),
                        "this engine does not undo by several verbs in a row yet",
                        "keep the one that takes the change back",
                    );
                    continue;
                }
                if let Some((key, _)) = entries.iter().find(|(key, _)| {
                    matches!(
                        key.text.as_str(),
                        "each"
                            | "repeat"
                            | "call"
                            | "finish"
                            | "wait"
                            | "notify"
                            | "release"
                            | "undo"
                            | "lease"
                    )
                }) {
                    self.faults.add(
                        codes::VERB,
                        key.span,
                        format!("an undo cannot hold `{}`", key.text),
                        "use do, approve or ask",
                    );
                    continue;
                }
            }
            steps.extend(self.step(way, Some(&id)));
        }
        steps
    }

    pub(super) fn lease(&mut self, node: &Node) -> Option<Lease> {
        let mut fields = Fields::of(self, node, "lease")?;
        let for_ms = fields
            .need(self, "for", "72h")
            .and_then(|node| self.duration(node, "for"));
        let end = fields
            .need(self, "end", "compute.snapshot-delete")
            .and_then(|node| self.text(node, "end"));
        let blocks = fields.take("blocks").map(|node| self.blocked_actions(node));
        let warn_ms = fields.take("warn").and_then(|node| self.warn(node, for_ms));
        fields.unenforced(
            self,
            "on_end",
            codes::NE_LEASE_OPTION,
            "leave it out; the end action runs by itself",
        );
        fields.finish(self);
        Some(Lease {
            for_ms: for_ms?,
            end: end?,
            warn_ms,
            blocks: blocks.unwrap_or_default(),
            span: node.span,
        })
    }

    /// So long before the end, and behind the beginning.
    fn warn(&mut self, node: &Node, for_ms: Option<u64>) -> Option<u64> {
        let warn_ms = self.duration(node, "warn")?;
        let lasts_ms = for_ms?;
        if (1..lasts_ms).contains(&warn_ms) {
            return Some(warn_ms);
        }
        self.faults.add(
            codes::OUT_OF_RANGE,
            node.span,
            format!(
                "the lease lasts {}, so nobody can be told so long before its end",
                duration::write_ms(lasts_ms)
            ),
            "write less than `for`, as in `warn: 48h` of `for: 14d`",
        );
        None
    }

    fn blocked_actions(&mut self, node: &Node) -> Vec<Text> {
        let items = self.items(node);
        if items.is_empty() {
            self.faults.add(
                codes::LEASE_BLOCKS,
                node.span,
                "the lease blocks nothing",
                "leave `blocks` out, or name actions: `blocks: [compute.disk-grow]`",
            );
        }
        if items.len() > BLOCKS_MAX {
            self.too_many(node.span, "blocks", BLOCKS_MAX);
        }
        let mut blocks: Vec<Text> = Vec::new();
        for item in items.into_iter().take(BLOCKS_MAX) {
            let action = self.text(item, "blocks");
            let new = |action: &Text| blocks.iter().all(|known| known.value != action.value);
            let action = action.filter(new);
            blocks.extend(action);
        }
        blocks
    }

    pub(super) fn notices(&mut self, node: &Node) -> Option<(NoticePlan, Span)> {
        let mut fields = Fields::of(self, node, "notices")?;
        let template = fields
            .need(self, "template", "maintenance")
            .and_then(|node| self.name(node, "a template"));
        let invite = fields
            .take("invite")
            .and_then(|node| self.bool(node, "invite"))
            .unwrap_or(false);
        let remind_ms = fields.take("remind").and_then(|node| {
            let leads = self.items(node);
            if leads.len() > 1 {
                self.too_many(node.span, "remind", 1);
            }
            let lead = leads.first()?;
            self.duration(lead, "remind")
        });
        let floor_ms = fields
            .take("floor")
            .and_then(|node| self.duration(node, "floor"));
        let holds_unproven = fields
            .take("unproven")
            .is_some_and(|node| self.unproven(node));
        let defer_until_ms = fields
            .take("defer_until")
            .and_then(|node| self.defer_until(node));
        let every_ms = fields.take("every").and_then(|node| self.every(node));
        let ways = fields.take("channels").map(|node| self.ways(node));
        let alternates = fields
            .take("alternate_contact")
            .and_then(|node| self.bool(node, "alternate_contact"));
        for (name, remedy) in NOT_YET {
            fields.unenforced(self, name, codes::NE_NOTICE_CLOCK, remedy);
        }
        fields.finish(self);
        Some((
            NoticePlan {
                template: template?.value,
                invite,
                remind_ms,
                floor_ms,
                holds_unproven,
                defer_until_ms,
                every_ms,
                ways: ways.unwrap_or_default(),
                alternates: alternates.unwrap_or_default(),
            },
            node.span,
        ))
    }

    /// `all`, or a list. What this engine does not have is refused by its name.
    fn ways(&mut self, node: &Node) -> Vec<Way> {
        if node.text() == Some("all") {
            return Way::ALL.to_vec();
        }
        let mut ways = Vec::new();
        for item in self.items(node) {
            let name = item.text().unwrap_or_default();
            if NO_WAYS.contains(&name) {
                self.faults.add(
                    codes::NE_NOTICE_CLOCK,
                    item.span,
                    format!("this engine does not tell anybody by `{name}` yet"),
                    "write mail, webhook or all; who must be called is called by people",
                );
                continue;
            }
            let words = Way::ALL.map(|way| (way.name(), way));
            let way = self.word(item, "channels", &words);
            ways.extend(way.filter(|way| !ways.contains(way)));
        }
        ways
    }
}
