//! What the order of steps makes dangerous: locks across people, silences that end too early,
//! changes on many assets without a brake, expiries that leave changes behind.

use super::Checker;
use crate::ast::{Body, Dyn, Each, Rules, Runbook, Step, Text, Until, Verb};
use crate::codes;
use crate::source::Span;
use hostler_core::contract::{Action, Effect, Impact};
use hostler_core::definition::OnExpire;
use hostler_core::duration;

/// A wait longer than this holds a lock for too long.
const LOCK_WAIT_MAX_MS: u64 = 3_600_000;

impl<'e> Checker<'_, '_, 'e> {
    pub(super) fn flow(&mut self, runbook: &Runbook) {
        self.flow_in(&runbook.body, false);
        self.releases(runbook);
        self.inputs_used(runbook);
    }

    fn known(&self, step: &Step) -> Option<&'e Action> {
        match &step.verb {
            Verb::Do { action, .. } => self.action(&action.value),
            _ => None,
        }
    }

    fn flow_in(&mut self, body: &Body, asset_lane: bool) {
        if asset_lane {
            self.lock_across(body);
        }
        self.silences(body);
        self.leases(body);
        self.expiries(body);
        for step in body.steps.iter().chain(&body.always) {
            match &step.verb {
                Verb::Each(each) => {
                    self.brake(step, each);
                    let assets = each.binds.value == "asset"
                        || each.body.steps.iter().any(|step| self.implies_asset(step));
                    self.flow_in(&each.body, assets);
                }
                Verb::Repeat(repeat) => self.flow_in(&repeat.body, asset_lane),
                _ => {}
            }
        }
    }

    fn implies_asset(&self, step: &Step) -> bool {
        let given =
            matches!(&step.verb, Verb::Do { with: Some(with), .. } if with.get("asset").is_some());
        self.known(step).is_some_and(|action| action.needs_asset) && !given
    }

    /// Whether a call of the step itself is an outage.
    pub(super) fn disturbs(&self, step: &Step) -> bool {
        self.known(step)
            .is_some_and(|action| action.impact == Impact::Outage)
    }

    /// Whether a step changes an asset, and so takes its lock.
    fn mutates(&self, step: &Step) -> bool {
        self.known(step)
            .is_some_and(|action| action.effect != Effect::Read && action.impact != Impact::None)
    }

    fn lock_across(&mut self, body: &Body) {
        let mut locked: Option<&Text> = None;
        for step in &body.steps {
            let asks = match &step.verb {
                Verb::Approve(approve) => Some(("people decide", approve.span)),
                Verb::Ask(ask) if !ask.later => Some(("people answer", ask.span)),
                Verb::Wait {
                    until: Until::For(Dyn::Value(value, span)),
                } if value.as_u64().unwrap_or(0) > LOCK_WAIT_MAX_MS => {
                    Some(("it waits for more than an hour", *span))
                }
                _ => None,
            };
            if let (Some(first), Some((why, span))) = (locked, asks) {
                let message = format!(
                    "the asset stays locked from `{}` on while {why}",
                    first.value
                );
                self.faults.add(codes::LOCK_ACROSS_PERSON, span, message, "ask before the first change, or in a step behind the `each`; `later: true` does not hold the lane");
                self.faults.relate(first.span, "the first change");
            }
            if locked.is_none() && self.mutates(step) {
                locked = Some(&step.id);
            }
        }
    }

    /// A change over many assets needs a rule when to stop.
    fn brake(&mut self, step: &Step, each: &Each) {
        let changes = each
            .body
            .steps
            .iter()
            .find(|inner| self.mutates(inner) && self.implies_asset(inner));
        let Some(change) = changes else { return };
        if each.stop_at.is_none() && each.on_failure.is_none() && each.take != Some(1) {
            let message = format!(
                "`{}` changes many assets (`{}`) without a rule when to stop",
                step.id.value, change.id.value
            );
            self.faults.add(
                codes::NO_STOP,
                step.id.span,
                message,
                "add `stop_at: { percent: 5, after: 10 }` or `on_failure: stop`",
            );
            self.faults.relate(change.id.span, "the change");
        }
    }

    /// A silence must cover the outages behind it, retries included.
    fn silences(&mut self, body: &Body) {
        for (index, step) in body.steps.iter().enumerate() {
            let Verb::Do {
                action,
                with: Some(with),
            } = &step.verb
            else {
                continue;
            };
            if action.value != "monitor.silence" {
                continue;
            }
            let Some(Dyn::Value(value, span)) = with.get("for") else {
                continue;
            };
            let Some(lasts) = value.as_str().and_then(duration::parse_ms) else {
                continue;
            };
            let behind = body.steps[index + 1..].iter().take_while(|step| !matches!(&step.verb, Verb::Do { action, .. } if action.value == "monitor.unsilence"));
            let covered: u64 = behind.map(|step| self.outage_ms(step)).sum();
            if covered > lasts {
                let (is, needs) = (duration::write_ms(lasts), duration::write_ms(covered));
                self.faults.add(
                    codes::TOO_SHORT,
                    *span,
                    format!("the silence ends after {is}, what it covers may take {needs}"),
                    format!(
                        "write `for: {needs}` and end it with monitor.unsilence under `always`"
                    ),
                );
            }
        }
    }

    fn outage_ms(&self, step: &Step) -> u64 {
        match &step.verb {
            Verb::Wait {
                until: Until::For(Dyn::Value(value, _)),
            } => value.as_u64().unwrap_or(0),
            _ => match self.known(step) {
                Some(action) if action.impact == Impact::Outage => {
                    let timeout = step.timeout.map_or(action.timeout_ms, |(ms, _)| ms);
                    let retry = step
                        .retry
                        .as_ref()
                        .map_or((0, 0), |(retry, _)| (u64::from(retry.times), retry.wait_ms));
                    timeout
                        .saturating_mul(retry.0 + 1)
                        .saturating_add(retry.1.saturating_mul(retry.0))
                }
                _ => 0,
            },
        }
    }

    /// An expiry that denies ends the run: what was changed before must have a way back.
    fn expiries(&mut self, body: &Body) {
        let mut left: Option<&Text> = None;
        for step in &body.steps {
            let expires = match &step.verb {
                Verb::Approve(approve) => {
                    denies(approve.on_expire.0, &approve.rules).then_some(approve.on_expire.1)
                }
                Verb::Ask(ask) if !ask.later => {
                    denies(ask.on_expire.0, &ask.rules).then_some(ask.on_expire.1)
                }
                _ => None,
            };
            if let (Some(first), Some(span)) = (left, expires) {
                self.faults.add(
                    codes::EXPIRY_LEAVES_EFFECTS,
                    span,
                    format!(
                        "if nobody answers, the run ends and `{}` stays done",
                        first.value
                    ),
                    "add `undo` or `lease` to that step, or write `on_expire: escalate`",
                );
                self.faults.relate(first.span, "what stays");
                left = None;
            }
            if step.no_return {
                left = None;
            } else if left.is_none()
                && self.mutates(step)
                && step.undo.is_empty()
                && step.lease.is_none()
            {
                left = Some(&step.id);
            }
        }
    }

    fn inputs_used(&mut self, runbook: &Runbook) {
        if self.faults.any_errors() {
            return;
        }
        let text = &self.faults.source().text;
        let unused: Vec<(String, Span)> = runbook
            .inputs
            .iter()
            .filter(|input| {
                !text.contains(&format!("inputs.{}", input.name.value))
                    && input.name.value != "asset"
                    && input.must.is_none()
            })
            .map(|input| (input.name.value.clone(), input.name.span))
            .collect();
        let all_shown = text.contains("show: [inputs") || text.contains(", inputs");
        for (name, span) in unused {
            if !all_shown {
                self.faults.add(
                    codes::UNUSED_INPUT,
                    span,
                    format!("nothing reads the input `{name}`"),
                    "leave it out, or use it",
                );
            }
        }
    }
}

/// How long a step may wait for people, a clock or other rounds.
pub(super) fn wait_ms(step: &Step) -> u64 {
    match &step.verb {
        Verb::Approve(approve) => person_ms(approve.expires_ms, &approve.rules),
        Verb::Ask(ask) if !ask.later => person_ms(ask.expires_ms, &ask.rules),
        Verb::Wait {
            until: Until::For(Dyn::Value(value, _)),
        } => value.as_u64().unwrap_or(0),
        Verb::Repeat(repeat) => repeat.for_ms.unwrap_or_else(|| {
            let rounds = u64::from(repeat.at_most.unwrap_or(1));
            rounds.saturating_mul(
                repeat.every_ms + repeat.body.steps.iter().map(wait_ms).sum::<u64>(),
            )
        }),
        _ => 0,
    }
}

/// How long people may take: business days as long as they are without holidays, begun on a Friday.
fn person_ms(expires_ms: Option<u64>, rules: &Rules) -> u64 {
    const DAY_MS: u64 = 86_400_000;
    const WEEK: u64 = 5;
    let days = u64::from(rules.expires_business_days.unwrap_or(0));
    expires_ms.unwrap_or((days + 2 * days.div_ceil(WEEK)) * DAY_MS)
}

/// The end of a ladder always does.
fn denies(on_expire: OnExpire, rules: &Rules) -> bool {
    let ends = on_expire == OnExpire::Deny || rules.ladder.is_some();
    // Whoever writes how silence ends has thought of what stays.
    ends && rules.finish.is_none()
}
