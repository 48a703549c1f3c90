//! Terms about time: that each holds something, names a window that is there, and that waves open in their order.
//!
//! Not here: what is open when (the calendar), and what classes promise.

use super::Checker;
use super::scope::Scope;
use super::types::Ty;
use crate::ast::{Body, Dyn, Each, Opens, Step};
use crate::codes;
use crate::source::Span;

impl Checker<'_, '_, '_> {
    pub(super) fn clocks(&mut self, each: &Each, outer: &Scope, inner: &Scope) {
        if let Some(window) = &each.window {
            self.window(window, inner);
        }
        let terms = [
            ("window", each.window.as_ref().map(Dyn::span)),
            ("lead", each.lead.as_ref().map(|(_, span)| *span)),
            ("overflow", each.overflow.as_ref().map(|(_, span)| *span)),
        ];
        // A window binds the steps inside an inner `repeat` too; what is counted or looked at first is the item's own.
        let (within, here) = (
            self.disturbs_within(&each.body),
            self.disturbs_here(&each.body),
        );
        for (name, span) in terms {
            let disturbs = if name == "window" { within } else { here };
            if let Some(span) = span.filter(|_| !disturbs) {
                self.holds_nothing(name, span);
            }
        }
        self.openings(each, outer);
    }

    fn disturbs_here(&self, body: &Body) -> bool {
        body.steps.iter().any(|step| self.disturbs(step))
    }

    fn disturbs_within(&self, body: &Body) -> bool {
        let inner = |step: &Step| {
            let body = step.verb.body();
            body.is_some_and(|body| self.disturbs_within(body))
        };
        self.disturbs_here(body) || body.steps.iter().any(inner)
    }

    /// More notice than the class promises can only be given of what disturbs.
    fn notice_clock(&mut self, step: &Step) {
        let (Some((notices, span)), Some(body)) = (&step.notices, step.verb.body()) else {
            return;
        };
        let named = [
            ("floor", notices.floor_ms.is_some()),
            ("unproven", notices.holds_unproven),
            ("defer_until", notices.defer_until_ms.is_some()),
        ];
        if !self.disturbs_within(body) {
            let (named, span) = (named.into_iter().filter(|(_, there)| *there), *span);
            named.for_each(|(name, _)| self.holds_nothing(name, span));
        }
    }

    pub(super) fn step_clock(&mut self, step: &Step, scope: &Scope) {
        self.notice_clock(step);
        let Some(window) = &step.window else { return };
        self.window(window, scope);
        if !self.disturbs(step) {
            self.holds_nothing("window", window.span());
        }
    }

    fn holds_nothing(&mut self, name: &str, span: Span) {
        self.faults.add(
            codes::HOLDS_NOTHING,
            span,
            format!("`{name}` would hold nothing: no step right here is an outage"),
            "leave it out, or put it where a `do` disturbs",
        );
    }

    fn window(&mut self, window: &Dyn, scope: &Scope) {
        let ty = self.dynamic(window, scope);
        if matches!(ty, Ty::Bool | Ty::Number | Ty::List(_) | Ty::Object(_)) {
            self.faults.add(
                codes::TYPES,
                window.span(),
                format!("{} is no window", ty.what()),
                "give the id of a window of the estate, or `\"${{ asset.window }}\"`",
            );
        }
        let (Dyn::Value(value, span), Some(estate)) = (window, &self.env.estate) else {
            return;
        };
        let name = value.as_str().unwrap_or_default();
        if estate.windows.contains(name) {
            return;
        }
        let near = crate::read::suggestion(name, estate.windows.iter().map(String::as_str));
        let remedy = near.map_or_else(
            || "name a window of the estate's files, or leave it out: the asset's own window always holds".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("the estate has no window `{name}`");
        self.faults
            .add(codes::UNKNOWN_WINDOW, *span, message, remedy);
    }

    /// Waves come one after the other: one that opens before the wave ahead of it would wait for that anyway.
    fn openings(&mut self, each: &Each, scope: &Scope) {
        let mut last: Option<(u16, Span)> = None;
        for wave in &each.waves {
            match &wave.opens {
                Some(Opens::At(at)) => {
                    self.dynamic(at, scope);
                }
                Some(Opens::AnchorDays(days, span)) => {
                    if let Some((before, place)) = last.filter(|(before, _)| before > days) {
                        self.faults.add(
                            codes::WAVE_ORDER,
                            *span,
                            format!("`{}` would open on day {days}, the wave ahead of it on day {before}", wave.name.value),
                            "let it open later, or put it first",
                        );
                        self.faults.relate(place, "the wave ahead");
                    }
                    last = Some((*days, *span));
                }
                None => {}
            }
        }
    }
}
