//! When disturbing work may begin, as the runbook itself says it: windows, the checks before a slot, windows that pass
//! unused, the opening of waves; and how often its customers hear of it.
//!
//! Not here: leads and windows that a class promises (policies), and the other terms of notices.

use super::Reader;
use super::fields::Fields;
use crate::ast::{Dyn, Opens, Verb};
use crate::codes;
use crate::yaml::Node;
use hostler_core::definition::{OPENS_MAX_DAYS, Overflow, UsedUp};
use hostler_core::duration;

/// Checks that are older than this say nothing about a server any more.
const LEAD_MAX_MS: u64 = 7 * 86_400_000;
/// Longest time before a slot at which customers may still put it off: what is announced later could never be.
const DEFER_UNTIL_MAX_MS: u64 = 30 * 86_400_000;
/// More often than this nobody reads it; less often than this it is no rolling notice.
const EVERY_MIN_MS: u64 = 15 * 60_000;
const EVERY_MAX_MS: u64 = 7 * 86_400_000;
/// Most further windows for which an item waits.
const OVERFLOW_MAX: u32 = 20;

impl Reader<'_, '_> {
    /// The id of a window, or an expression that gives one.
    pub(super) fn window(&mut self, node: &Node) -> Option<Dyn> {
        if node.text().is_none_or(str::is_empty) {
            self.shape(
                node,
                "window",
                "the id of a window, or `\"${{ asset.window }}\"`",
            );
            return None;
        }
        Some(self.dynamic(node))
    }

    /// `window` beside a verb: of an `each` it is the list's own.
    pub(super) fn step_window(
        &mut self,
        fields: &mut Fields<'_>,
        verb: Option<&mut Verb>,
        undo: bool,
    ) -> Option<Dyn> {
        let (key, node) = fields.entry("window")?;
        match verb {
            Some(Verb::Do { .. }) if !undo => self.window(node),
            Some(Verb::Each(each)) if each.window.is_none() => {
                each.window = self.window(node);
                None
            }
            None => None,
            Some(_) => {
                self.faults.add(
                    codes::HOLDS_NOTHING,
                    key.span,
                    "`window` would hold nothing here",
                    "leave it out; `window` belongs to `do` and, once, to `each`, and what takes back is never held",
                );
                None
            }
        }
    }

    pub(super) fn lead(&mut self, node: &Node) -> Option<u64> {
        let lead_ms = self.duration(node, "lead")?;
        if lead_ms == 0 || lead_ms > LEAD_MAX_MS {
            self.faults.add(
                codes::OUT_OF_RANGE,
                node.span,
                format!("the checks would begin {} before the slot", duration::write_ms(lead_ms)),
                "write more than 0 and at most 7d; how long before it customers are told is the class's `lead` in `policies/classes.yaml`, or `floor` of `notices`",
            );
            return None;
        }
        Some(lead_ms)
    }

    /// How often people hear how announced work goes while it does.
    pub(super) fn every(&mut self, node: &Node) -> Option<u64> {
        let every_ms = self.duration(node, "every")?;
        if !(EVERY_MIN_MS..=EVERY_MAX_MS).contains(&every_ms) {
            self.faults.add(
                codes::OUT_OF_RANGE,
                node.span,
                format!(
                    "customers would hear every {} how it goes",
                    duration::write_ms(every_ms)
                ),
                "write 15m to 7d: `every: 1h`",
            );
            return None;
        }
        Some(every_ms)
    }

    /// `{ to: next-window, at_most: 2, then: held }`.
    pub(super) fn overflow(&mut self, node: &Node) -> Option<(Overflow, crate::source::Span)> {
        let mut fields = Fields::of(self, node, "overflow")?;
        if let Some(to) = fields.take("to") {
            self.word(to, "to", &[("next-window", ())]);
        }
        let at_most = fields
            .need(self, "at_most", "2")
            .and_then(|node| self.number(node, "at_most", 0, OVERFLOW_MAX));
        let ends = [("held", UsedUp::Held), ("ask", UsedUp::Ask)];
        let then = fields.take("then");
        let then = then.and_then(|node| self.word(node, "then", &ends));
        fields.finish(self);
        let overflow = Overflow {
            at_most: at_most?,
            then: then.unwrap_or_default(),
        };
        Some((overflow, node.span))
    }

    /// `anchor + 9d`, or an expression that gives an instant or days.
    pub(super) fn opens(&mut self, node: &Node) -> Option<Opens> {
        if node.text().is_some_and(|text| text.contains("${{")) {
            return Some(Opens::At(self.dynamic(node)));
        }
        let text = self.text(node, "opens")?;
        let days = text.value.strip_prefix("anchor").and_then(|rest| {
            let rest = rest.trim_start().strip_prefix('+')?;
            rest.trim_start().strip_suffix('d')?.parse::<u16>().ok()
        });
        let days = days.filter(|days| *days <= OPENS_MAX_DAYS);
        if days.is_none() {
            self.faults.add(
                codes::OUT_OF_RANGE,
                node.span,
                format!("opens is `{}`", text.value),
                "write `anchor + 9d` (midnight, 0 to 98 days after the day on which the run was started), or an expression that gives an instant or days such as `9d`",
            );
        }
        Some(Opens::AnchorDays(days?, node.span))
    }

    /// How long before the slot a deferral comes at the latest.
    pub(super) fn defer_until(&mut self, node: &Node) -> Option<u64> {
        let until_ms = self.duration(node, "defer_until")?;
        if until_ms == 0 || until_ms > DEFER_UNTIL_MAX_MS {
            self.faults.add(
                codes::OUT_OF_RANGE,
                node.span,
                format!("a deferral would come {} before the slot", duration::write_ms(until_ms)),
                "write more than 0 and at most 30d, for instance 48h; leave it out where nothing can be put off",
            );
            return None;
        }
        Some(until_ms)
    }

    /// Whether nobody is disturbed before somebody is known to have the notice.
    pub(super) fn unproven(&mut self, node: &Node) -> bool {
        let hold = self.word(node, "unproven", &[("hold", true), ("debt", false)]);
        if hold == Some(false) {
            self.faults.add(
                codes::NE_NOTICE_CLOCK,
                node.span,
                "a runbook cannot let work go on without proven notice",
                "leave it out; that is a promise of the class: `unproven: debt` in `policies/classes.yaml`",
            );
        }
        hold == Some(true)
    }
}
