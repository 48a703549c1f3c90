//! `each`, `repeat` and `call`: child lanes.

use super::Reader;
use super::fields::Fields;
use super::step::ON_FAILURE;
use crate::ast::{Each, Expr, Over, Repeat, Text, Verb, Wave};
use crate::codes;
use crate::source::Span;
use crate::yaml::{Kind, Node};
use hostler_core::definition::{AtOnce, Collect, OnExhausted, PerGroup, Ramp, StopAt, WaveLimit};

/// Most children of one step that live at the same time.
const AT_ONCE_MAX: u32 = 1_000;
/// Most items of one `each`.
const ITEMS_MAX: u32 = 10_000;
/// Most rounds of a `repeat`.
const ROUNDS_MAX: u32 = 10_000;
/// Attributes of an asset by which children may be grouped.
const GROUPS: [&str; 8] = ["redundancy_group", "hypervisor", "parent", "customer", "platform", "connection", "window", "ring"];

impl Reader<'_, '_> {
    pub(super) fn each(&mut self, fields: &mut Fields<'_>) -> Option<Verb> {
        let node = fields.take("each")?;
        let (steps, always) = (fields.take("steps"), fields.take("always"));
        if steps.is_none() {
            self.faults.add(codes::MISSING_FIELD, fields.head(), "each has no `steps`", "add `steps:` beside `each:`");
        }
        let mut inner = Fields::of(self, node, "each")?;
        let over = self.over(&mut inner);
        let binds = match inner.take("as") {
            Some(node) => self.id(node, "the current item"),
            None => Some(Text { value: "item".to_owned(), span: inner.head() }),
        };
        let key = inner.take("key").and_then(|node| self.expr(node, "key"));
        let at_once = inner.take("at_once").and_then(|node| self.at_once(node)).unwrap_or(AtOnce { ramp: Ramp::Fixed(1), per: Vec::new() });
        let take = inner.take("take").and_then(|node| self.number(node, "take", 1, ITEMS_MAX));
        let on_failure = inner.take("on_failure").and_then(|node| {
            let words: Vec<_> = ON_FAILURE.into_iter().filter(|(word, _)| matches!(*word, "stop" | "continue" | "ask")).collect();
            self.word(node, "on_failure", &words).map(|word| (word, node.span))
        });
        let collect = inner.take("collect").and_then(|node| self.collect(node));
        let waves = inner.take("order").map(|node| self.waves(node)).unwrap_or_default();
        let stop_at = inner.take("stop_at").and_then(|node| self.stop_at(node, &waves));
        let gate = inner.take("gate").and_then(|node| {
            let mut gate = Fields::of(self, node, "gate")?;
            let approve = gate.need(self, "approve", "{ who: role:patch-lead }").and_then(|node| self.approve(node));
            gate.finish(self);
            approve
        });
        inner.unenforced(self, "window", codes::NE_WINDOW, "leave it out and start the run inside the window");
        inner.unenforced(self, "lead", codes::NE_LEAD, "put the pre-flight into a step before this one");
        inner.unenforced(self, "overflow", codes::NE_OVERFLOW, "leave it out; what is left over goes into the next run");
        inner.finish(self);
        let body = self.body(steps, always);
        Some(Verb::Each(Box::new(Each { over: over?, binds: binds?, key, body, at_once, take, on_failure, collect, waves, stop_at, gate })))
    }

    fn over(&mut self, fields: &mut Fields<'_>) -> Option<Over> {
        match (fields.take("over"), fields.take("times")) {
            (Some(node), None) => Some(Over::List(self.dynamic(node))),
            (None, Some(node)) => Some(Over::Times(self.dynamic(node))),
            _ => {
                self.faults.add(codes::MISSING_FIELD, fields.head(), "each needs `over` or `times`, one of them", "add `over: \"${{ inputs.targets }}\"`");
                None
            }
        }
    }

    fn at_once(&mut self, node: &Node) -> Option<AtOnce> {
        if let Kind::Map(_) = &node.kind {
            let mut fields = Fields::of(self, node, "at_once")?;
            let ramp = fields.need(self, "ramp", "[1, 2, 4]").and_then(|node| self.ramp(node));
            let per = fields.take("per").map(|node| self.per(node)).unwrap_or_default();
            fields.finish(self);
            return Some(AtOnce { ramp: ramp?, per });
        }
        Some(AtOnce { ramp: self.ramp(node)?, per: Vec::new() })
    }

    fn ramp(&mut self, node: &Node) -> Option<Ramp> {
        if let Kind::List(items) = &node.kind {
            let stages: Vec<u32> = items.iter().filter_map(|item| self.number(item, "at_once", 1, AT_ONCE_MAX)).collect();
            if stages.is_empty() || stages.len() != items.len() || stages.windows(2).any(|pair| pair[1] <= pair[0]) {
                self.faults.add(codes::OUT_OF_RANGE, node.span, "a ramp must rise", "write it as in [1, 2, 4, 10]");
                return None;
            }
            return Some(Ramp::Stages(stages));
        }
        match self.percent(node, "at_once") {
            Some(percent) => Some(Ramp::Percent(percent?)),
            None => self.number(node, "at_once", 1, AT_ONCE_MAX).map(Ramp::Fixed),
        }
    }

    /// `20%`: none when the text has no percent sign, some none when the number is wrong.
    fn percent(&mut self, node: &Node, what: &str) -> Option<Option<u32>> {
        let text = node.text()?.strip_suffix('%')?;
        let percent = text.parse().ok().filter(|percent| (1..=100).contains(percent));
        if percent.is_none() {
            self.faults.add(codes::OUT_OF_RANGE, node.span, format!("{what} is {text}%"), "write 1% to 100%");
        }
        Some(percent)
    }

    fn per(&mut self, node: &Node) -> Vec<PerGroup> {
        let Kind::Map(entries) = &node.kind else {
            self.shape(node, "per", "a map such as { redundancy_group: 1 }");
            return Vec::new();
        };
        entries
            .iter()
            .filter_map(|(key, value)| {
                self.group(&key.text, key.span);
                let limit = self.number(value, &key.text, 1, AT_ONCE_MAX)?;
                Some(PerGroup { attribute: key.text.clone(), limit })
            })
            .collect()
    }

    fn group(&mut self, name: &str, span: Span) {
        if !GROUPS.contains(&name) {
            let near = super::fields::suggestion(name, GROUPS).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            self.faults.add(codes::NOT_ONE_OF, span, format!("assets are not grouped by `{name}`"), format!("{near}write one of {}", GROUPS.join(", ")));
        }
    }

    fn stop_at(&mut self, node: &Node, waves: &[Wave]) -> Option<(StopAt, Span)> {
        let mut stop = StopAt::default();
        if !matches!(node.kind, Kind::Map(_)) {
            match self.percent(node, "stop_at") {
                Some(percent) => stop.percent = Some(percent?),
                None => stop.count = Some(self.number(node, "stop_at", 1, ITEMS_MAX)?),
            }
            return Some((stop, node.span));
        }
        let mut fields = Fields::of(self, node, "stop_at")?;
        stop.count = fields.take("count").and_then(|node| self.number(node, "count", 1, ITEMS_MAX));
        stop.percent = fields.take("percent").and_then(|node| self.number(node, "percent", 1, 100));
        stop.after = fields.take("after").and_then(|node| self.number(node, "after", 0, ITEMS_MAX)).unwrap_or(0);
        stop.consecutive = fields.take("consecutive").and_then(|node| self.number(node, "consecutive", 1, ITEMS_MAX));
        for (key, value) in fields.rest() {
            let limit = self.number(value, &key.text, 1, ITEMS_MAX);
            if let Some(name) = key.text.strip_prefix("wave.") {
                if !waves.iter().any(|wave| wave.name.value == name) {
                    self.faults.add(codes::UNKNOWN_NAME, key.span, format!("there is no wave `{name}`"), "name a wave of `order`");
                }
                stop.waves.extend(limit.map(|limit| (name.to_owned(), limit)));
            } else if GROUPS.contains(&key.text.as_str()) {
                stop.per.extend(limit.map(|limit| PerGroup { attribute: key.text.clone(), limit }));
            } else {
                let known = ["count", "percent", "after", "consecutive"];
                let remedy = super::fields::suggestion(&key.text, known.into_iter().chain(GROUPS))
                    .map_or_else(|| "stop_at has: count, percent, after, consecutive, wave.<name>, a group such as customer".to_owned(), |near| format!("did you mean `{near}`?"));
                self.faults.add(codes::UNKNOWN_FIELD, key.span, format!("stop_at has no field `{}`", key.text), remedy);
            }
        }
        Some((stop, node.span))
    }

    fn waves(&mut self, node: &Node) -> Vec<Wave> {
        let mut waves: Vec<Wave> = Vec::new();
        for item in self.items(node) {
            let Some(wave) = self.wave(item) else { continue };
            if waves.iter().any(|known| known.name.value == wave.name.value) {
                self.faults.add(codes::DUPLICATE_STEP, wave.name.span, format!("a second wave `{}`", wave.name.value), "give it another name");
            }
            if let Some(all) = waves.iter().find(|known| known.matches.is_none() && known.take.is_none()) {
                let message = format!("nothing is left for this wave: `{}` takes all", all.name.value);
                self.faults.add(codes::UNREACHABLE, wave.name.span, message, "put the wave without `match` and `take` last");
            }
            waves.push(wave);
        }
        waves
    }

    fn wave(&mut self, node: &Node) -> Option<Wave> {
        let mut fields = Fields::of(self, node, "a wave")?;
        let name = fields.need(self, "wave", "canary").and_then(|node| self.id(node, "a wave"));
        let matches = fields.take("match").and_then(|node| self.text(node, "match"));
        let take = fields.take("take").and_then(|node| match self.percent(node, "take") {
            Some(percent) => percent.map(WaveLimit::Percent),
            None => self.number(node, "take", 1, ITEMS_MAX).map(WaveLimit::Count),
        });
        let soak = fields.take("soak").map(|node| self.dynamic_duration(node, "soak"));
        fields.unenforced(self, "opens", codes::NE_OPENS, "leave it out; `soak` of the wave before sets the distance");
        fields.finish(self);
        Some(Wave { name: name?, matches, take, soak })
    }

    fn collect(&mut self, node: &Node) -> Option<(Collect, Vec<Text>, Option<Expr>)> {
        if let Kind::List(items) = &node.kind {
            let paths: Vec<Text> = items.iter().filter_map(|item| self.text(item, "collect")).collect();
            return Some((Collect::Paths(paths.iter().map(|path| path.value.clone()).collect()), paths, None));
        }
        let expr = self.expr(node, "collect")?;
        Some((Collect::Expression(expr.core()), Vec::new(), Some(expr)))
    }

    pub(super) fn repeat(&mut self, fields: &mut Fields<'_>) -> Option<Verb> {
        let node = fields.take("repeat")?;
        let (steps, always) = (fields.take("steps"), fields.take("always"));
        if steps.is_none() {
            self.faults.add(codes::MISSING_FIELD, fields.head(), "repeat has no `steps`", "add `steps:` beside `repeat:`");
        }
        let mut inner = Fields::of(self, node, "repeat")?;
        let at_most = inner.take("at_most").and_then(|node| self.number(node, "at_most", 1, ROUNDS_MAX));
        let for_ms = inner.take("for").and_then(|node| self.duration(node, "for"));
        let every_ms = inner.take("every").and_then(|node| self.duration(node, "every")).unwrap_or(0);
        let until = inner.take("until").and_then(|node| self.expr(node, "until"));
        let on_exhausted = inner
            .take("on_exhausted")
            .and_then(|node| self.word(node, "on_exhausted", &[("stop", OnExhausted::Stop), ("ask", OnExhausted::Ask)]))
            .unwrap_or_default();
        let span = inner.head();
        if !inner.has("at_most") && !inner.has("for") {
            self.faults.add(codes::UNBOUNDED, span, "these rounds have no bound", "add `at_most: 3` or `for: 4d`");
        } else if at_most.is_none() && for_ms.is_some() && every_ms == 0 {
            self.faults.add(codes::UNBOUNDED, span, "rounds without a pause until the time is over", "add `every: 1h` or `at_most: 10`");
        }
        inner.finish(self);
        let body = self.body(steps, always);
        Some(Verb::Repeat(Box::new(Repeat { body, at_most, for_ms, every_ms, until, on_exhausted })))
    }

    pub(super) fn call(&mut self, node: &Node) -> Option<Verb> {
        let mut fields = Fields::of(self, node, "call")?;
        let runbook = fields.need(self, "runbook", "provision-os").and_then(|node| self.name(node, "a runbook"));
        let with = fields.take("with").map(|node| {
            if !matches!(node.kind, Kind::Map(_)) {
                self.shape(node, "with", "a map of inputs");
            }
            self.dynamic(node)
        });
        let wait = fields.take("wait").and_then(|node| self.bool(node, "wait")).unwrap_or(true);
        fields.unenforced(self, "expires", codes::NE_CALL_OPTION, "leave it out; the called runbook's own expiries hold");
        fields.finish(self);
        Some(Verb::Call { runbook: runbook?, with, wait })
    }
}
